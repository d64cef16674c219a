"""What is kept of a conversation, and what any store of conversations must do."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from datetime import date, datetime

    from chatbot.contract import Feedback, Turn


class ConflictError(Exception):
    """The conversation is not as it was read, or others write at the same time: read again."""


class StoreUnavailableError(Exception):
    """The store cannot be reached or refuses to serve right now."""


class CapReachedError(Exception):
    """The day's tokens are spent, or what is left is less than a reply may need."""


class Holder(NamedTuple):
    """What an idempotency key stands for: the turn it made, or the request that is still at it."""

    body_hash: str
    number: int | None


class KeyTakenError(Exception):
    """The idempotency key already belongs to a turn, or to a request that still runs."""

    def __init__(self, key: Key, holder: Holder, turn: Turn | None = None) -> None:
        super().__init__()
        self.key = key
        self.holder = holder
        self.turn = turn
        """The turn, where it was read already."""


class Conversation(NamedTuple):
    """A conversation as such; all that belongs to it expires with it."""

    id: str
    token_hash: str
    created_at: datetime
    expires_at: datetime
    turns: int = 0
    caught_up_at: int = 0
    """Its pace: see `pacing`."""
    is_leaving: bool = False
    """Whether someone has begun to delete it; then there is no such conversation but for who goes on deleting."""


class Recent(NamedTuple):
    """A conversation with some of its turns, oldest of them first."""

    conversation: Conversation
    turns: tuple[KeptTurn, ...]


class Key(NamedTuple):
    """An idempotency key with the body that it was sent with, both as hashes."""

    hash: str
    body_hash: str

    @classmethod
    def of(cls, key: str, body: str) -> Self:
        return cls(sha256(key.encode()).hexdigest(), sha256(body.encode()).hexdigest())


class KeptTurn(NamedTuple):
    """A turn and the key it was sent with."""

    turn: Turn
    key: Key | None = None


class Reservation(NamedTuple):
    """What a request holds while a model is asked, so that nobody else asks for the same and the cap is kept."""

    owner: str
    """Random, so that whoever was too slow cannot finish what another took over."""
    key: Key | None
    now: datetime
    until: datetime
    """When another request may take the key over, since this one cannot run any more."""
    day: date
    tokens: int
    """What is taken from the day's tokens until the reply says how many it spent."""
    most_before: int
    """The highest number of tokens that the day may have spent already."""


class Draft(NamedTuple):
    """A turn that is to follow the `conversation.turns` turns that there were."""

    conversation: Conversation
    turn: Turn
    key: Key | None
    now: datetime
    caught_up_at: int | None
    """The pace that the turn brings about; None where its reservation did so."""
    reservation: Reservation | None = None
    spent: int = 0
    """The tokens of the reservation that were spent."""


class Store(Protocol):
    """Keeps conversations; what has expired is not there, whether or not it was deleted yet.

    Every method may raise StoreUnavailableError.
    """

    def create(self, conversation: Conversation) -> None:
        """Keep a new conversation."""

    def recent(self, conversation_id: str, *, limit: int, now: datetime) -> Recent | None:
        """Return a conversation with at most its newest `limit` turns, or None if there is none."""

    def one(self, conversation_id: str, *, number: int, now: datetime) -> Recent | None:
        """Return a conversation with the turn of this number, if it has it, or None if there is no conversation."""

    def page(self, conversation_id: str, *, after: int, limit: int) -> tuple[Turn, ...]:
        """Return the turns that follow number `after`, at most `limit`; of a conversation known to be there."""

    def append(self, draft: Draft) -> None:
        """Keep a turn, whole or not at all, with its key and pace, and give back what it did not spend.

        Raises KeyTakenError when the key is another request's, ConflictError when the conversation has changed.
        """

    def reserve(self, conversation: Conversation, reservation: Reservation, *, caught_up_at: int) -> None:
        """Take a key, a message's place in the pace, and tokens; all or nothing.

        Raises KeyTakenError, CapReachedError or ConflictError.
        """

    def release(self, conversation_id: str, reservation: Reservation, *, spent: int) -> None:
        """Let go of a key whose turn was not kept, and of the tokens that were not spent."""

    def holder(self, conversation_id: str, key: Key, *, now: datetime) -> Holder | None:
        """Return what a key stands for by now; None if it is free."""

    def rate(self, turn: Turn, feedback: Feedback) -> bool:
        """Keep what a person thinks of a turn; False if the turn is no longer there."""

    def erase(self, conversation_id: str) -> None:
        """Delete everything of a conversation; nothing can be added meanwhile. What fails halfway can be repeated."""
