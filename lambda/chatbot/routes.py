"""Every operation of the API, as data: where it is, what it takes, what it gives and how it can fail."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, get_args

from chatbot.contract import (
    CONVERSATION_ID,
    CURSOR,
    IDEMPOTENCY_KEY,
    LARGEST_PAGE,
    PAGE_TURNS,
    Bounds,
    Export,
    ExportFormat,
    Feedback,
    FeedbackRequest,
    Health,
    MessageRequest,
    Number,
    StartedConversation,
    Transcript,
    Turn,
)
from chatbot.errors import Place, Problem

JSON = "application/json"
HTML = "text/html"
MARKDOWN = "text/markdown"


class Parameter(NamedTuple):
    """A value that an operation takes from its path, its query or a header."""

    name: str
    place: Place
    hint: Any
    description: str
    required: bool = False

    @property
    def is_number(self) -> bool:
        return bool(get_args(self.hint)[:1] == (int,))

    @property
    def identifier(self) -> str:
        """Its name, as Python would write it."""
        return self.name.replace("-", "_").lower()


class Route(NamedTuple):
    """One operation of the API; `returns` is None where the answer is no message of the contract."""

    operation: str
    method: str
    path: str
    summary: str
    status: int
    description: str | None = None
    parameters: tuple[Parameter, ...] = ()
    accepts: type | None = None
    returns: type | None = None
    media_types: tuple[str, ...] = (JSON,)
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of the answer that tell something, each with what it tells."""
    needs_token: bool = False
    problems: tuple[Problem, ...] = ()


_ID = Parameter(
    name="conversation_id",
    place="path",
    hint=Annotated[str, Bounds(pattern=f"^{CONVERSATION_ID}$")],
    description="Names the conversation.",
    required=True,
)
_NUMBER = Parameter(name="number", place="path", hint=Number, description="Names the turn.", required=True)
_KEY = Parameter(
    name="Idempotency-Key",
    place="header",
    hint=Annotated[str, Bounds(pattern=f"^{IDEMPOTENCY_KEY}$")],
    description=(
        "Sent again with the same body, it gives the turn that the first request made, and no other. "
        "A key lives as long as its conversation."
    ),
)
_LIMIT = Parameter(
    name="limit",
    place="query",
    hint=Annotated[int, Bounds(minimum=1, maximum=LARGEST_PAGE)],
    description=f"How many turns at most; {PAGE_TURNS} unless said otherwise. A page of long turns may hold fewer.",
)
_CURSOR = Parameter(
    name="cursor",
    place="query",
    hint=Annotated[str, Bounds(pattern=f"^{CURSOR}$")],
    description="The `next_cursor` of the page before; none for the first page.",
)
_FORMAT = Parameter(name="format", place="query", hint=ExportFormat, description="`json` unless said otherwise.")

_CONVERSATION = "/v1/conversations/{conversation_id}"
_BODY = (
    Problem.INVALID_JSON,
    Problem.INVALID_REQUEST,
    Problem.TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
)
_ACCESS = (Problem.CONVERSATION_NOT_FOUND, Problem.STORE_UNAVAILABLE)

ROUTES = (
    Route(
        operation="startConversation",
        method="POST",
        path="/v1/conversations",
        summary="Start a conversation",
        description="The token in the answer opens the conversation, and is shown this once.",
        status=201,
        returns=StartedConversation,
        headers=(("Location", "Where its messages are."),),
        problems=(Problem.STORE_UNAVAILABLE,),
    ),
    Route(
        operation="sendMessage",
        method="POST",
        path=f"{_CONVERSATION}/messages",
        summary="Send a message and get the reply",
        status=200,
        parameters=(_ID, _KEY),
        accepts=MessageRequest,
        returns=Turn,
        headers=(("Idempotency-Replayed", "`true` where an earlier request with this key made the turn."),),
        needs_token=True,
        problems=(
            *_BODY,
            *_ACCESS,
            Problem.CONFLICT,
            Problem.CONVERSATION_FULL,
            Problem.IDEMPOTENCY_KEY_REUSED,
            Problem.RATE_LIMITED,
            Problem.TOKEN_CAP_REACHED,
        ),
    ),
    Route(
        operation="listMessages",
        method="GET",
        path=f"{_CONVERSATION}/messages",
        summary="Read a page of the conversation",
        status=200,
        parameters=(_ID, _LIMIT, _CURSOR),
        returns=Transcript,
        needs_token=True,
        problems=(Problem.INVALID_REQUEST, *_ACCESS),
    ),
    Route(
        operation="rateMessage",
        method="PUT",
        path=f"{_CONVERSATION}/messages/{{number}}/feedback",
        summary="Say whether a reply was any good",
        status=200,
        parameters=(_ID, _NUMBER),
        accepts=FeedbackRequest,
        returns=Feedback,
        needs_token=True,
        problems=(*_BODY, *_ACCESS, Problem.MESSAGE_NOT_FOUND),
    ),
    Route(
        operation="exportConversation",
        method="GET",
        path=f"{_CONVERSATION}/export",
        summary="Take the whole conversation along",
        description="A conversation that fits no single answer comes in pages; the Link header leads to the next.",
        status=200,
        parameters=(_ID, _FORMAT, _CURSOR),
        returns=Export,
        media_types=(JSON, MARKDOWN),
        headers=(
            ("Content-Disposition", "The name of a file to keep it in."),
            ("Link", 'Where the next page is, with `rel="next"`; absent on the last one.'),
        ),
        needs_token=True,
        problems=(Problem.INVALID_REQUEST, *_ACCESS),
    ),
    Route(
        operation="deleteConversation",
        method="DELETE",
        path=_CONVERSATION,
        summary="Delete the conversation and all that is in it",
        status=204,
        parameters=(_ID,),
        media_types=(),
        needs_token=True,
        problems=_ACCESS,
    ),
    Route(
        operation="readOpenapi",
        method="GET",
        path="/v1/openapi.json",
        summary="Read this document",
        status=200,
    ),
    Route(
        operation="readDocs",
        method="GET",
        path="/docs",
        summary="Read this document as a page",
        status=200,
        media_types=(HTML,),
    ),
    Route(
        operation="readHealth",
        method="GET",
        path="/health",
        summary="Tell whether the bot runs, and which release",
        status=200,
        returns=Health,
    ),
    Route(operation="openPage", method="GET", path="/", summary="Open the chat page", status=200, media_types=(HTML,)),
)
