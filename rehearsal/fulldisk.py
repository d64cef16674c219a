"""A disk without room: which folder it is, and what to do."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MEGABYTE = 1_000_000


def explained(error: OSError, folder: Path) -> str | None:
    """Return one line on ``error``, if it tells of a full disk; a rehearsal writes to ``folder`` and to ``TMPDIR``.

    What was being written is seldom told by the system, so the one of the two with less room is named.
    """
    number = error.errno
    if isinstance(error, shutil.Error):
        # A folder's copy tells what happened to each file, in words only.
        number = next((each for each in FULL if f"[Errno {each}]" in str(error)), None)
    if number is None or number not in FULL:
        return None
    temporary = Path(tempfile.gettempdir())
    room, fullest = min((shutil.disk_usage(_existing(each)).free, each) for each in (folder, temporary))
    instead = ", or name another folder for builds with TMPDIR" if fullest == temporary else ""
    return (
        f"{fullest}: {os.strerror(number)} ({room // MEGABYTE} MB free); make room there{instead}, and run this again"
    )


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())
