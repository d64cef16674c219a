"""A saved folder given once more, as links to its files: copies of a set-up's 50,000 take ten times as long."""

import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
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
