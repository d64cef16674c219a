"""The API as data: routes, limits and messages; the handler obeys it and the OpenAPI document is written from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from chatbot.errors import Problem

TEXT_LENGTH = 2_000
BODY_BYTES = 32 * 1024
# GET .../messages returns a whole conversation, which must fit into a function's 6 MB response even if every
# character takes four bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
TURNS = 500
CONVERSATION_ID = "[0-9a-f]{32}"


@dataclass(frozen=True)
class Bounds:
    """What a string must satisfy, in OpenAPI's words."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    description: str | None = None


ConversationId = Annotated[str, Bounds(pattern=f"^{CONVERSATION_ID}$", description="Names a conversation; keep it.")]


@dataclass(frozen=True)
class MessageRequest:
    """What a person says."""

    text: Annotated[
        str,
        Bounds(
            min_length=1,
            max_length=TEXT_LENGTH,
            description="Normalised (NFC) and stripped; control characters other than line feed and tab are refused.",
        ),
    ]


@dataclass(frozen=True)
class Source:
    """The section of the knowledge that an answer was taken from."""

    id: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message and its reply."""

    conversation_id: ConversationId
    number: int
    text: str
    reply: Annotated[str, Bounds(description="Markdown.")]
    source: Source | None
    answered: bool
    suggestions: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True)
class Transcript:
    """Every turn of a conversation, in order."""

    messages: tuple[Turn, ...]


@dataclass(frozen=True, kw_only=True)
class StartedConversation:
    """A conversation that has just begun."""

    conversation_id: ConversationId
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


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation of the API; `returns` is None where the answer is a page."""

    operation: str
    method: str
    path: str
    summary: str
    status: int
    returns: type | None
    accepts: type | None = None
    problems: tuple[Problem, ...] = ()


ROUTES = (
    Route(
        operation="startConversation",
        method="POST",
        path="/v1/conversations",
        summary="Start a conversation",
        status=201,
        returns=StartedConversation,
        problems=(Problem.STORE_UNAVAILABLE,),
    ),
    Route(
        operation="sendMessage",
        method="POST",
        path="/v1/conversations/{conversation_id}/messages",
        summary="Send a message and get the reply",
        status=200,
        returns=Turn,
        accepts=MessageRequest,
        problems=(
            Problem.INVALID_JSON,
            Problem.CONVERSATION_NOT_FOUND,
            Problem.CONFLICT,
            Problem.CONVERSATION_FULL,
            Problem.TOO_LARGE,
            Problem.UNSUPPORTED_MEDIA_TYPE,
            Problem.INVALID_REQUEST,
            Problem.STORE_UNAVAILABLE,
        ),
    ),
    Route(
        operation="listMessages",
        method="GET",
        path="/v1/conversations/{conversation_id}/messages",
        summary="Read the whole conversation",
        status=200,
        returns=Transcript,
        problems=(Problem.CONVERSATION_NOT_FOUND, Problem.STORE_UNAVAILABLE),
    ),
    Route(
        operation="readHealth",
        method="GET",
        path="/health",
        summary="Tell whether the bot runs, and which release",
        status=200,
        returns=Health,
    ),
    Route(operation="openPage", method="GET", path="/", summary="Open the chat page", status=200, returns=None),
)
