"""A worker's standard output and error, read line by line."""

import os
import selectors
import threading
from collections.abc import Callable


class Output:
    """Hands every line that appears on ``descriptor`` to ``write``; both ends are closed by ``close``."""

    def __init__(self, descriptor: int, write: Callable[[str], None]) -> None:
        self._descriptor, self._write = descriptor, write
        self._rest = b""
        self._lock = threading.Lock()
        os.set_blocking(descriptor, False)
        self._open = True
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Read what is there now; what a runtime printed before it answered is there."""
        with self._lock:
            while self._open:
                try:
                    chunk = os.read(self._descriptor, 1 << 16)
                except BlockingIOError:
                    return
                if not chunk:
                    self._finish()
                    return
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                for line in lines:
                    self._write(decode(line))

    def close(self) -> None:
        """Read what is left and stop, even if a stray child of the function still holds the other end."""
        self.drain()
        with self._lock:
            self._finish()

    def _finish(self) -> None:
        if self._open:
            if self._rest:
                self._write(decode(self._rest))
            self._open = False
            os.close(self._descriptor)

    def _follow(self) -> None:
        while self._open:
            try:
                with selectors.DefaultSelector() as selector:
                    selector.register(self._descriptor, selectors.EVENT_READ)
                    while self._open and not selector.select(timeout=1):
                        pass
            except (OSError, ValueError):
                return
            self.drain()


def decode(line: bytes) -> str:
    """Return ``line`` as text; the runtime joins a traceback's lines by carriage returns, to keep them together."""
    return line.decode(errors="replace").rstrip("\r").replace("\r", "\n")
