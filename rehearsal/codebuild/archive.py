"""Zip files in and out: modes and links are kept, and nothing is ever written outside the folder."""

import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

FAST = 1


class ArchiveError(Exception):
    """A zip file that cannot be used; the message is one line."""


def pack(files: Mapping[str, Path], target: Path, *, keep_links: bool) -> None:
    """Write ``files`` (name in the archive to file) to ``target``; links stay links, or their files go in."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST, strict_timestamps=False) as archive:
        for name, path in files.items():
            if keep_links and path.is_symlink():
                link = zipfile.ZipInfo(name)
                link.create_system = 3
                link.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(link, str(path.readlink()))
            else:
                archive.write(path, name)


def unpack(source: Path, target: Path) -> None:
    """Unpack ``source`` below ``target``; raises ``ArchiveError`` for a file or link that would lead out of it."""
    target.mkdir(parents=True, exist_ok=True)
    root = target.resolve()
    links: list[tuple[Path, str]] = []
    try:
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                path = root / _inside(entry.filename, source)
                mode = entry.external_attr >> 16
                if stat.S_ISLNK(mode):
                    links.append((path, archive.read(entry).decode()))
                elif entry.is_dir():
                    path.mkdir(parents=True, exist_ok=True)
                else:
                    _extract(archive, entry, path, mode)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        raise ArchiveError(f"{source.name} is no zip file that can be read: {error}") from error
    # Links come last, so that no entry can be written through one.
    for path, goal in links:
        if not (path.parent / goal).resolve().is_relative_to(root) or goal.startswith("/"):
            raise ArchiveError(f"{source.name} holds a link that leads out of it: {path.relative_to(root)} -> {goal}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.symlink_to(goal)


def _inside(name: str, source: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ArchiveError(f"{source.name} holds a file that would lie outside of it: {name!r}")
    return path


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
    if permissions := stat.S_IMODE(mode) & 0o777:
        path.chmod(permissions | stat.S_IRUSR | stat.S_IWUSR)
