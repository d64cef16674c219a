"""The Lambda function's entry: everything is put together once, when the function starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import botocore.session
from aws_lambda_powertools import Logger

from chatbot.api import Api
from chatbot.conversation import Conversations
from chatbot.dynamodb import CLIENT_CONFIG, DynamoStore
from chatbot.knowledge import Knowledge
from chatbot.responders import KnowledgeResponder
from chatbot.settings import Settings

INDEX = Path(__file__).with_name("knowledge.json")
RELEASE = Path(__file__).with_name("release.txt")


def _assemble(settings: Settings) -> Api:
    client = botocore.session.get_session().create_client("dynamodb", config=CLIENT_CONFIG)
    conversations = Conversations(
        store=DynamoStore(client, table_name=settings.table_name),
        responder=KnowledgeResponder(Knowledge.load(INDEX)),
        bot_name=settings.bot_name,
        retention=settings.retention,
    )
    return Api(
        conversations=conversations,
        bot_name=settings.bot_name,
        environment=settings.environment,
        release=RELEASE.read_text(encoding="utf-8"),
        logger=Logger(),
    )


_api = _assemble(Settings.from_environment(os.environ))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway REST proxy event (format 1.0)."""
    return _api(event, context)
