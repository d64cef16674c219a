"""What a responder is: it takes a question and the turns before it, and gives a reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from chatbot.contract import ResponderName, Source, Turn


class Reply(NamedTuple):
    """What a responder says, where it has it from, and what a person may want to ask next."""

    text: str
    answered: bool
    source: Source | None = None
    suggestions: tuple[str, ...] = ()
    responder: ResponderName = "knowledge"
    fallback: bool = False
    """Whether the responder that was asked failed, and `responder` answered in its place."""
    tokens: int = 0
    """The model's tokens that were spent, in and out, whether or not the reply is the model's."""


class Responder(Protocol):
    """Answers questions."""

    @property
    def starters(self) -> tuple[str, ...]:
        """Questions to begin with."""

    @property
    def needs_reservation(self) -> bool:
        """Whether a reply costs something, so that its key and its tokens are reserved before it is asked for."""

    @property
    def most_tokens(self) -> int:
        """What one reply spends at most, in and out, retries included; 0 without a model."""

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        """Answer a question, given the newest turns before it, oldest first."""
