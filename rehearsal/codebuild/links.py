"""Folders saved as copies, and given again as links: 50,000 copies, a set-up, would take ten times as long."""

import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def give(saved: Path, target: Path, apart: Mapping[str, Collection[str]]) -> None:
    """Make ``target`` the file or folder that ``saved`` is; what is there already stays.

    ``apart`` names, by folder, the files to be copied.
    """
    if saved.is_dir():
        _folder(str(saved), str(target), apart)
    elif saved.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(str(saved), str(target))


def _folder(saved: str, target: str, apart: Mapping[str, Collection[str]]) -> None:
    Path(target).mkdir(parents=True, exist_ok=True)
    copied, folders = apart.get(saved, ()), []
    # For a name in an open folder the kernel need not walk there, which takes longer than the link.
    with _opened(saved) as here, _opened(target) as there, os.scandir(here) as entries:
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif name in copied:
                _copy(f"{saved}/{name}", f"{target}/{name}")
            else:
                try:
                    os.link(name, name, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
                except OSError:  # it is there, or this is another file system, or one without links
                    _copy(f"{saved}/{name}", f"{target}/{name}")
    for name in folders:
        _folder(f"{saved}/{name}", f"{target}/{name}", apart)
    found = Path(saved).stat()
    Path(target).chmod(stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _copy(source: str, goal: str) -> None:
    if not os.path.lexists(goal):
        shutil.copy2(source, goal, follow_symlinks=False)


@contextmanager
def _opened(folder: str) -> Iterator[int]:
    number = os.open(folder, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


def keep(source: Path, target: Path, copy: Callable[[str, str], object]) -> None:
    """Save ``source``, a file or a folder, as ``target``; ``copy`` copies each file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, copy_function=copy)
    else:
        copy(str(source), str(target))


def keeping_names(empty: list[str]) -> Callable[[str, str], object]:
    """Return what copies files, and notes where it put ``empty`` ones; one of several names is copied once.

    npm has Node.js itself under two.
    """
    copies: dict[tuple[int, int], str] = {}

    def copy(source: str, goal: str) -> None:
        found = Path(source).stat()
        first = copies.setdefault((found.st_dev, found.st_ino), goal)
        if first == goal:
            shutil.copy2(source, goal)
        else:
            os.link(first, goal)
        if not found.st_size:
            empty.append(goal)

    return copy
