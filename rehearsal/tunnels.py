"""Tunnels: connections of clients, carried to where they may lead."""

import logging
import selectors
import socket
import socketserver
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from rehearsal.opensockets import OpenSockets
from rehearsal.upstream import connect

CHUNK = 64 * 1024
HOP_BY_HOP = {"proxy-connection", "proxy-authorization", "connection", "keep-alive"}


Target = Callable[[str, int], tuple[str, int]]
"""From host and port to the address that answers for them; raises ``RefusedError``."""


class RefusedError(Exception):
    """A host that builds may not reach; the message names it."""


class TunnelServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Accepts connections and knows them all, so that it can end them; ``target`` says where each one leads."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, target: Target, *, idle_seconds: float, log: logging.Logger) -> None:
        self.target, self.idle_seconds, self.log = target, idle_seconds, log
        self.sockets = OpenSockets()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """A client that goes away in the middle is no news."""
        self.log.debug("connection ended", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """One client connection."""

    server: TunnelServer
    rbufsize = 0  # whatever follows the head belongs to the tunnel
    timeout = 60
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.sockets.remember(self.connection)

    def finish(self) -> None:
        self.server.sockets.forget(self.connection)
        super().finish()

    def do_CONNECT(self) -> None:
        """https://www.rfc-editor.org/rfc/rfc9110#CONNECT"""
        split = urlsplit(f"//{self.path}")
        self._through(
            split.hostname or "", split.port or 443, b"", answer=b"HTTP/1.1 200 Connection established\r\n\r\n"
        )

    def do_GET(self) -> None:
        """Pass a request for a plain HTTP address on."""
        split = urlsplit(self.path)
        if split.scheme != "http" or not split.hostname:
            self._refuse(400, "this is a proxy: set it as HTTPS_PROXY")
            return
        path = (split.path or "/") + (f"?{split.query}" if split.query else "")
        head = f"{self.command} {path} HTTP/1.1\r\n" + _passed_on(self.headers)
        self._through(split.hostname, split.port or 80, head.encode("latin-1"), answer=b"")

    do_POST = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815
    do_HEAD = do_GET  # noqa: N815
    do_OPTIONS = do_GET  # noqa: N815
    do_PATCH = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        self.server.log.debug(format, *args)

    def _through(self, host: str, port: int, head: bytes, *, answer: bytes) -> None:
        self.close_connection = True
        server = self.server
        try:
            target = server.target(host, port)
            remote = connect(*target, timeout=server.idle_seconds)
        except RefusedError as error:
            server.log.warning("%s", error)
            self._refuse(403, str(error))
            return
        except OSError as error:
            server.log.warning("%s:%s cannot be reached: %s", host, port, error)
            self._refuse(502, f"{host}:{port} cannot be reached: {error}")
            return
        server.log.info("%s %s:%s", self.command, host, port)
        server.sockets.remember(remote)
        try:
            self.connection.sendall(answer)
            remote.sendall(head)
            relay(self.connection, remote, idle_seconds=server.idle_seconds)
        finally:
            server.sockets.forget(remote)
            remote.close()

    def _refuse(self, status: int, reason: str) -> None:
        line = " ".join(reason.split()).encode("ascii", "replace")
        head = f"Content-Type: text/plain\r\nContent-Length: {len(line) + 1}\r\nConnection: close\r\n\r\n"
        self.wfile.write(b"HTTP/1.1 %d %s\r\n%s%s\n" % (status, line, head.encode(), line))
        self.close_connection = True


def relay(one: socket.socket, other: socket.socket, *, idle_seconds: float) -> None:
    """Carry bytes both ways until both sides are through, or until there was none for ``idle_seconds``."""
    with selectors.DefaultSelector() as selector:
        for source, goal in ((one, other), (other, one)):
            source.settimeout(idle_seconds)
            selector.register(source, selectors.EVENT_READ, (source, goal))
        while selector.get_map() and (ready := selector.select(idle_seconds)):
            for key, _ in ready:
                source, goal = key.data
                try:
                    if not _carry(source, goal):
                        selector.unregister(source)
                except OSError:
                    return


def _carry(source: socket.socket, goal: socket.socket) -> bool:
    """Carry what is there; tell whether more may come."""
    if chunk := source.recv(CHUNK):
        goal.sendall(chunk)
        return True
    goal.shutdown(socket.SHUT_WR)
    return False


def _passed_on(headers: "Message[str, str]") -> str:
    kept = [f"{name}: {value}\r\n" for name, value in headers.items() if name.lower() not in HOP_BY_HOP]
    return "".join(kept) + "Connection: close\r\n\r\n"
