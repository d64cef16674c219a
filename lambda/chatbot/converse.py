"""Asks a model on Amazon Bedrock, within a time that is bounded whatever happens.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from chatbot.deadline import within

if TYPE_CHECKING:
    from chatbot.prompt import Prompt
    from chatbot.settings import ModelSettings

# One retry, after throttling, a server's fault, a broken connection or a time-out, as the SDK's standard mode has it:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
TRIES = 2
CONNECT_SECONDS = 1
READ_SECONDS = 14
# API Gateway gives up after 29 seconds, and the store needs some of them.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
DEADLINE_SECONDS = 22
CLIENT_CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": TRIES},
    tcp_keepalive=True,
)

BYTES_A_TOKEN = 4
LONGEST_REASON = 40


@dataclass(frozen=True)
class Answer:
    """What a model said, why it stopped, and what that cost."""

    text: str
    stop_reason: str
    tokens: int


class NoAnswerError(Exception):
    """The model gave no answer that can be shown; says why in a word, and what it cost."""

    def __init__(self, reason: object, *, tokens: int) -> None:
        super().__init__(reason)
        self.reason = str(reason)[:LONGEST_REASON]
        self.tokens = tokens


class Model:
    """One model, with its guardrail and its limits."""

    def __init__(self, client: Any, settings: ModelSettings, *, deadline: float = DEADLINE_SECONDS) -> None:
        self._client = client
        self._settings = settings
        self._deadline = deadline

    @property
    def most_tokens(self) -> int:
        """What one answer costs at most, its tries together."""
        return TRIES * (self._settings.context_tokens + self._settings.reply_tokens)

    def ask(self, prompt: Prompt) -> Answer:
        """Return what the model says; raises NoAnswerError when it says nothing, late, or not in Bedrock's form."""
        request = self._request(prompt)
        try:
            response = within(self._deadline, lambda: self._client.converse(**request))
        except ClientError as error:
            # A refused request was not read.
            raise NoAnswerError(error.response["Error"].get("Code"), tokens=0) from error
        except Exception as error:  # where an answer breaks off, the SDK lets through whatever its parts raise
            raise NoAnswerError(type(error).__name__, tokens=self._lost(prompt)) from error
        tokens = self._spent(response)
        try:
            return Answer(_said(response), str(response["stopReason"]), tokens)
        except (KeyError, TypeError, AttributeError) as error:
            raise NoAnswerError("malformed", tokens=tokens) from error

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        settings = self._settings
        guardrail = {"guardrailIdentifier": settings.guardrail_id, "guardrailVersion": settings.guardrail_version}
        return {
            "modelId": settings.model_id,
            "system": prompt.system,
            "messages": prompt.messages,
            "inferenceConfig": {"maxTokens": settings.reply_tokens},
        } | ({"guardrailConfig": guardrail} if settings.guardrail_id else {})

    def _spent(self, response: Any) -> int:
        """Return the tokens that Bedrock counted; where it did not, all that the answer may have cost."""
        try:
            return min(max(0, int(response["usage"]["totalTokens"])), self.most_tokens)
        except (KeyError, TypeError, ValueError, OverflowError):
            return self.most_tokens

    def _lost(self, prompt: Prompt) -> int:
        """Estimate the cost of tries without an answer: Bedrock may have read the prompt each time."""
        return min(TRIES * math.ceil(prompt.size / BYTES_A_TOKEN), self.most_tokens)


def _said(response: Any) -> str:
    """Return the assistant's text in a response; raises what a malformed one makes it raise."""
    message = response["output"]["message"]
    if message["role"] != "assistant":
        raise KeyError(message["role"])
    return "".join(_texts(message["content"]))


def _texts(blocks: Any) -> Iterator[str]:
    """Yield the text among blocks of content: neither a model's reasoning, nor calls of tools that it has not got."""
    for block in blocks:
        if "text" in block:
            yield block["text"]
