"""Temporary folders that other rehearsals know to be in use, and what becomes of those that a killed one left."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "rehearsal-"
LOCK = ".in-use"


@contextmanager
def scratch() -> Iterator[Path]:
    """Have a temporary folder until the block ends; ``sweep`` leaves it alone for as long as this process lives."""
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name,
        (Path(name) / f"{LOCK}.draft").open("wb") as held,
    ):
        fcntl.flock(held, fcntl.LOCK_EX)
        # It gets its name once it is locked: a folder without one may be about to have it.
        (Path(name) / f"{LOCK}.draft").rename(Path(name) / LOCK)
        yield Path(name)


def sweep() -> None:
    """Remove the folders of this user's rehearsals that were killed: the system let go of their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            _remove_abandoned(folder)


def _remove_abandoned(folder: Path) -> None:
    # Others may write here too: neither a link of theirs nor a folder of theirs is followed.
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in folder.iterdir():
            if path.name != LOCK:
                with suppress(OSError):
                    _remove(path)
        _remove_emptied(folder)
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _remove_emptied(folder: Path) -> None:
    """Remove ``folder`` with its lock, unless a build that still ends has written there anew: then both stay."""
    lock = folder / LOCK
    lock.unlink()
    try:
        folder.rmdir()
    except OSError:
        lock.touch(0o600)
