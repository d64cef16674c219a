"""The bot as tests meet it: put together with a store in memory, asked through proxy events, its clock in hand."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from chatbot.api import Api
from chatbot.conversation import Conversations
from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.memory import MemoryStore
from chatbot.responders import KnowledgeResponder
from chatbot.store import Store

KNOWLEDGE = Path(__file__).parents[3] / "knowledge"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Bot:
    """A whole bot with everything in reach."""

    knowledge: Knowledge
    store: Store = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    log: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        self.conversations = Conversations(
            store=self.store,
            responder=KnowledgeResponder(self.knowledge),
            bot_name="Parley",
            retention=timedelta(days=30),
            now=self.clock,
            pause=lambda attempt: None,
        )
        self.api = Api(
            conversations=self.conversations,
            bot_name="Parley",
            environment="dev",
            release="abc",
            logger=Logger(service=f"test-{uuid.uuid4()}", stream=self.log),
        )

    def request(self, method: str, path: str, body: object = None, **changes: Any) -> Answer:
        """Ask by a proxy event as API Gateway sends it; `changes` replace parts of the event."""
        event = {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": "application/json"},
            "multiValueHeaders": {"Content-Type": ["application/json"]},
            "requestContext": {"requestId": "request-1", "stage": "dev", "path": f"/dev{path}"},
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        return self.ask(event | changes)

    def ask(self, event: Any, context: object = None) -> Answer:
        response = self.api(event, context)
        return Answer(response["statusCode"], response["headers"], response["body"])

    def start(self) -> str:
        """Start a conversation and return the path of its messages."""
        conversation_id = self.request("POST", "/v1/conversations").json["conversation_id"]
        return f"/v1/conversations/{conversation_id}/messages"


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The knowledge that ships."""
    return Knowledge(learn(KNOWLEDGE))


@pytest.fixture
def make_bot(knowledge: Knowledge) -> Callable[..., Bot]:
    return lambda **parts: Bot(knowledge, **parts)


@pytest.fixture
def bot(make_bot: Callable[..., Bot]) -> Bot:
    return make_bot()
