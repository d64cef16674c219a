"""Talking to a bot over HTTP: what passes, what is waited for, and what fails at once."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from delivery.cli import main
from delivery.errors import DeliveryError, UsageError
from delivery.verify import Expected, verify

Answer = tuple[int, str, str]


class Bot:
    """A bot that answers as the deployed one does, unless told otherwise."""

    def __init__(self) -> None:
        self.turns: list[dict[str, Any]] = []
        self.instead: dict[str, list[Answer]] = {}
        self.release = "abc"
        self.deleted = False

    def answer(self, method: str, path: str, body: bytes, authorization: str | None) -> Answer:
        """Answer one request, with what stands in ``instead`` first."""
        if self.instead.get(f"{method} {path}"):
            return self.instead[f"{method} {path}"].pop(0)
        routes: dict[str, Callable[[], tuple[int, Any]]] = {
            "GET /dev/health": lambda: (200, {"status": "ok", "environment": "dev", "release": self.release}),
            "POST /dev/v1/conversations": lambda: (201, {"conversation_id": "c1", "token": "secret"}),
            "POST /dev/v1/conversations/c1/messages": lambda: (200, self._say(json.loads(body)["text"])),
            "GET /dev/v1/conversations/c1/messages": lambda: (200, {"messages": self.turns}),
            "DELETE /dev/v1/conversations/c1": self._delete,
        }
        if (method, path) == ("GET", "/dev/"):
            return 200, "text/html; charset=utf-8", "<!doctype html><html></html>"
        opened = "/c1" not in path or (authorization == "Bearer secret" and not self.deleted)
        missing = lambda: (404, {"code": "not_found"})  # noqa: E731
        status, document = (routes.get(f"{method} {path}", missing) if opened else missing)()
        return status, "application/json", json.dumps(document)

    def _delete(self) -> tuple[int, Any]:
        self.deleted = True
        return 204, None

    def _say(self, text: str) -> dict[str, Any]:
        self.turns.append({"text": text, "reply": f"You said {text}"})
        return self.turns[-1]


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
def url(bot: Bot) -> Iterator[str]:
    """Where the bot answers."""

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, kind, text = bot.answer(self.command, self.path, body, self.headers.get("Authorization"))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_DELETE = do_GET = do_POST = respond  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/dev"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_working_bot_passes_every_check(url: str, bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each check, with or without a slash at the address's end; afterwards its conversation is gone."""
    for address in (url, f"{url}/"):
        verify(address, Expected("dev", "abc"))

        lines = capsys.readouterr().out.splitlines()
        checks = ["health", "page", "conversation", "message", "history", "deletion"]
        assert [line.split()[0] for line in lines] == checks
        assert all(line.endswith(" ms)") for line in lines)
        bot.deleted = False


def test_a_stage_that_is_still_spreading_is_waited_for(url: str, bot: Bot) -> None:
    """A new stage answers 403 or 404 for a while, a new function 502."""
    early = (403, "application/json", '{"message":"Missing Authentication Token"}')
    bot.instead = {
        "GET /dev/health": [early, (502, "text/plain", "bad gateway")],
        "POST /dev/v1/conversations/c1/messages": [(404, "application/json", "{}")],
    }

    verify(url, Expected("dev", "abc"), deadline_seconds=20)


@pytest.mark.parametrize(
    ("request_line", "answer", "said"),
    [
        ("GET /dev/health", (200, "application/json", '{"environment": "prod"}'), "health failed: the bot is in"),
        ("GET /dev/", (200, "application/json", "{}"), "page failed"),
        ("POST /dev/v1/conversations", (400, "text/plain", "no"), "answered 400, not 201: no"),
        ("POST /dev/v1/conversations/c1/messages", (200, "application/json", '{"reply": " "}'), "message failed"),
    ],
)
def test_a_wrong_answer_fails_at_once(url: str, bot: Bot, request_line: str, answer: Answer, said: str) -> None:
    """What no waiting mends is reported in one line, without using up the deadline."""
    bot.instead = {request_line: [answer]}

    with pytest.raises(DeliveryError, match=said) as caught:
        verify(url, Expected("dev"))
    assert "\n" not in str(caught.value)


def test_an_old_release_fails_at_the_deadline(url: str) -> None:
    """Traffic may still be shifting; at the deadline it has to have shifted."""
    with pytest.raises(DeliveryError, match="health failed: release abc answers, not def"):
        verify(url, Expected("dev", "def"), deadline_seconds=0.7)


def test_an_unreachable_bot_fails_in_one_line() -> None:
    """Nothing listens: the line says where."""
    with pytest.raises(DeliveryError, match=r"health failed: GET http://127\.0\.0\.1:9/dev/health") as caught:
        verify("http://127.0.0.1:9/dev/", Expected("dev"), deadline_seconds=0.1)
    assert "\n" not in str(caught.value)


def test_the_build_s_record_tells_the_release(url: str, bot: Bot, tmp_path: Path) -> None:
    """The pipeline hands over the file; a damaged one, or one that is not there, is said in one line."""
    record = tmp_path / "release.json"
    bot.release = "fresh"
    arguments = ["verify", "--url", url, "--environment", "dev", "--release", str(record)]

    assert main(arguments) == 2
    record.write_text('{"commit": "c0ffee", "release": "fresh"}')
    assert main(arguments) == 0


def test_only_https_is_trusted() -> None:
    """An address that anyone on the way could answer for proves nothing."""
    with pytest.raises(UsageError, match="is not an https address"):
        verify("http://bot.example.org/dev/", Expected("dev"))
