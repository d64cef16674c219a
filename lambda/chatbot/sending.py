"""A message becomes a turn: once per idempotency key, in an unbroken order, within the conversation's limits."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from chatbot import pacing
from chatbot.access import Access, admitted
from chatbot.contract import TURNS, Turn
from chatbot.errors import Problem, ProblemError
from chatbot.replays import Replays
from chatbot.reservations import cap_reached, new_reservation
from chatbot.store import CapReachedError, ConflictError, Draft, Holder, Key, KeyTakenError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chatbot.reply import Reply, Responder
    from chatbot.store import Conversation, Recent, Reservation, Store

REMEMBERED_TURNS = 6
ATTEMPTS = 7
RETRY_AFTER_SECONDS = 1


class Sent(NamedTuple):
    """The turn that a message has become, and whether an earlier request made it."""

    turn: Turn
    is_replay: bool = False
    tokens: int = 0
    """What this request spent on it."""


class Message(NamedTuple):
    """What was said, by whom, and under which key."""

    access: Access
    text: str
    key: Key | None


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Takes messages."""

    store: Store
    responder: Responder
    messages_per_minute: int
    daily_tokens: int
    now: Callable[[], datetime]
    pause: Callable[..., None]

    def send(self, access: Access, text: str, key: str | None) -> Sent:
        """Answer a message and keep both as the conversation's next turn, or return the turn that its key has made.

        Raises ProblemError when there is no such conversation, when it is full or too fast, when the day's tokens are
        spent, when the key was sent with another text, or when others are in the way for too long.
        """
        message = Message(access, text, Key.of(key, text) if key else None)
        try:
            recent = self._find(message)
            ask = self._ask_reserved if self.responder.needs_reservation else self._ask
            return ask(message, recent)
        except KeyTakenError as taken:
            replays = Replays(store=self.store, now=self.now, pause=self.pause)
            return Sent(replays.made_by(taken, access), is_replay=True)

    def _ask(self, message: Message, recent: Recent) -> Sent:
        self._next_pace(recent.conversation)  # before the work, not only after it
        return self._keep(message, recent, self._reply(message, recent))

    def _ask_reserved(self, message: Message, recent: Recent) -> Sent:
        """Ask a responder whose replies cost something, while nobody else can ask it for the same."""
        recent, reservation = self._persist(message, recent, lambda recent: self._reserve(message, recent))
        spent = reservation.tokens  # unless the responder says what it was
        try:
            reply = self._reply(message, recent)
            spent = reply.tokens
            return self._keep(message, recent, reply, reservation)
        except StoreUnavailableError:
            raise  # the turn may have been kept; if not, the key falls free when its time is over
        except BaseException:
            self._release(message, reservation, spent=spent)
            raise

    def _reply(self, message: Message, recent: Recent) -> Reply:
        return self.responder.reply(message.text, tuple(kept.turn for kept in recent.turns))

    def _reserve(self, message: Message, recent: Recent) -> tuple[Recent, Reservation]:
        now = self.now()
        reservation = new_reservation(
            message.key, now=now, most_tokens=self.responder.most_tokens, daily_tokens=self.daily_tokens
        )
        try:
            self.store.reserve(recent.conversation, reservation, caught_up_at=self._next_pace(recent.conversation))
        except CapReachedError:
            raise cap_reached(now) from None
        return recent, reservation

    def _release(self, message: Message, reservation: Reservation, *, spent: int) -> None:
        with suppress(ConflictError, StoreUnavailableError):  # then the key's time ends it, and the tokens stay spent
            self.store.release(message.access.conversation_id, reservation, spent=spent)

    def _keep(self, message: Message, recent: Recent, reply: Reply, reservation: Reservation | None = None) -> Sent:
        def append(recent: Recent) -> Turn:
            known = recent.conversation
            draft = Draft(
                conversation=known,
                turn=self._next_turn(known, message.text, reply),
                key=message.key,
                now=self.now(),
                caught_up_at=None if reservation else self._next_pace(known),
                reservation=reservation,
                spent=reply.tokens,
            )
            self.store.append(draft)
            return draft.turn

        return Sent(self._persist(message, recent, append), tokens=reply.tokens)

    def _persist[T](self, message: Message, recent: Recent, attempt: Callable[[Recent], T]) -> T:
        """Attempt until nobody else writes at the same time, reading the conversation anew after each conflict."""
        for number in range(ATTEMPTS):
            if number:
                self.pause(number - 1)
                recent = self._find(message)
            with suppress(ConflictError):
                return attempt(recent)
        raise ProblemError(Problem.CONFLICT, retry_after=RETRY_AFTER_SECONDS)

    def _find(self, message: Message) -> Recent:
        """Return the conversation with its newest turns; raises KeyTakenError if one of them is the message's own."""
        found = self.store.recent(message.access.conversation_id, limit=REMEMBERED_TURNS, now=self.now())
        recent = admitted(message.access, found)
        for kept in recent.turns:
            if message.key and kept.key and kept.key.hash == message.key.hash:
                raise KeyTakenError(message.key, Holder(kept.key.body_hash, kept.turn.number), kept.turn)
        return recent

    def _next_pace(self, conversation: Conversation) -> int:
        _check_room(conversation)
        now = int(self.now().timestamp() * 1000)
        try:
            return pacing.admit(conversation.caught_up_at, now=now, per_minute=self.messages_per_minute)
        except pacing.TooFastError as error:
            raise ProblemError(Problem.RATE_LIMITED, retry_after=error.seconds) from None

    def _next_turn(self, conversation: Conversation, text: str, reply: Reply) -> Turn:
        _check_room(conversation)
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


def _check_room(conversation: Conversation) -> None:
    if conversation.turns >= TURNS:
        raise ProblemError(Problem.CONVERSATION_FULL)
