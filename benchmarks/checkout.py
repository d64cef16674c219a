"""A copy of the working tree that can be changed and delivered, with the project's own tools at hand."""

import os
import shutil
from pathlib import Path

from benchmarks.project import ROOT, run

SHARED = (".venv", "node_modules")
COPIED = (".tools", "build")
BUILDS_KEEP = ".rehearsal/cache"
"""What the builds of earlier rehearsals left for the next."""

NOT_COPIED = shutil.ignore_patterns("benchmark-cdk", "delivery", ".*")
GIT = ("git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "commit.gpgSign=false")


def copy(target: Path) -> None:
    """Make ``target`` a checkout of the files that lie here, committed; what is installed here is used from there."""
    for name in _files():
        source, copied = ROOT / name, target / name
        if source.is_file():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copied)
    _git(target, "init", "--quiet")
    _git(target, "add", "--all")
    _git(target, "commit", "--quiet", "--no-verify", "--message", "The working tree")
    for name in SHARED:
        (target / name).symlink_to(ROOT / name, target_is_directory=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=NOT_COPIED, symlinks=True)
    if (ROOT / BUILDS_KEEP).is_dir():
        shutil.copytree(ROOT / BUILDS_KEEP, target / BUILDS_KEEP, symlinks=True, copy_function=_link)


def change(target: Path) -> None:
    """Change one answer."""
    with (target / "knowledge" / "about.md").open("a") as answers:
        answers.write("\nThis was changed.\n")


def _files() -> list[str]:
    """Name the tracked files and those that could be, not what is ignored."""
    listed = run([*GIT, "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    return [name for name in listed.split("\0") if name]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


def _git(folder: Path, *arguments: str) -> None:
    run([*GIT, *arguments], folder=folder)
