"""What a turn asks of DynamoDB, early and late in a conversation: calls, and bytes there and back."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

from benchmarks import bot
from benchmarks.figure import Figure, Sample, single
from benchmarks.project import ROOT, know_the_function

EARLY, LATE = 10, 1_000
QUESTION = "How do I roll back?"
TABLE = "conversations"
INDEX = "review"


@dataclass(frozen=True)
class Call:
    """One call of DynamoDB's API, as it went over the wire."""

    operation: str
    sent: int
    received: int
    items_written: int


def measure(_repeat: int) -> list[Figure]:
    """Hold one long conversation against an emulated DynamoDB; it is counted, not timed, so once is enough."""
    know_the_function()
    turns = _conversation(LATE)
    early, late = turns[EARLY - 1], turns[LATE - 1]
    figure = partial(Figure, peer_name=f"turn {EARLY}")
    operations = ", ".join(call.operation for call in late)
    return [
        figure(
            id="storage.calls",
            what=f"DynamoDB calls in turn {LATE}",
            unit="",
            ours=single(len(late)),
            peer=single(len(early)),
            note=operations,
        ),
        figure(
            id="storage.items",
            what=f"items written in turn {LATE}",
            unit="",
            ours=_sum(late, "items_written"),
            peer=_sum(early, "items_written"),
        ),
        figure(
            id="storage.written",
            what=f"bytes sent in turn {LATE}",
            unit="B",
            ours=_sum(late, "sent"),
            peer=_sum(early, "sent"),
        ),
        figure(
            id="storage.read",
            what=f"bytes received in turn {LATE}",
            unit="B",
            ours=_sum(late, "received"),
            peer=_sum(early, "received"),
        ),
    ]


def _sum(calls: list[Call], what: str) -> Sample:
    return single(sum(getattr(call, what) for call in calls))


def _conversation(length: int) -> list[list[Call]]:
    """Return the calls of each turn."""
    with _dynamodb() as client:
        calls: list[Call] = []
        _listen(client, calls)
        answer = _api(client)
        chat = bot.start(partial(answer, context=None))
        turns: list[list[Call]] = []
        for _ in range(length):
            calls.clear()
            bot.say(partial(answer, context=None), chat, QUESTION)
            turns.append(list(calls))
    return turns


def _api(client: Any) -> Any:
    """Put the bot together as the function does, over ``client``."""
    from aws_lambda_powertools import Logger

    from chatbot.api import Api
    from chatbot.conversation import Conversations
    from chatbot.cors import Cors
    from chatbot.dynamodb import DynamoStore
    from chatbot.knowledge import Knowledge
    from chatbot.learn import learn
    from chatbot.operations import Operations
    from chatbot.responders import KnowledgeResponder
    from chatbot.telemetry import Telemetry

    conversations = Conversations(
        store=DynamoStore(client, table_name=TABLE),
        responder=KnowledgeResponder(Knowledge(learn(ROOT / "knowledge"))),
        bot_name="Parley",
        retention=timedelta(days=30),
        messages_per_minute=6_000,
    )
    operations = Operations(
        conversations=conversations, bot_name="Parley", environment="dev", release="benchmark", backup_days=35
    )
    telemetry = Telemetry(Logger(service="benchmark", stream=StringIO()))
    return Api(operations, cors=Cors(()), telemetry=telemetry)


@contextmanager
def _dynamodb() -> Iterator[Any]:
    """A client of an emulated DynamoDB that holds the table."""
    from rehearsal.cloud import Cloud
    from rehearsal.dynamodb import DynamoDB

    # Its server would log every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with Cloud(account="123456789012", region="eu-central-1") as cloud:
        cloud.routes.append(DynamoDB(cloud))
        client = cloud.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_keys("pk", "sk"),
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", INDEX, "created_at")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": INDEX,
                    "KeySchema": _keys(INDEX, "created_at"),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        yield client


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _listen(client: Any, calls: list[Call]) -> None:
    """Add every call that ``client`` completes to ``calls``.

    https://docs.aws.amazon.com/boto3/latest/guide/events.html
    """
    sent: list[dict[str, Any]] = []

    def before(params: dict[str, Any], **_: object) -> None:
        sent.append(params)

    def after(http_response: Any, model: Any, **_: object) -> None:
        body = sent.pop()["body"]
        written = body.count(b'"Put"') + body.count(b'"Update"') if model.name == "TransactWriteItems" else 0
        calls.append(Call(model.name, len(body), len(http_response.content), written))

    client.meta.events.register("before-call.dynamodb", before)
    client.meta.events.register("after-call.dynamodb", after)
