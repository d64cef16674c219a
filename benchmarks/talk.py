"""People who talk to a deployed chatbot over HTTP, and what is left of it afterwards."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from benchmarks.api import Api
from benchmarks.project import BenchmarkError

QUESTION = "How do I roll back a release?"
MESSAGES = 10
"""After so many messages in a conversation, another one is begun."""

TO_BE_TRIED_AGAIN = frozenset({409, 429})


@dataclass(frozen=True)
class Conversation:
    """A conversation that was started: where its messages are, and what opens it."""

    path: str
    headers: dict[str, str]


@dataclass
class Tally:
    """What came of all requests."""

    seconds: list[float] = field(default_factory=list)
    """How long each successful request took."""

    turned_away: Counter[str] = field(default_factory=Counter)
    """Refusals that the API documents and that were tried again."""

    errors: Counter[str] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    """The texts of all messages that were answered."""

    conversations: list[Conversation] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.seconds + other.seconds,
            self.turned_away + other.turned_away,
            self.errors + other.errors,
            self.acknowledged + other.acknowledged,
            self.conversations + other.conversations,
        )


class Room:
    """Where one or more people talk in the same conversation, until it is time for another one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._conversation: Conversation | None = None
        self._left = 0

    def conversation(self, start: Callable[[], Conversation | None]) -> Conversation | None:
        """Return what to talk in next; None if it could not be started."""
        with self._lock:
            if self._left == 0 or self._conversation is None:
                self._conversation, self._left = start(), MESSAGES
            self._left -= 1
            return self._conversation


class Person:
    """Talks without a pause, one request after another, until ``deadline``."""

    def __init__(self, url: str, room: Room, deadline: float) -> None:
        self.tally = Tally()
        self._api, self._room, self._deadline = Api(url), room, deadline

    def talk(self) -> Tally:
        """Start conversations and send messages; return what came of it."""
        try:
            while time.monotonic() < self._deadline:
                if conversation := self._room.conversation(self._start):
                    self._say(conversation)
        finally:
            self._api.close()
        return self.tally

    def _start(self) -> Conversation | None:
        answer = self._insist("/v1/conversations", None, {})
        if answer is None:
            return None
        # An API without tokens gives none.
        token = answer.get("token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        conversation = Conversation(f"/v1/conversations/{quote(answer['conversation_id'])}/messages", headers)
        self.tally.conversations.append(conversation)
        return conversation

    def _say(self, conversation: Conversation) -> None:
        key = str(uuid.uuid4())
        text = f"{QUESTION} ({key})"
        if self._insist(conversation.path, {"text": text}, conversation.headers | {"Idempotency-Key": key}) is not None:
            self.tally.acknowledged.append(text)

    def _insist(self, path: str, body: Any, headers: dict[str, str]) -> Any:
        """Return the JSON of a successful answer; come back as often as the API asks for it while there is time."""
        while True:
            started = time.perf_counter()
            answer = self._api.ask("POST", path, body, headers)
            if 200 <= answer.status < 300:
                self.tally.seconds.append(time.perf_counter() - started)
                return answer.document
            if answer.status not in TO_BE_TRIED_AGAIN:
                self.tally.errors[answer.label] += 1
                return None
            self.tally.turned_away[answer.label] += 1
            if time.monotonic() + answer.retry_after >= self._deadline:
                return None
            time.sleep(answer.retry_after)


def require(url: str) -> None:
    """Raise ``BenchmarkError`` unless the chatbot answers at ``url``."""
    api = Api(url)
    answer = api.ask("GET", "/health")
    api.close()
    if answer.status != 200:
        raise BenchmarkError(
            f"no chatbot answers at {url}: {answer.label or 'no answer'}; see `python -m rehearsal status`"
        )


def stored(url: str, conversation: Conversation) -> Iterator[str]:
    """Yield the text of every message that the API shows of ``conversation``, page by page."""
    api, cursor = Api(url), None
    try:
        while True:
            path = conversation.path + (f"?cursor={quote(cursor, safe='')}" if cursor else "")
            answer = api.ask("GET", path, headers=conversation.headers)
            if answer.status in TO_BE_TRIED_AGAIN:
                time.sleep(answer.retry_after)
                continue
            if answer.status != 200:
                raise BenchmarkError(f"a conversation could not be read: {answer.label}")
            yield from (turn["text"] for turn in answer.document["messages"])
            cursor = answer.document.get("next_cursor")
            if not cursor:
                return
    finally:
        api.close()
