"""The bot in this process: the events that API Gateway sends it, and what people ask it."""

import importlib.util
import json
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from benchmarks.project import ROOT, BenchmarkError, know_the_function

ACCURACY = ROOT / "tests" / "unit" / "chatbot" / "test_chatbot_accuracy.py"

Answer = Callable[[dict[str, Any]], Mapping[str, Any]]


def start(answer: Answer) -> str:
    """Start a conversation and return the path of its messages."""
    started = json.loads(_accepted(answer(_event("/v1/conversations", None)), 201))
    return f"/v1/conversations/{started['conversation_id']}/messages"


def say(answer: Answer, path: str, text: str) -> None:
    """Send one message to a conversation."""
    _accepted(answer(_event(path, json.dumps({"text": text}))), 200)


def _event(path: str, body: str | None) -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "path": path,
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"requestId": "benchmark"},
        "body": body,
        "isBase64Encoded": False,
    }


def _accepted(response: Mapping[str, Any], status: int) -> str:
    if response["statusCode"] != status:
        raise BenchmarkError(f"the bot answered {response['statusCode']}: {response['body']}")
    return str(response["body"])


def accuracy_tests() -> ModuleType:
    """Return the module of the accuracy tests, which holds what people ask and how an answer is judged."""
    know_the_function()
    spec = importlib.util.spec_from_file_location("accuracy_tests", ACCURACY)
    if spec is None or spec.loader is None or not ACCURACY.is_file():
        raise BenchmarkError(f"{ACCURACY.relative_to(ROOT)} is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def questions() -> tuple[str, ...]:
    """Return everything that the accuracy tests ask."""
    tests = accuracy_tests()
    return (*(question for _, question in tests.ANSWERABLE), *tests.OUT_OF_SCOPE)
