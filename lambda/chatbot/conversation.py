"""What a conversation is: it starts, takes messages, can be read, rated and deleted, and expires."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chatbot.access import Access, admitted, new_token, token_hash
from chatbot.contract import Feedback, StartedConversation
from chatbot.errors import Problem, ProblemError
from chatbot.reading import Page, Reading
from chatbot.replays import pause
from chatbot.sending import Sending, Sent
from chatbot.store import ConflictError, Conversation

if TYPE_CHECKING:
    from chatbot.reply import Responder
    from chatbot.store import Store

ATTEMPTS = 7
RETRY_AFTER_SECONDS = 1


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, kw_only=True)
class Conversations:
    """All conversations of one bot; every method but `start` raises ProblemError where there is none for the access."""

    store: Store
    responder: Responder
    greeting: str
    retention: timedelta
    messages_per_minute: int
    daily_tokens: int = 0
    now: Callable[[], datetime] = _now
    pause: Callable[..., None] = pause

    def start(self) -> StartedConversation:
        """Start a conversation; only the answer has its token, the store has no more than a hash."""
        created, token = self.now(), new_token()
        conversation = Conversation(
            id=secrets.token_hex(16),
            token_hash=token_hash(token),
            created_at=created,
            expires_at=created + self.retention,
        )
        self.store.create(conversation)
        return StartedConversation(
            conversation_id=conversation.id,
            token=token,
            created_at=created,
            expires_at=conversation.expires_at,
            greeting=self.greeting,
            suggestions=self.responder.starters,
        )

    def send(self, access: Access, text: str, key: str | None = None) -> Sent:
        """Make a message the conversation's next turn; see `Sending.send`."""
        sending = Sending(
            store=self.store,
            responder=self.responder,
            messages_per_minute=self.messages_per_minute,
            daily_tokens=self.daily_tokens,
            now=self.now,
            pause=self.pause,
        )
        return sending.send(access, text, key)

    def page(self, access: Access, *, limit: int, cursor: str | None = None) -> Page:
        """Return some turns, oldest first; see `Reading.page`."""
        return Reading(self.store, self.now).page(access, limit=limit, cursor=cursor)

    def rate(self, access: Access, number: int, feedback: Feedback) -> Feedback:
        """Keep what a person thinks of a turn, instead of what was thought before."""
        found = admitted(access, self.store.one(access.conversation_id, number=number, now=self.now()))
        if not found.turns or not self._settled(lambda: self.store.rate(found.turns[0].turn, feedback)):
            raise ProblemError(Problem.MESSAGE_NOT_FOUND)
        return feedback

    def delete(self, access: Access) -> None:
        """Delete everything of a conversation; what was interrupted goes on where it ended."""
        found = self.store.recent(access.conversation_id, limit=0, now=self.now())
        admitted(access, found, even_leaving=True)
        self._settled(lambda: self.store.erase(access.conversation_id))

    def _settled[T](self, write: Callable[[], T]) -> T:
        """Write as soon as nobody else writes the same at this moment."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.pause(attempt - 1)
            with suppress(ConflictError):
                return write()
        raise ProblemError(Problem.CONFLICT, retry_after=RETRY_AFTER_SECONDS)
