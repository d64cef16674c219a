"""Reads conversations in pages, each of which fits a function's response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from chatbot.access import Access, admitted
from chatbot.contract import LARGEST_PAGE, Turn
from chatbot.cursors import CursorError, cursor_after, number_before
from chatbot.errors import FieldError, Problem, ProblemError
from chatbot.wire import size_in_response, to_json

if TYPE_CHECKING:
    from datetime import datetime

    from chatbot.store import Conversation, Recent, Store

# A function's response holds 6 MB; Markdown is shorter than JSON.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_ANSWER = 5 * 1024 * 1024
SHORT_CONVERSATION = 20
"""How many turns are read together with the conversation itself; a longer one takes another call."""


class Page(NamedTuple):
    """Turns in a row, oldest first, and where the next page begins."""

    conversation: Conversation
    turns: tuple[Turn, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Reading:
    """Reads what is in the store."""

    store: Store
    now: Callable[[], datetime]

    def page(self, access: Access, *, limit: int, cursor: str | None) -> Page:
        """Return the turns after a cursor, or the first ones: at most `limit`, and fewer where they are long.

        Raises ProblemError when there is no such conversation, or the cursor is not one of its own.
        """
        newest = 0 if cursor else min(limit, SHORT_CONVERSATION)
        recent = admitted(access, self.store.recent(access.conversation_id, limit=newest, now=self.now()))
        conversation = recent.conversation
        after = _position(cursor, conversation)
        turns = tuple(_fitting(self._turns(recent, after=after, limit=limit)))
        last = turns[-1].number if turns else after
        return Page(conversation, turns, cursor_after(last, conversation) if last < conversation.turns else None)

    def _turns(self, recent: Recent, *, after: int, limit: int) -> Iterator[Turn]:
        conversation = recent.conversation
        last = min(after + limit, conversation.turns)
        if len(recent.turns) == last - after == conversation.turns:  # all of it was read together with its token
            yield from (kept.turn for kept in recent.turns)
            return
        for start in range(after, last, LARGEST_PAGE):
            yield from self.store.page(conversation.id, after=start, limit=min(LARGEST_PAGE, last - start))


def _fitting(turns: Iterator[Turn]) -> Iterator[Turn]:
    """Yield turns as long as an answer can hold them, but one at least."""
    size = 0
    for turn in turns:
        own = size_in_response(to_json(turn))
        if size and size + own > LARGEST_ANSWER:
            return
        size += own
        yield turn


def _position(cursor: str | None, conversation: Conversation) -> int:
    if cursor is None:
        return 0
    try:
        return number_before(cursor, conversation)
    except CursorError:
        error = FieldError(place="query", pointer="/cursor", detail="is no cursor of this conversation")
        raise ProblemError(Problem.INVALID_REQUEST, errors=(error,)) from None
