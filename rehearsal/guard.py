"""A process that outlives this one by a moment: should this one be killed, it ends what that had started.

No signal tells of a parent's end on every system, but a pipe does: whoever held its other end, and however that one
ended, there is no more to read.
"""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM

from rehearsal import processes

STEPS: processes.Steps = ((SIGTERM, 2.0), (SIGKILL, 5.0))
"""Without the interrupt after which Terraform saves its state: the cloud that would keep it is gone."""

RELIEVED = b"relieved\n"


class Guard:
    """Ends the processes that bear ``marker``, and the sessions it was told of, unless relieved before."""

    def __init__(self, marker: bytes) -> None:
        self._process = subprocess.Popen(
            # It needs the standard library alone, and is there in an instant.
            [sys.executable, "-E", "-S", "-m", __name__, marker],
            stdin=subprocess.PIPE,
            cwd=Path(__file__).parents[1],
            env={},
            start_new_session=True,
        )

    def watch(self, session: int) -> None:
        """Have the session ended too, also where the system does not tell who bears a marker."""
        stream = self._process.stdin
        # Somebody may have ended it; what it is there for may never come.
        with suppress(BrokenPipeError):
            if stream is not None:
                stream.write(b"%d\n" % session)
                stream.flush()

    def relieve(self) -> None:
        """Let it go: what it watched over has ended."""
        self._process.communicate(RELIEVED)


def main(marker: str) -> None:
    """Read sessions until relieved; end them where the words end without that."""
    words = sys.stdin.buffer.readlines()
    if RELIEVED not in words:
        processes.end([int(word) for word in words], marker.encode(), steps=STEPS)


if __name__ == "__main__":
    main(sys.argv[1])
