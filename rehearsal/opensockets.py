"""The connections that a server has open, so that they can be ended with it."""

import contextlib
import socket
import threading


class OpenSockets:
    """Knows sockets until they are forgotten, or ended all at once."""

    def __init__(self) -> None:
        self._sockets: set[socket.socket] = set()
        self._ending = False
        self._lock = threading.Lock()

    def remember(self, connection: socket.socket) -> None:
        """Have ``connection`` ended with all others; at once if they have been."""
        with self._lock:
            self._sockets.add(connection)
            if self._ending:
                _shut(connection)

    def forget(self, connection: socket.socket) -> None:
        """Let go of ``connection``."""
        with self._lock:
            self._sockets.discard(connection)

    def end(self) -> None:
        """End every connection, those yet to come included."""
        with self._lock:
            self._ending = True
            for connection in self._sockets:
                _shut(connection)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
