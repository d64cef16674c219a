"""What is kept of a conversation, and what any store of conversations must do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from chatbot.contract import Turn


class ConflictError(Exception):
    """Another turn took the number first, or the conversation went away: read again."""


class StoreUnavailableError(Exception):
    """The store cannot be reached or refuses to serve right now."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A conversation as such; all that belongs to it expires with it."""

    id: str
    created_at: datetime
    expires_at: datetime
    turns: int = 0


@dataclass(frozen=True)
class Recent:
    """A conversation with its newest turns, oldest of them first."""

    conversation: Conversation
    turns: tuple[Turn, ...]


class Store(Protocol):
    """Keeps conversations; what has expired is not there, whether or not it was deleted yet.

    Every method may raise StoreUnavailableError.
    """

    def create(self, conversation: Conversation) -> None:
        """Keep a new conversation."""

    def recent(self, conversation_id: str, *, limit: int, now: datetime) -> Recent | None:
        """Return a conversation with its newest `limit` turns, or None if there is none."""

    def append(self, conversation: Conversation, turn: Turn) -> None:
        """Add the turn that follows the `conversation.turns` turns there were, whole or not at all.

        Raises ConflictError when there is another number of turns by now.
        """

    def turns(self, conversation_id: str, *, now: datetime) -> tuple[Turn, ...] | None:
        """Return all turns of a conversation in order, or None if there is none."""
