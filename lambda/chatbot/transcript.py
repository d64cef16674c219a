"""A conversation as a Markdown document, in which nothing that was said can pass for something else.

https://spec.commonmark.org/0.31.2/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatbot.contract import Export, Turn

LINE_ENDING = re.compile(r"\r\n|\r|\n")
SHORTEST_FENCE = 3


def as_markdown(export: Export, *, bot_name: str) -> str:
    """Return the document: a section for every turn, with the person's text as it was written."""
    parts = [
        f"# Conversation with {bot_name}",
        f"Started {export.created_at:%Y-%m-%d %H:%M} UTC, kept until {export.expires_at:%Y-%m-%d %H:%M} UTC.",
    ]
    for turn in export.messages:
        parts.extend(_section(turn, bot_name))
    if export.next_cursor:
        parts.append("*The conversation goes on in the next part.*")
    return "\n\n".join(parts) + "\n"


def _section(turn: Turn, bot_name: str) -> Iterator[str]:
    yield f"## {turn.number}. {turn.created_at:%Y-%m-%d %H:%M} UTC"
    yield "You:"
    yield _fenced(turn.text)
    yield f"{bot_name}:" if turn.source is None else f"{bot_name}, from “{turn.source.title}”:"
    yield _quoted(turn.reply if turn.responder == "knowledge" else _without_html(turn.reply))
    if turn.feedback:
        yield f"Rated: {turn.feedback.rating}"
        if turn.feedback.comment:
            yield _fenced(turn.feedback.comment)


def _fenced(text: str) -> str:
    """Return text in a code fence longer than any within it, so that it ends where it should."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(SHORTEST_FENCE, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _quoted(text: str) -> str:
    """Return Markdown as a quotation, whose every line is one's own, so that nothing in it ends it."""
    return "\n".join(f"> {line}".rstrip() for line in LINE_ENDING.split(text))


def _without_html(text: str) -> str:
    """Return what a model wrote, whose tags are shown and not obeyed."""
    return text.replace("<", "&lt;")
