"""``python3 -m delivery.alone FILE COMMAND…``: one at a time, of all the commands that name the same file.

Two that set up the same folder at once would remove what the other has just installed.
"""

import fcntl
import os
import sys
from pathlib import Path

from delivery.progress import say


def main() -> None:
    """Become ``COMMAND``, holding ``FILE``'s lock; the lock ends with the command, however it ends.

    https://man7.org/linux/man-pages/man2/flock.2.html
    """
    path, *command = sys.argv[1:]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("setting up: another command is at it in this folder; waiting for it to end …")
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.set_inheritable(lock, True)
    os.execvp(command[0], command)  # noqa: S606 (what the Makefile names)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
