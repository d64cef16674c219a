"""A small HTTP server on loopback that does what API Gateway does: turns HTTP into proxy events; it is not shipped."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

HOST = "127.0.0.1"
STAGE = "local"
# API Gateway's own limit: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
LARGEST_BODY = 10 * 1024 * 1024

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Server(ThreadingHTTPServer):
    """Hands every request to a function that answers proxy events."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, answer: Answer) -> None:
        super().__init__((HOST, port), _Handler)
        self.answer = answer

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    """Turns one HTTP request into a proxy event, and the answer back."""

    server: Server
    protocol_version = "HTTP/1.1"
    # Without it, an answer waits 40 ms for the acknowledgement of its own headers.
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        length = self._body_length()
        if length is None:
            self.close_connection = True
            self.send_error(413 if self.headers.get("Content-Length", "").isdigit() else 411)
            return
        response = self.server.answer(proxy_event(self, self.rfile.read(length)))
        content = response["body"] or ""
        body = base64.b64decode(content) if response.get("isBase64Encoded") else content.encode()
        self.send_response(response["statusCode"])
        for name, value in response["headers"].items():
            self.send_header(name, value)
        if response["statusCode"] != 204:  # RFC 9110, 8.6
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body_length(self) -> int | None:
        text = self.headers.get("Content-Length", "0")
        known = text.isascii() and text.isdigit() and "Transfer-Encoding" not in self.headers
        return int(text) if known and len(text) < 12 and int(text) <= LARGEST_BODY else None

    do_DELETE = do_GET = do_HEAD = _answer  # noqa: N815 (the names that http.server calls)
    do_OPTIONS = do_PATCH = do_POST = do_PUT = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the bot's own log tells what matters."""


def proxy_event(request: BaseHTTPRequestHandler, body: bytes) -> dict[str, Any]:
    """Return an API Gateway REST proxy event (format 1.0) for a request.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    url = urlsplit(request.path)
    path = unquote(url.path) or "/"
    try:
        content, encoded = body.decode(), False
    except UnicodeDecodeError:
        content, encoded = base64.b64encode(body).decode(), True
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, []).append(value)
    return {
        "resource": path,
        "path": path,
        "httpMethod": request.command,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": dict(parse_qsl(url.query, keep_blank_values=True)) or None,
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "stage": STAGE,
            "path": path,
            "httpMethod": request.command,
            "identity": {"sourceIp": request.client_address[0]},
        },
        "body": content or None,
        "isBase64Encoded": encoded,
    }
