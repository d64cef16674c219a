"""The Lambda function's entry: everything is put together once, when the function starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from chatbot.api import Api
from chatbot.conversation import Conversations
from chatbot.cors import Cors
from chatbot.dynamodb import CLIENT_CONFIG, DynamoStore
from chatbot.knowledge import Knowledge
from chatbot.operations import Operations
from chatbot.responders import KnowledgeResponder
from chatbot.settings import Settings
from chatbot.telemetry import Telemetry

if TYPE_CHECKING:
    from chatbot.reply import Responder

INDEX = Path(__file__).with_name("knowledge.index")
RELEASE = Path(__file__).with_name("release.txt")


def _assemble(settings: Settings) -> Api:
    client = botocore.session.get_session().create_client("dynamodb", config=CLIENT_CONFIG)
    logger = Logger()
    conversations = Conversations(
        store=DynamoStore(client, table_name=settings.table_name),
        responder=_responder(settings, logger),
        greeting=settings.looks.greeting,
        retention=settings.retention,
        messages_per_minute=settings.messages_per_minute,
        daily_tokens=settings.model.daily_tokens if settings.model else 0,
    )
    operations = Operations(
        conversations=conversations,
        looks=settings.looks,
        environment=settings.environment,
        release=RELEASE.read_text(encoding="utf-8"),
        backup_days=settings.backup_days,
    )
    metrics = EphemeralMetrics(namespace=settings.metrics_namespace)
    telemetry = Telemetry(logger, metrics, log_content=settings.log_content)
    return Api(operations, cors=Cors(settings.allowed_origins), telemetry=telemetry)


def _responder(settings: Settings, logger: Logger) -> Responder:
    knowledge = Knowledge.load(INDEX)
    if settings.model is None:
        return KnowledgeResponder(knowledge)
    # Only a function with a model pays for what talking to one takes; it pays now, and not with somebody's question.
    from chatbot.bedrock import BedrockResponder

    return BedrockResponder.from_settings(
        settings.model, knowledge=knowledge, bot_name=settings.looks.bot_name, logger=logger
    )


_api = _assemble(Settings.from_environment(os.environ))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway REST proxy event (format 1.0)."""
    return _api(event, context)
