"""The Lambda Runtime API of one worker, on a loopback port of its own."""

import contextlib
import queue
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from rehearsal.functions.invocation import RESPONSE_LIMIT, Answer, Event

VERSION = "/2018-06-01/runtime"
INVOCATION = re.compile(rf"{VERSION}/invocation/([^/]+)/(response|error)")


class RuntimeApi:
    """Hands events to one runtime and takes its answers.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    """

    def __init__(self) -> None:
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.ready = threading.Event()
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._current = ""
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="runtime-api", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The value of ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{self._server.server_port}"

    def submit(self, event: Event) -> None:
        """Let the runtime's next call for work return ``event``."""
        self._current = event.request_id
        self._events.put(event)

    def next(self) -> Event | None:
        """Wait for work; None means that the runtime is to end."""
        self.ready.set()
        event = self._events.get()
        if event is None:
            self._events.put(None)
        return event

    def answer(self, request_id: str, answer: Answer) -> bool:
        """Take an answer, unless nothing with ``request_id`` was asked."""
        if request_id != self._current:
            return False
        self._current = ""
        self.answers.put(answer)
        return True

    def fail(self, payload: bytes) -> None:
        """Take the news that initialization failed."""
        self.answers.put(Answer("init-error", payload))
        self.ready.set()

    def close(self) -> None:
        """Stop answering; what still waits for work is turned away."""
        self._closing = True
        self._events.put(None)
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self._server.server_port)).close()  # Wakes the server.
        self._thread.join()

    def _serve(self) -> None:
        with self._server:
            while not self._closing:
                self._server.handle_request()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a runtime that is killed leaves its connections broken."""


class _Handler(BaseHTTPRequestHandler):
    """HTTP for one connection of the runtime."""

    api: ClassVar[RuntimeApi]
    protocol_version = "HTTP/1.1"
    # A reply that leaves in two packets, or waits for an acknowledgement, costs the caller 40 ms.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path != f"{VERSION}/invocation/next":
            return self._reply(404)
        event = self.api.next()
        if event is None:
            self.close_connection = True
            return None
        optional = {"Trace-Id": event.trace, "Client-Context": event.client_context}
        headers = {
            "Aws-Request-Id": event.request_id,
            "Deadline-Ms": str(event.deadline),
            "Invoked-Function-Arn": event.arn,
        } | {name: value for name, value in optional.items() if value}
        return self._reply(200, event.payload, {f"Lambda-Runtime-{name}": value for name, value in headers.items()})

    def do_POST(self) -> None:
        body = self._body()
        if self.path == f"{VERSION}/init/error":
            self.api.fail(body or b"{}")
            return self._reply(202, b'{"status":"OK"}')
        match = INVOCATION.fullmatch(self.path)
        if match is None:
            return self._reply(404)
        if body is None:
            self.api.answer(match[1], Answer("too-large"))
            return self._reply(413, b'{"errorType":"RequestEntityTooLarge"}')
        answer = Answer("response" if match[2] == "response" else "error", body)
        if not self.api.answer(match[1], answer):
            return self._reply(400, b'{"errorType":"InvalidRequestID"}')
        return self._reply(202, b'{"status":"OK"}')

    def _body(self) -> bytes | None:
        """Return the request's body, or None (after reading it) if it is too large."""
        chunks, size = [], 0
        for chunk in self._chunks():
            size += len(chunk)
            if size <= RESPONSE_LIMIT:
                chunks.append(chunk)
        return b"".join(chunks) if size <= RESPONSE_LIMIT else None

    def _chunks(self) -> Any:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while length := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 20))):
            left -= len(chunk)
            yield chunk

    def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the function's log is not the place for its runtime's requests."""
