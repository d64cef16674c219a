"""The bot as tests meet it: put together with a store in memory, asked through proxy events, its clock in hand."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics

from chatbot.access import Access
from chatbot.api import Api
from chatbot.conversation import Conversations
from chatbot.cors import Cors
from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.looks import Looks
from chatbot.memory import MemoryStore
from chatbot.operations import Operations
from chatbot.reply import Responder
from chatbot.responders import KnowledgeResponder
from chatbot.store import Store
from chatbot.telemetry import Telemetry
from tests.unit.chatbot.logs import logger_into
from tests.unit.chatbot.sample import KNOWLEDGE

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST_ID = "5f0c2f6e-2b1c-4e8d-9a3b-0d6f4c1e7a90"

LOOKS = Looks(
    bot_name="Parley",
    greeting="Hello, I am Parley. What would you like to know?",
    accent="#2f5fdd",
    accent_dark="#7a98e9",
)


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


@dataclass(frozen=True)
class Chat:
    """A conversation over HTTP: where it is, and what opens it."""

    bot: "Bot"
    id: str
    token: str

    @property
    def path(self) -> str:
        return f"/v1/conversations/{self.id}"

    @property
    def messages(self) -> str:
        return f"{self.path}/messages"

    @property
    def access(self) -> Access:
        return Access(self.id, self.token)

    def request(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        """Ask something of this conversation."""
        return self.bot.request(method, self.path + path, body, token=self.token, **options)

    def say(self, text: str, key: str | None = None) -> Answer:
        return self.request("POST", "/messages", {"text": text}, headers={"Idempotency-Key": key} if key else {})


@dataclass
class Bot:
    """A whole bot with everything in reach."""

    knowledge: Knowledge
    store: Store = field(default_factory=MemoryStore)
    responder: Responder | None = None
    messages_per_minute: int = 6_000
    daily_tokens: int = 0
    origins: tuple[str, ...] = ()
    log_content: bool = False
    clock: Clock = field(default_factory=Clock)
    log: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        self.conversations = Conversations(
            store=self.store,
            responder=self.responder or KnowledgeResponder(self.knowledge),
            greeting=LOOKS.greeting,
            retention=timedelta(days=30),
            messages_per_minute=self.messages_per_minute,
            daily_tokens=self.daily_tokens,
            now=self.clock,
            pause=lambda *_: None,
        )
        operations = Operations(
            conversations=self.conversations, looks=LOOKS, environment="dev", release="abc", backup_days=35
        )
        metrics = EphemeralMetrics(namespace="Parley", service="chatbot")
        logger = logger_into(self.log)
        telemetry = Telemetry(logger, metrics, log_content=self.log_content)
        self.api = Api(operations, cors=Cors(self.origins), telemetry=telemetry)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> Answer:
        """Ask by a proxy event as API Gateway sends it; `changes` replace parts of the event."""
        path, _, query = path.partition("?")
        sent = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        event = {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": sent | dict(headers or {}),
            "queryStringParameters": dict(pair.split("=", 1) for pair in query.split("&")) if query else None,
            "requestContext": {"requestId": REQUEST_ID, "stage": "dev", "path": f"/dev{path}"},
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        return self.ask(event | changes)

    def ask(self, event: Any, context: object = None) -> Answer:
        response = self.api(event, context)
        return Answer(response["statusCode"], response["headers"], response["body"])

    def start(self) -> Chat:
        """Start a conversation."""
        started = self.request("POST", "/v1/conversations").json
        return Chat(self, started["conversation_id"], started["token"])


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
