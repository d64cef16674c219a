"""A conversation with the deployed bot, through its real address."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from delivery.errors import DeliveryError, UsageError
from delivery.printable import one_line

if TYPE_CHECKING:
    import requests

DEADLINE_SECONDS: Final = 90.0
TRY_SECONDS: Final = (5, 20)
PAUSE_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
LONGEST_PAUSE: Final = 8.0
UNSETTLED: Final = frozenset({403, 404, 408, 429, 500, 502, 503, 504})
"""What a new stage answers until it has reached every edge, and a new function until it has started.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-stages.html"""

QUESTION: Final = "What can you help me with?"


class CheckError(Exception):
    """An answer is not what it has to be; it may yet become so."""


@dataclass(frozen=True)
class Expected:
    """What the bot has to say about itself."""

    environment: str
    release: str | None = None


def verify(url: str, expected: Expected, question: str = QUESTION, deadline_seconds: float = DEADLINE_SECONDS) -> None:
    """Talk to the bot at ``url``; raises ``DeliveryError`` naming the first check that still fails at the deadline."""
    import requests

    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(f"{url!r} is not an https address")
    with requests.Session() as session:
        conversation = Conversation(session, url.rstrip("/") + "/", time.monotonic() + deadline_seconds)
        conversation.check("health", lambda: _health(conversation, expected))
        conversation.check("page", lambda: _page(conversation))
        conversation.check("conversation", lambda: _start(conversation))
        conversation.check("message", lambda: _ask(conversation, question))
        conversation.check("history", lambda: _history(conversation, question))
        conversation.check("deletion", lambda: _delete(conversation))


@dataclass
class Conversation:
    """One conversation over HTTP, and the time until it has to have worked."""

    session: "requests.Session"
    base: str
    deadline: float
    id: str = ""
    token: str = ""
    reply: str = ""
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Sent with the question, so that asking again makes no second turn."""

    @property
    def path(self) -> str:
        """Where the conversation is."""
        return f"v1/conversations/{self.id}"

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request carries, and what opens the conversation."""
        return {"Accept": "*/*"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    def check(self, name: str, probe: Callable[[], str]) -> None:
        """Try ``probe`` until it succeeds or the deadline has passed; print one line about it."""
        pauses = iter(PAUSE_SECONDS)
        while True:
            start = time.monotonic()
            try:
                found = probe()
            except CheckError as error:
                pause = next(pauses, LONGEST_PAUSE)
                if time.monotonic() + pause > self.deadline:
                    raise DeliveryError(f"{name} failed: {error}") from error
                time.sleep(pause)
            else:
                print(f"{name:<13} {found} ({(time.monotonic() - start) * 1000:.0f} ms)", flush=True)
                return

    def request(
        self, method: str, path: str, *statuses: int, body: object = None, headers: Mapping[str, str] | None = None
    ) -> "requests.Response":
        """Return an answer with one of ``statuses``.

        Raises ``CheckError`` for one that may become so, and ``DeliveryError`` for any other.
        """
        import requests

        address = urljoin(self.base, path)
        try:
            response = self.session.request(
                method,
                address,
                json=body,
                timeout=TRY_SECONDS,
                allow_redirects=False,
                headers={**self.headers, **(headers or {})},
            )
        except requests.RequestException as error:
            raise CheckError(f"{method} {address}: {' '.join(str(error).split())[:300]}") from error
        if response.status_code in statuses:
            return response
        said = one_line(response.text)[:300]
        message = f"{method} {address} answered {response.status_code}, not {statuses[0]}: {said}"
        if response.status_code in UNSETTLED:
            raise CheckError(message)
        raise DeliveryError(message)


def _health(conversation: Conversation, expected: Expected) -> str:
    health = _object(conversation.request("GET", "health", 200))
    if health.get("environment") != expected.environment:
        raise DeliveryError(
            f"health failed: the bot is in environment {health.get('environment')!r}, not {expected.environment!r}"
        )
    if expected.release and health.get("release") != expected.release:
        raise CheckError(f"release {health.get('release')} answers, not {expected.release}")
    return f"{health.get('environment')}, release {str(health.get('release', ''))[:12]}"


def _page(conversation: Conversation) -> str:
    response = conversation.request("GET", "", 200)
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("text/html") or "<html" not in response.text.lower():
        raise DeliveryError(f"page failed: {conversation.base} is no HTML page but {kind or 'of no type'}")
    return f"{len(response.content)} bytes of HTML"


def _start(conversation: Conversation) -> str:
    started = _object(conversation.request("POST", "v1/conversations", 201))
    for name in ("conversation_id", "token"):
        if not started.get(name):
            raise DeliveryError(f"conversation failed: the answer carries no {name}")
    conversation.id, conversation.token = str(started["conversation_id"]), str(started["token"])
    return conversation.id


def _ask(conversation: Conversation, question: str) -> str:
    key = {"Idempotency-Key": conversation.key}
    answer = conversation.request("POST", f"{conversation.path}/messages", 200, body={"text": question}, headers=key)
    conversation.reply = str(_object(answer).get("reply") or "")
    if not conversation.reply.strip():
        raise DeliveryError(f"message failed: the reply to {question!r} is empty")
    return one_line(conversation.reply)[:60]


def _history(conversation: Conversation, question: str) -> str:
    found = _object(conversation.request("GET", f"{conversation.path}/messages", 200))
    turns = found.get("messages") or []
    if not any(turn.get("text") == question and turn.get("reply") == conversation.reply for turn in turns):
        raise CheckError("the conversation does not show the question and its reply")
    return f"{len(turns)} turn{'s' if len(turns) != 1 else ''}"


def _delete(conversation: Conversation) -> str:
    """Leave nothing behind that would look like a person's conversation."""
    conversation.request("DELETE", conversation.path, 204, 404)  # 404 if an earlier attempt got that far
    conversation.request("GET", f"{conversation.path}/messages", 404)
    return "nothing is left"


def _object(response: "requests.Response") -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError as error:
        raise CheckError(f"{response.url} answered no JSON") from error
    if not isinstance(found, dict):
        raise CheckError(f"{response.url} answered no JSON object")
    return found
