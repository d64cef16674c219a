"""A proxy between the browser and the bot that makes chosen requests go wrong, as networks and gateways do."""

import contextlib
import http.client
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# The bot answers below the path of its stage too, as behind API Gateway's own address.
STAGE = "/stage"
HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "date", "server")
# Chromium itself sends a request again when a connection ends without an answer, so a count would not hold there.
ALWAYS = 10**6
SEND, START, HISTORY = r"POST .*/messages", r"POST .*/conversations", r"GET .*/messages\b.*"


@dataclass(frozen=True)
class Answer:
    """What goes back to the browser."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Request:
    """What the browser asked for."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class DroppedError(Exception):
    """The connection ends without a whole answer; ``body`` is the part that still comes through."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__("dropped")
        self.answer = answer


Forward = Callable[[Request], Answer]
Fault = Callable[[Request, Forward], Answer]


def drop_answer(request: Request, forward: Forward) -> Answer:
    """Let the bot do what it is asked, and lose its answer."""
    forward(request)
    raise DroppedError


def cut_answer(request: Request, forward: Forward) -> Answer:
    """Let the bot do what it is asked, and lose the second half of its answer."""
    raise DroppedError(forward(request))


def problem(status: int, code: str, detail: str, *, retry_after: int | None = None) -> Fault:
    """Answer with problem details instead of asking the bot: RFC 9457."""
    body = json.dumps({"title": code, "status": status, "code": code, "detail": detail}).encode()
    headers = [("Content-Type", "application/problem+json")]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return lambda request, forward: Answer(status, tuple(headers), body)


def page_of_a_gateway(request: Request, forward: Forward) -> Answer:
    """Answer as a broken proxy does: with a page of its own."""
    return Answer(502, (("Content-Type", "text/html"),), b"<h1>Bad Gateway</h1>")


def smaller_pages(request: Request, forward: Forward) -> Answer:
    """Ask for pages of two turns, whatever the browser wants."""
    return forward(
        Request(request.method, re.sub(r"limit=\d+", "limit=2", request.path), request.headers, request.body)
    )


class Held:
    """A fault that keeps requests waiting until they are released."""

    def __init__(self) -> None:
        self.arrived, self.released = threading.Event(), threading.Event()

    def __call__(self, request: Request, forward: Forward) -> Answer:
        self.arrived.set()
        assert self.released.wait(30), "nobody released the request"
        return forward(request)


@dataclass
class Rule:
    """A fault for the requests that match, as often as it says."""

    pattern: re.Pattern[str]
    fault: Fault
    times: int


@dataclass
class Faults:
    """What goes wrong next, and what was asked so far."""

    rules: list[Rule] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def on(self, pattern: str, fault: Fault, *, times: int = 1) -> None:
        """Make requests that match ``METHOD path`` go wrong, so often or until it is mended."""
        self.rules.append(Rule(re.compile(pattern), fault, times))

    def mend(self) -> None:
        """Let everything go well from now on."""
        self.rules.clear()

    def sent(self) -> list[Request]:
        """The messages that the browser sent."""
        return [request for request in self.requests if re.fullmatch(SEND, str(request))]

    def next_for(self, request: Request) -> Fault | None:
        self.requests.append(request)
        for rule in self.rules:
            if rule.times and rule.pattern.fullmatch(str(request)):
                rule.times -= 1
                return rule.fault
        return None


class Proxy(ThreadingHTTPServer):
    """Listens on loopback, in front of a bot."""

    daemon_threads = True

    def __init__(self, bot: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bot = urlsplit(bot)
        self.faults = Faults()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def forward(self, request: Request) -> Answer:
        """Ask the bot."""
        connection = http.client.HTTPConnection(self.bot.netloc, timeout=30)
        try:
            connection.request(request.method, request.path, request.body or None, request.headers)
            response = connection.getresponse()
            headers = tuple((name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP)
            return Answer(response.status, headers, response.read())
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        path = "/" + self.path.removeprefix(STAGE).removeprefix("/")
        request = Request(self.command, path, dict(self.headers), self.rfile.read(length))
        fault = self.server.faults.next_for(request)
        try:
            self._send(fault(request, self.server.forward) if fault else self.server.forward(request))
        except DroppedError as dropped:
            self.close_connection = True
            if dropped.answer:
                self._send(dropped.answer, share=0.5)

    def _send(self, answer: Answer, share: float = 1) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        # Whoever leaves the page does not wait for its answers.
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(answer.body[: int(len(answer.body) * share)])

    do_DELETE = do_GET = do_POST = do_PUT = _answer  # noqa: N815 (the names that http.server calls)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""
