"""Says what takes long, to the person who waits. It is not shipped."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 1.5


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say `text` on stderr if the block takes longer than a moment, and on a terminal how long it took in the end."""
    start = time.monotonic()
    spoken = threading.Event()

    def speak() -> None:
        spoken.set()
        print(f"{text} …", file=sys.stderr, flush=True)

    timer = threading.Timer(PATIENCE_SECONDS, speak)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    # A log has one line for it, and times of its own.
    if spoken.is_set() and sys.stderr.isatty():
        print(f"{text}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
