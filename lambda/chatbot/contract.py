"""The API as data: its limits and the messages that go in and out; `routes` says what can be asked.

The handler obeys it and the OpenAPI document is written from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

TEXT_LENGTH = 8_000
COMMENT_LENGTH = 1_000
# Characters take up to four bytes, or twelve as JSON's escapes; the rest is the JSON around them.
BODY_BYTES = 128 * 1024
TURNS = 1_000
"""How many turns a conversation holds; each costs the same to write, so this bounds what one person can keep."""
PAGE_TURNS = 50
"""How many turns one page of history holds, unless the caller wants another number."""
LARGEST_PAGE = 100
CONVERSATION_ID = "[0-9a-f]{32}"
IDEMPOTENCY_KEY = "[!-~]{1,64}"
CURSOR = "[A-Za-z0-9_-]{16}"
# C0 and C1 control characters but tab and line breaks, as JSON Schema's dialect of regular expressions has them.
CONTROLS = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"

ResponderName = Literal["knowledge", "bedrock"]
Rating = Literal["up", "down"]
ExportFormat = Literal["json", "markdown"]


class Bounds(NamedTuple):
    """What a value must satisfy, in OpenAPI's words."""

    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    description: str | None = None


ConversationId = Annotated[str, Bounds(pattern=f"^{CONVERSATION_ID}$", description="Names a conversation.")]
Number = Annotated[int, Bounds(minimum=1, maximum=TURNS, description="Counts a conversation's turns from 1.")]


@dataclass(frozen=True)
class MessageRequest:
    """What a person says."""

    text: Annotated[
        str,
        Bounds(
            min_length=1,
            max_length=TEXT_LENGTH,
            pattern=rf"^\s*[^\s{CONTROLS}][^{CONTROLS}]*$",
            description="Normalised (NFC) and stripped; control characters but tabs and line breaks are refused.",
        ),
    ]


@dataclass(frozen=True)
class FeedbackRequest:
    """What a person thinks of a reply."""

    rating: Rating
    comment: Annotated[str | None, Bounds(max_length=COMMENT_LENGTH, pattern=rf"^[^{CONTROLS}]*$")] = None


@dataclass(frozen=True)
class Source:
    """The section of the knowledge that an answer was taken from."""

    id: str
    title: str


@dataclass(frozen=True)
class Feedback:
    """What a person thought of a reply."""

    rating: Rating
    comment: str | None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message and its reply."""

    conversation_id: ConversationId
    number: Number
    text: str
    reply: Annotated[str, Bounds(description="Markdown.")]
    source: Source | None
    answered: Annotated[bool, Bounds(description="False where the bot said that it does not know.")]
    suggestions: tuple[str, ...]
    responder: ResponderName = "knowledge"
    fallback: Annotated[bool, Bounds(description="True where the model failed and the knowledge answered.")] = False
    feedback: Feedback | None = None
    created_at: datetime


@dataclass(frozen=True)
class Transcript:
    """A page of a conversation, its oldest turn first."""

    messages: tuple[Turn, ...]
    next_cursor: Annotated[str | None, Bounds(description="Leads to the next page; null on the last one.")]


@dataclass(frozen=True, kw_only=True)
class Export:
    """A conversation to take along, or as much of it as fits one answer, its oldest turn first."""

    conversation_id: ConversationId
    created_at: datetime
    expires_at: datetime
    messages: tuple[Turn, ...]
    next_cursor: Annotated[str | None, Bounds(description="Leads to the rest; null when this is all.")]


@dataclass(frozen=True, kw_only=True)
class StartedConversation:
    """A conversation that has just begun."""

    conversation_id: ConversationId
    token: Annotated[str, Bounds(description="Opens this conversation, and is shown this once.")]
    created_at: datetime
    expires_at: datetime
    greeting: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Health:
    """That the bot runs, where, and which release of it."""

    status: str
    environment: str
    release: Annotated[str, Bounds(description="Names what is deployed: a digest of all the package holds.")]
