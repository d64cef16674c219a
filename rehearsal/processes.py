"""The processes of a build: who belongs to it, and how all of them are brought to an end."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path
from threading import Event

PROC = Path("/proc")
POLL_SECONDS = 0.02
Steps = tuple[tuple[signal.Signals, float], ...]


def members(sessions: Collection[int], marker: bytes) -> list[int]:
    """Return what ``kill`` takes to reach the living processes of ``sessions`` and whoever left them.

    Who left is known by ``marker`` in the environment; where the system tells nothing about other processes
    (no ``/proc``), only the process groups are known.
    """
    if not (PROC / "self/stat").exists():
        return [-session for session in sessions if _group_exists(session)]
    everyone = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return [process for process in everyone if process != os.getpid() and _belongs(process, sessions, marker)]


def _belongs(process: int, sessions: Collection[int], marker: bytes) -> bool:
    try:
        # The name may hold anything, even blanks and brackets; what follows its last bracket is plain.
        state, _, _, session = (PROC / f"{process}/stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
        if state in "ZX":
            return False
        return int(session) in sessions or marker in (PROC / f"{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # the latter is macOS's word for a group of zombies
        return False
    return True


def end(
    sessions: Collection[int],
    marker: bytes,
    *,
    steps: Steps,
    hurry: Event | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Send each signal of ``steps`` and give the processes its seconds to end, doing ``meanwhile`` again and again.

    Once ``hurry`` is set, nobody waits for what was merely interrupted.
    """
    for number, seconds in steps:
        deadline = time.monotonic() + seconds
        _send(number, living := members(sessions, marker))
        while living and time.monotonic() < deadline:
            if hurry is not None and hurry.is_set() and number == signal.SIGINT:
                break
            meanwhile()
            time.sleep(POLL_SECONDS)
            living = members(sessions, marker)
            if number == signal.SIGKILL:
                _send(number, living)
        if not living:
            return


def _send(number: signal.Signals, processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)
