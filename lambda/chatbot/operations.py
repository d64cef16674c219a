"""What every operation of the contract does: a request in, a response out; it translates and does not think."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from chatbot.access import Access
from chatbot.contract import PAGE_TURNS, TURNS, Export, Feedback, FeedbackRequest, Health, MessageRequest, Transcript
from chatbot.messages import Event, read_body
from chatbot.page import Page
from chatbot.parameters import bearer_token
from chatbot.responses import Response, json_response
from chatbot.routes import HTML, JSON, MARKDOWN
from chatbot.telemetry import facts_of

if TYPE_CHECKING:
    from chatbot.conversation import Conversations
    from chatbot.looks import Looks

UTF_8 = "; charset=utf-8"


class Request(NamedTuple):
    """A proxy event with the values of its operation's parameters."""

    event: Event
    values: Mapping[str, Any]

    @property
    def access(self) -> Access:
        return Access(self.values["conversation_id"], bearer_token(self.event))


class Operations:
    """The operations of one bot, by their names in the contract."""

    def __init__(
        self, *, conversations: Conversations, looks: Looks, environment: str, release: str, backup_days: int
    ) -> None:
        self._conversations = conversations
        self._health = Health(status="ok", environment=environment, release=release)
        self._page = Page(looks, environment=environment, backup_days=backup_days)
        self._bot_name = looks.bot_name
        self._backup_days = backup_days

    def __getitem__(self, operation: str) -> Callable[[Request], Response]:
        found: Callable[[Request], Response] = {
            "startConversation": self._start,
            "sendMessage": self._send,
            "listMessages": self._list,
            "rateMessage": self._rate,
            "exportConversation": self._export,
            "deleteConversation": self._delete,
            "readOpenapi": self._read_openapi,
            "readDocs": self._read_docs,
            "readHealth": self._read_health,
            "openPage": self._open_page,
        }[operation]
        return found

    def _start(self, _request: Request) -> Response:
        started = self._conversations.start()
        # Relative to the request's own URL, whose stage or base path only the gateway knows (RFC 9110, 10.2.2).
        location = f"conversations/{started.conversation_id}/messages"
        return json_response(started, status=201, headers={"Location": location})

    def _send(self, request: Request) -> Response:
        message = read_body(request.event, MessageRequest)
        sent = self._conversations.send(request.access, message.text, request.values["idempotency_key"])
        return json_response(
            sent.turn,
            headers={"Idempotency-Replayed": "true"} if sent.is_replay else {},
            facts=facts_of(sent),
            content={"text": sent.turn.text, "reply": sent.turn.reply},
        )

    def _list(self, request: Request) -> Response:
        limit = request.values["limit"] or PAGE_TURNS
        page = self._conversations.page(request.access, limit=limit, cursor=request.values["cursor"])
        return json_response(Transcript(page.turns, page.next_cursor))

    def _rate(self, request: Request) -> Response:
        asked = read_body(request.event, FeedbackRequest)
        feedback = Feedback(asked.rating, asked.comment or None)
        kept = self._conversations.rate(request.access, request.values["number"], feedback)
        return json_response(kept, facts={"rating": kept.rating})

    def _export(self, request: Request) -> Response:
        page = self._conversations.page(request.access, limit=TURNS, cursor=request.values["cursor"])
        export = Export(
            conversation_id=page.conversation.id,
            created_at=page.conversation.created_at,
            expires_at=page.conversation.expires_at,
            messages=page.turns,
            next_cursor=page.next_cursor,
        )
        wanted = request.values["format"] or "json"
        name = f"conversation-{export.created_at:%Y-%m-%d}.{'json' if wanted == 'json' else 'md'}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        if export.next_cursor:
            headers["Link"] = f'<export?format={wanted}&cursor={export.next_cursor}>; rel="next"'
        if wanted == "json":
            return json_response(export, headers=headers)
        from chatbot.transcript import as_markdown

        return Response(
            status=200,
            body=as_markdown(export, bot_name=self._bot_name),
            content_type=MARKDOWN + UTF_8,
            headers=headers,
        )

    def _delete(self, request: Request) -> Response:
        self._conversations.delete(request.access)
        return Response(status=204)

    def _read_openapi(self, _request: Request) -> Response:
        return Response(status=200, body=self._reference.json, content_type=JSON)

    def _read_docs(self, _request: Request) -> Response:
        found = self._reference
        return Response(status=200, body=found.html, content_type=HTML + UTF_8, headers=found.headers)

    def _read_health(self, _request: Request) -> Response:
        return json_response(self._health)

    def _open_page(self, _request: Request) -> Response:
        return Response(status=200, body=self._page.html, content_type=HTML + UTF_8, headers=self._page.headers)

    @cached_property
    def _reference(self) -> Any:
        # Few read it, and it takes longer to write than to answer a question.
        from chatbot.reference import Reference

        return Reference(bot_name=self._bot_name, backup_days=self._backup_days)
