"""The function as Lambda loads it: from a folder with the index inside, put together from environment variables."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatbot.learn.__main__ import main
from tests.unit.chatbot import emulated, sample
from tests.unit.chatbot.fake_bedrock import FakeBedrock

ROOT = Path(__file__).parents[3]
NOT_SHIPPED = ("learn", "examine", "serve", "loopback.py", "memory.py")
VARIABLES = {
    "TABLE_NAME": "packaged-conversations",
    "ENVIRONMENT": "prod",
    "BOT_NAME": "Parley",
    "GREETING": "Hello!",
    "ACCENT": "#2f5fdd",
    "ACCENT_DARK": "#7a98e9",
    "RETENTION_DAYS": "30",
    "RESPONDER": "knowledge",
    "MESSAGES_PER_MINUTE": "60",
    "BACKUP_DAYS": "35",
    "POWERTOOLS_METRICS_NAMESPACE": "parley",
    "POWERTOOLS_SERVICE_NAME": "chatbot",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}

CONVERSATION = """
import json, sys
from chatbot.handler import lambda_handler
def ask(method, path, body=None, token=None):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return lambda_handler({"httpMethod": method, "path": path, "headers": headers,
        "body": body and json.dumps(body), "requestContext": {"requestId": "r"}}, None)
started = json.loads(ask("POST", "/v1/conversations")["body"])
path, token = f"/v1/conversations/{started['conversation_id']}/messages", started["token"]
for text in ("What does it cost?", "How do I roll back?"):
    ask("POST", path, {"text": text}, token)
others = [ask("GET", each)["statusCode"] for each in ("/", "/docs", "/v1/openapi.json")]
print("RESULT", json.dumps([ask("GET", path, token=token), ask("GET", "/health"), others]))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the zip holds of the bot."""
    folder = tmp_path_factory.mktemp("package")
    ignored = shutil.ignore_patterns(*NOT_SHIPPED, "__pycache__")
    shutil.copytree(ROOT / "lambda" / "chatbot", folder / "chatbot", ignore=ignored)
    assert main([str(sample.KNOWLEDGE), str(folder / "chatbot" / "knowledge.index")]) == 0
    (folder / "chatbot" / "release.txt").write_text("abc")
    return folder


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Where AWS is emulated, with the table that the infrastructure makes."""
    with emulated.server() as found:
        emulated.create_table(emulated.client(found), "packaged-conversations")
        yield found


def run(package: Path, program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=package,
        env=kept | {"PYTHONPATH": str(package)} | variables,
    )


def converse(package: Path, **variables: str) -> list[dict[str, Any]]:
    """Hold the conversation; return the answers to what was asked at its end."""
    result = run(package, CONVERSATION, **VARIABLES | variables)
    assert result.returncode == 0, result.stderr
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("RESULT "))
    answers: list[dict[str, Any]] = json.loads(line.removeprefix("RESULT "))
    return answers


def test_the_package_answers_and_remembers(package: Path, endpoint: str) -> None:
    """The shipped files alone, with the table that the infrastructure makes, hold a conversation."""
    transcript, health, others = converse(package, AWS_ENDPOINT_URL=endpoint)
    turns = json.loads(transcript["body"])["messages"]
    assert [turn["source"]["title"] for turn in turns] == ["What does it cost?", "How do I roll back?"]
    assert json.loads(health["body"]) == {"status": "ok", "environment": "prod", "release": "abc"}
    assert others == [200, 200, 200]


def test_a_start_loads_nothing_heavy(package: Path) -> None:
    """A cold start pays for none of the libraries that the bot can do without."""
    program = "import sys, chatbot.handler; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    result = run(package, program, **VARIABLES)
    assert result.returncode == 0, result.stderr
    assert not {"boto3", "numpy", "pydantic", "requests", "s3transfer", "sklearn", "watchfiles", "yaml"} & set(
        result.stdout.split()
    )


MODEL = {
    "RESPONDER": "bedrock",
    "MODEL_ID": "eu.amazon.nova-lite-v1:0",
    "CONTEXT_TOKENS": "8000",
    "REPLY_TOKENS": "600",
    "DAILY_TOKENS": "1000000",
}


def test_a_function_with_a_model_asks_it(package: Path, endpoint: str) -> None:
    """The shipped files alone hold the responder, and it answers."""
    with FakeBedrock() as bedrock:
        endpoints = {"AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url}
        transcript, *_ = converse(package, **MODEL, **endpoints)
    turns = json.loads(transcript["body"])["messages"]

    assert [(turn["reply"], turn["responder"], turn["fallback"]) for turn in turns] == [
        ("An answer.", "bedrock", False)
    ] * 2
    assert [len(call.texts) for call in bedrock.calls] == [1, 3]


def test_a_function_whose_model_nobody_emulates_answers_from_its_knowledge(package: Path, endpoint: str) -> None:
    """And says so: moto has no Converse, and answers that it failed."""
    transcript, *_ = converse(package, **MODEL, AWS_ENDPOINT_URL=endpoint)
    turns = json.loads(transcript["body"])["messages"]

    assert [(turn["source"]["title"], turn["responder"], turn["fallback"]) for turn in turns] == [
        ("What does it cost?", "knowledge", True),
        ("How do I roll back?", "knowledge", True),
    ]


def test_a_function_without_a_model_does_not_load_what_talks_to_one(package: Path) -> None:
    """One with a model does so when it starts, and not with somebody's question."""
    program = "import sys, chatbot.handler; print(*sorted({'chatbot.bedrock', 'markdown_it'} & set(sys.modules)))"

    assert run(package, program, **VARIABLES).stdout.split() == []
    assert run(package, program, **VARIABLES | MODEL).stdout.split() == ["chatbot.bedrock", "markdown_it"]


def test_a_missing_variable_stops_the_start(package: Path) -> None:
    """A function without its table says which variable is missing."""
    variables = {name: value for name, value in VARIABLES.items() if name != "TABLE_NAME"}
    result = run(package, "import chatbot.handler", **variables)
    assert result.returncode != 0
    assert "environment variable TABLE_NAME is missing" in result.stderr
