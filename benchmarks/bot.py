"""The bot in this process: the events that API Gateway sends it, and what people ask it."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.project import ROOT, BenchmarkError, know_the_function

CONVERSATIONS = ROOT / "tests" / "conversations"

Answer = Callable[[dict[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Chat:
    """A conversation: where its messages are, and what opens it."""

    path: str
    token: str


def start(answer: Answer) -> Chat:
    """Start a conversation."""
    started = json.loads(_accepted(answer(_event("/v1/conversations", None)), 201))
    return Chat(f"/v1/conversations/{started['conversation_id']}/messages", started["token"])


def say(answer: Answer, chat: Chat, text: str) -> None:
    """Send one message to a conversation, with a key as the page sends one."""
    headers = {"Authorization": f"Bearer {chat.token}", "Idempotency-Key": str(uuid.uuid4())}
    _accepted(answer(_event(chat.path, json.dumps({"text": text}), headers)), 200)


def _event(path: str, body: str | None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "path": path,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "requestContext": {"requestId": "benchmark"},
        "body": body,
        "isBase64Encoded": False,
    }


def _accepted(response: Mapping[str, Any], status: int) -> str:
    if response["statusCode"] != status:
        raise BenchmarkError(f"the bot answered {response['statusCode']}: {response['body']}")
    return str(response["body"])


def questions() -> tuple[str, ...]:
    """Return everything that the conversation tests ask."""
    know_the_function()
    from chatbot.examine.dialogues import read_dialogues

    return tuple(step.ask for dialogue in read_dialogues(CONVERSATIONS) for step in dialogue.steps)
