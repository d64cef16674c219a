"""A program run to its end, even when someone wants this one to stop."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from delivery.errors import InterruptedRunError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it said."""

    code: int
    stdout: str
    stderr: str


@dataclass
class _Interruption:
    """Hands the first request to stop on to the program, and only the first: a second makes Terraform drop everything.

    https://developer.hashicorp.com/terraform/cli/commands/apply
    """

    process: "subprocess.Popen[bytes] | None" = None
    asked: bool = False
    sent: bool = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        if self.asked:
            return
        self.asked = True
        self.hand_on()
        # Python's own streams refuse to be entered again by the handler of a signal that interrupts them.
        os.write(2, f"{signal.Signals(number).name}: waiting for terraform to save its state and stop\n".encode())

    def hand_on(self) -> None:
        """Ask the program to stop if that was asked for, and it has begun."""
        if self.asked and self.process is not None and not self.sent:
            self.sent = True
            self.process.send_signal(signal.SIGINT)


def run_to_end(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], live: bool = False) -> Ended:
    """Run ``command`` in ``folder``; with ``live`` its stdout goes to stderr as it comes, else it is returned.

    Raises ``InterruptedRunError`` after the program has ended, if a signal asked to stop meanwhile. The program has a
    process group of its own, so that a terminal's Ctrl-C reaches it once, through this process. Its output goes to
    files, not pipes: it lives on to save its state even if this process is killed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _forwarding() as interruption:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sys.__stderr__ if live else out,
            stderr=err,
            process_group=0,
            preexec_fn=_stop_with_parent if sys.platform == "linux" else None,
        )
        interruption.process = process
        interruption.hand_on()
        code = process.wait()
        out.seek(0)
        err.seek(0)
        ended = Ended(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"))
    if interruption.asked:
        raise InterruptedRunError(f"stopped; {Path(command[0]).name} has ended and saved what it had done")
    return ended


@contextmanager
def _forwarding() -> Iterator[_Interruption]:
    interruption = _Interruption()
    previous = {number: signal.signal(number, interruption) for number in STOP_SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _stop_with_parent() -> None:
    # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
