"""What a conversation is: it starts, takes messages in an unbroken order, can be read, and expires."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chatbot.contract import TURNS, StartedConversation, Transcript, Turn
from chatbot.errors import Problem, ProblemError
from chatbot.store import ConflictError, Conversation, Recent

if TYPE_CHECKING:
    from chatbot.reply import Reply, Responder
    from chatbot.store import Store

REMEMBERED_TURNS = 6
APPEND_ATTEMPTS = 8
LONGEST_FIRST_PAUSE = 0.01
RETRY_AFTER_SECONDS = "1"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _pause(attempt: int) -> None:
    # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    time.sleep(random.uniform(0, LONGEST_FIRST_PAUSE * 2**attempt))  # noqa: S311 (jitter, not a secret)


@dataclass(frozen=True, kw_only=True)
class Conversations:
    """All conversations of one bot."""

    store: Store
    responder: Responder
    bot_name: str
    retention: timedelta
    now: Callable[[], datetime] = _now
    pause: Callable[[int], None] = _pause

    def start(self) -> StartedConversation:
        """Start a conversation under an id that cannot be guessed: whoever has it can read and write."""
        created = self.now()
        conversation = Conversation(id=secrets.token_hex(16), created_at=created, expires_at=created + self.retention)
        self.store.create(conversation)
        return StartedConversation(
            conversation_id=conversation.id,
            token=secrets.token_urlsafe(32),
            created_at=created,
            expires_at=conversation.expires_at,
            greeting=f"Hello, I am {self.bot_name}. What would you like to know?",
            suggestions=self.responder.starters,
        )

    def send(self, conversation_id: str, text: str) -> Turn:
        """Answer a message and keep both as the conversation's next turn.

        Raises ProblemError when there is no such conversation, when it is full, or when other messages keep coming
        in between.
        """
        recent = self._recent(conversation_id, limit=REMEMBERED_TURNS)
        reply = self.responder.reply(text, recent.turns)
        for attempt in range(APPEND_ATTEMPTS):
            turn = self._next_turn(recent.conversation, text, reply)
            try:
                self.store.append(recent.conversation, turn)
            except ConflictError:
                self.pause(attempt)
                recent = self._recent(conversation_id, limit=0)
            else:
                return turn
        raise ProblemError(Problem.CONFLICT, headers={"Retry-After": RETRY_AFTER_SECONDS})

    def transcript(self, conversation_id: str) -> Transcript:
        """Return every turn; raises ProblemError when there is no such conversation."""
        turns = self.store.turns(conversation_id, now=self.now())
        if turns is None:
            raise ProblemError(Problem.CONVERSATION_NOT_FOUND)
        return Transcript(turns, next_cursor=None)

    def _recent(self, conversation_id: str, *, limit: int) -> Recent:
        recent = self.store.recent(conversation_id, limit=limit, now=self.now())
        if recent is None:
            raise ProblemError(Problem.CONVERSATION_NOT_FOUND)
        return recent

    def _next_turn(self, conversation: Conversation, text: str, reply: Reply) -> Turn:
        if conversation.turns >= TURNS:
            raise ProblemError(Problem.CONVERSATION_FULL)
        return Turn(
            conversation_id=conversation.id,
            number=conversation.turns + 1,
            text=text,
            reply=reply.text,
            source=reply.source,
            answered=reply.answered,
            suggestions=reply.suggestions,
            responder=reply.responder,
            fallback=reply.fallback,
            created_at=self.now(),
        )
