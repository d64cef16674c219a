"""Models are not emulated: who asks one is told so at once, and a bot answers from its knowledge."""

import uuid
from pathlib import Path

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from chatbot.bedrock import BedrockResponder
from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.settings import ModelSettings
from rehearsal.cloud import Cloud

SETTINGS = ModelSettings(
    model_id="eu.amazon.nova-lite-v1:0",
    region=None,
    guardrail_id=None,
    guardrail_version=None,
    context_tokens=8_000,
    reply_tokens=600,
    link_hosts=(),
    daily_tokens=1_000_000,
)


def test_a_model_is_refused_by_name_and_the_bot_answers_from_its_knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is final, so that no rehearsed question waits for a second try."""
    knowledge = Knowledge(learn(Path(__file__).parents[2] / "knowledge"))
    with Cloud(account="111122223333", region="eu-central-1") as cloud:
        messages = [{"role": "user", "content": [{"text": "Hello"}]}]
        with pytest.raises(ClientError, match="the rehearsal does not emulate bedrock") as refusal:
            cloud.client("bedrock-runtime").converse(modelId=SETTINGS.model_id, messages=messages)
        for name, value in {
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_DEFAULT_REGION": cloud.region,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
        }.items():
            monkeypatch.setenv(name, value)
        responder = BedrockResponder.from_settings(
            SETTINGS, knowledge=knowledge, bot_name="Parley", logger=Logger(service=f"test-{uuid.uuid4()}")
        )
        reply = responder.reply("What is Parley?", ())

    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert (reply.responder, reply.fallback, reply.answered, reply.tokens) == ("knowledge", True, True, 0)
