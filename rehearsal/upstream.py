"""Connections outwards: direct, or through the proxy that this machine itself needs."""

import base64
import socket
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

CONNECT_SECONDS = 10
LONGEST_HEAD = 64 * 1024


def connect(host: str, port: int, *, timeout: float) -> socket.socket:
    """Return a connection to ``host``; raises ``OSError``."""
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all") or proxies.get("http")
    if not proxy or host in ("127.0.0.1", "localhost", "::1") or proxy_bypass(host):
        connection = socket.create_connection((host, port), CONNECT_SECONDS)
    else:
        connection = _tunnel(proxy, host, port)
    connection.settimeout(timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _tunnel(proxy: str, host: str, port: int) -> socket.socket:
    """Ask the machine's proxy for a tunnel: https://www.rfc-editor.org/rfc/rfc9110#CONNECT."""
    address = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    if address.scheme not in ("", "http"):
        raise OSError(f"the machine's proxy {address.scheme}://{address.hostname} is no plain HTTP proxy")
    connection = socket.create_connection((address.hostname or "", address.port or 80), CONNECT_SECONDS)
    try:
        head = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        if address.username is not None:
            user = f"{unquote(address.username)}:{unquote(address.password or '')}"
            head += f"Proxy-Authorization: Basic {base64.b64encode(user.encode()).decode()}\r\n"
        connection.sendall(f"{head}\r\n".encode())
        status = _head(connection).split("\r\n")[0]
        if status.split(" ")[1:2] != ["200"]:
            raise OSError(f"the machine's proxy answered {status}")
    except BaseException:
        connection.close()
        raise
    return connection


def _head(connection: socket.socket) -> str:
    """Read exactly the head: what follows belongs to the tunnel."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte or len(head) > LONGEST_HEAD:
            raise OSError("the machine's proxy hung up")
        head += byte
    return head.decode("latin-1")
