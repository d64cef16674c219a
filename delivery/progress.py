"""Signs of life on stderr while something takes long."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 1.5


def say(text: str) -> None:
    """Print one line for the person who waits."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say ``text`` if the block takes longer than a moment, and on a terminal how long it took in the end."""
    start = time.monotonic()
    spoken = threading.Event()

    def speak() -> None:
        spoken.set()
        say(f"{text} …")

    timer = threading.Timer(PATIENCE_SECONDS, speak)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    # A log has one line for it, and times of its own.
    if spoken.is_set() and sys.stderr.isatty():
        say(f"{text}: {time.monotonic() - start:.0f} s")
