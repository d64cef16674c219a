"""The Bedrock responder over the wire: real requests of the SDK, and every way in which an answer can go wrong."""

import json
from collections.abc import Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.retries.standard import ExponentialBackoff

from chatbot.bedrock import BLOCKED, LONGEST_ANSWER, BedrockResponder
from chatbot.contract import Source, Turn
from chatbot.converse import CLIENT_CONFIG, CONNECT_SECONDS, DEADLINE_SECONDS, READ_SECONDS, Model
from chatbot.knowledge import Knowledge
from chatbot.reply import Reply
from chatbot.responders import KnowledgeResponder
from chatbot.settings import ModelSettings
from tests.unit.chatbot.fake_bedrock import Bytes, Drip, FakeBedrock, Hold, Reset, content, document, error, says
from tests.unit.chatbot.logs import logger_into

QUESTION = "What is Parley?"
OUT_OF_SCOPE = "Xyzzy plugh?"
SETTINGS = ModelSettings(
    model_id="eu.amazon.nova-lite-v1:0",
    region=None,
    guardrail_id=None,
    guardrail_version=None,
    context_tokens=8_000,
    reply_tokens=600,
    link_hosts=("docs.example.com",),
    daily_tokens=1_000_000,
)
# As long as the tests wait for what never comes.
PATIENT, SHORT = Config(read_timeout=20), Config(read_timeout=0.4)
"""How long an answer is waited for; short where none comes, long where a busy machine must not matter."""


@dataclass
class Talk:
    """A responder with the Bedrock that it talks to and what it logged."""

    bedrock: FakeBedrock
    responder: BedrockResponder
    log: StringIO
    knowledge: KnowledgeResponder

    def ask(self, question: str = QUESTION, history: Sequence[Turn] = ()) -> Reply:
        return self.responder.reply(question, history)

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture(scope="module")
def bedrock() -> Iterator[FakeBedrock]:
    with FakeBedrock() as running:
        yield running


@pytest.fixture(scope="module")
def session() -> botocore.session.Session:
    """The SDK, which reads a service's description once."""
    made = botocore.session.Session()
    made.set_credentials("key", "secret")
    return made


@pytest.fixture
def make_talk(
    bedrock: FakeBedrock, session: botocore.session.Session, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> Any:
    def make(*, deadline: float = 60.0, config: Config = PATIENT, **changes: Any) -> Talk:
        settings, log = replace(SETTINGS, **changes), StringIO()
        client = session.create_client(
            "bedrock-runtime",
            region_name="eu-central-1",
            endpoint_url=bedrock.url,
            config=CLIENT_CONFIG.merge(config),
        )
        responder = BedrockResponder(
            Model(client, settings, deadline=deadline),
            knowledge=knowledge,
            bot_name="Parley",
            settings=settings,
            logger=logger_into(log),
        )
        return Talk(bedrock, responder, log, KnowledgeResponder(knowledge))

    # The SDK waits up to a second before it tries again.
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0)
    bedrock.play(says("Parley is a chatbot. [1]"))
    return make


@pytest.fixture
def talk(make_talk: Any) -> Talk:
    made: Talk = make_talk()
    return made


def turn(text: str, reply: str, source: Source | None = None) -> Turn:
    return Turn(
        conversation_id="0" * 32, number=1, text=text, reply=reply, source=source, answered=True, suggestions=(),
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
    )  # fmt: skip


def test_an_answer_is_the_models_with_the_source_that_it_names(talk: Talk) -> None:
    """The number that names it is not shown; what it cost is told."""
    reply = talk.ask()

    best = talk.knowledge.reply(QUESTION, ()).source
    assert reply.text == "Parley is a chatbot."
    assert (reply.source, reply.answered) == (best, True)
    assert (reply.responder, reply.fallback, reply.tokens) == ("bedrock", False, 120)
    assert best is not None
    assert reply.suggestions
    assert best.title not in reply.suggestions


def test_the_request_is_what_bedrock_wants(talk: Talk) -> None:
    """One signed Converse of the model in the settings, with its limit, and without tools."""
    talk.ask()

    (call,) = talk.bedrock.calls
    assert call.model_id == SETTINGS.model_id
    assert set(call.body) == {"system", "messages", "inferenceConfig"}
    assert call.body["inferenceConfig"] == {"maxTokens": 600}
    assert "/bedrock/aws4_request" in call.authorization
    assert "Parley" in call.system


def test_a_guardrail_goes_along_where_there_is_one(make_talk: Any) -> None:
    """With its version, and with the question marked as what it assesses."""
    talk: Talk = make_talk(guardrail_id="gr1234567890", guardrail_version="3")

    assert not talk.ask().fallback
    (call,) = talk.bedrock.calls
    assert call.body["guardrailConfig"] == {"guardrailIdentifier": "gr1234567890", "guardrailVersion": "3"}
    assert "guardContent" in call.body["messages"][-1]["content"][1]


def test_a_question_that_nothing_is_known_about_does_not_reach_the_model(talk: Talk) -> None:
    """It could only say so; the knowledge says it for nothing, and that is no failure."""
    assert talk.ask(OUT_OF_SCOPE) == talk.knowledge.reply(OUT_OF_SCOPE, ())
    assert talk.bedrock.calls == []


def test_a_follow_up_is_answered_from_what_was_talked_about(talk: Talk) -> None:
    """The last answer's section goes along even if the question does not name it, and so does the conversation."""
    first = talk.ask()
    reply = talk.ask(OUT_OF_SCOPE, [turn(QUESTION, first.text, first.source)])

    assert reply.source == first.source
    assert talk.bedrock.calls[-1].texts[:2] == [("user", [QUESTION]), ("assistant", [first.text])]


@pytest.mark.parametrize("said", ["I do not know. [0]", "I do not know.", "Well [9]", "[1] is the number, you see"])
def test_an_answer_that_names_no_passage_has_no_source(talk: Talk, said: str) -> None:
    """It is shown, and counts as unanswered."""
    talk.bedrock.play(says(said))
    reply = talk.ask()

    assert (reply.source, reply.answered) == (None, False)
    assert (reply.responder, reply.fallback) == ("bedrock", False)
    assert reply.suggestions


def test_what_the_model_writes_becomes_safe_markdown(talk: Talk) -> None:
    """Links lead only to where the settings or the passages lead."""
    talk.bedrock.play(
        says(
            "# Hi\n\n<b>See</b> [this](https://docs.example.com/a) and [that](https://evil.example/?q=1) "
            "![x](https://evil.example/x.png)\u200b [1]"
        )
    )

    assert talk.ask().text == "**Hi**\n\nSee [this](https://docs.example.com/a) and that x"


def test_reasoning_and_calls_of_tools_are_not_shown(talk: Talk) -> None:
    """We gave no tools and asked for no reasoning; only text is an answer."""
    blocks = [
        {"reasoningContent": {"reasoningText": {"text": "They want to know"}}},
        {"text": "Parley is "},
        {"toolUse": {"toolUseId": "t1", "name": "send_mail", "input": {}}},
        {"text": "a chatbot. [1]"},
    ]
    talk.bedrock.play(content(blocks))

    assert talk.ask().text == "Parley is a chatbot."


@pytest.mark.parametrize(
    "failure",
    [
        error("ThrottlingException"),
        error("ModelNotReadyException"),
        error("InternalServerException"),
        error("ServiceUnavailableException"),
        Reset(),
        Hold(),
    ],
    ids=str,
)
def test_a_passing_trouble_is_tried_once_more(make_talk: Any, failure: Any) -> None:
    """The second try's answer is shown."""
    talk: Talk = make_talk(config=SHORT if failure == Hold() else PATIENT)
    talk.bedrock.play(failure, says("Parley is a chatbot. [1]"))
    reply = talk.ask()

    assert (reply.text, reply.responder, reply.fallback) == ("Parley is a chatbot.", "bedrock", False)
    assert len(talk.bedrock.calls) == 2


@pytest.mark.parametrize(
    ("failure", "calls", "reason", "is_free"),
    [
        (error("ThrottlingException"), 2, "ThrottlingException", True),
        (error("ModelNotReadyException"), 2, "ModelNotReadyException", True),
        (error("InternalServerException"), 2, "InternalServerException", True),
        (error("ServiceUnavailableException"), 2, "ServiceUnavailableException", True),
        (Reset(), 2, "ConnectionClosedError", False),
        (Hold(), 2, "ReadTimeoutError", False),
        (error("ValidationException"), 1, "ValidationException", True),
        (error("AccessDeniedException"), 1, "AccessDeniedException", True),
        (error("ResourceNotFoundException"), 1, "ResourceNotFoundException", True),
        (error("ModelErrorException"), 1, "ModelErrorException", True),
        (error("ModelTimeoutException"), 1, "ModelTimeoutException", True),
        (Bytes(b"<html>no</html>", 400), 1, "400", True),
        (Bytes(b"{", headers={"Content-Length": "5000"}), 1, "malformed", False),
        (Bytes(b""), 1, "malformed", False),
        (Bytes(b"{not json"), 1, "malformed", False),
        (Bytes(b"\xff\xfe\x00"), 1, "UnicodeDecodeError", False),
        (Bytes(b"[" * 100_000), 1, "RecursionError", False),
    ],
    ids=str,
)
def test_a_lasting_trouble_falls_back_on_the_knowledge(
    make_talk: Any, failure: Any, calls: int, reason: str, is_free: bool
) -> None:
    """What would fail again is not tried again. The reply says that it is a fallback; the log says why."""
    talk: Talk = make_talk(config=SHORT if failure == Hold() else PATIENT)
    talk.bedrock.play(failure)
    reply = talk.ask()

    assert reply == replace(talk.knowledge.reply(QUESTION, ()), fallback=True, tokens=reply.tokens)
    assert (reply.responder, reply.answered) == ("knowledge", True)
    assert len(talk.bedrock.calls) == calls
    (line,) = talk.logged()
    assert line["reason"] == reason
    assert (reply.tokens == 0) == is_free
    assert reply.tokens <= talk.responder.most_tokens


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(""), "empty"),
        (says(" \n\t "), "empty"),
        (says("[1]"), "empty"),
        (says("<b></b> [1]"), "empty"),
        (says("\u200b\u2060 [1]"), "empty"),
        (content([]), "empty"),
        (content([{"reasoningContent": {"reasoningText": {"text": "Hm"}}}]), "empty"),
        (says("word " * LONGEST_ANSWER + "[1]"), "too_long"),
        (says("Parley is", stop_reason="max_tokens"), "max_tokens"),
        (says("No.", stop_reason="content_filtered"), "content_filtered"),
        (says("{}", stop_reason="tool_use"), "tool_use"),
        (says("No.", stop_reason="model_context_window_exceeded"), "model_context_window_exceeded"),
        (says("No.", stop_reason="malformed_model_output"), "malformed_model_output"),
        (says("Yes. [1]", stop_reason="who knows"), "who knows"),
        (says("Yes. [1]", stop_reason=None), None),
        (says("Yes. [1]", role="user"), "malformed"),
        (says("Yes. [1]", role="system"), "malformed"),
        (says(5), "malformed"),
        (says(None), None),
        (content("Yes. [1]"), None),
        (content(None), None),
        (content(["Yes. [1]"]), None),
        (content([None]), None),
        (document({}), "malformed"),
        (document([]), None),
        (document("Yes. [1]"), None),
        (document(None), None),
        (document({"output": {"message": {"role": "assistant", "content": [{"text": "Yes. [1]"}]}}}), "malformed"),
        (document({"output": {"text": "Yes. [1]"}, "stopReason": "end_turn"}), None),
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_shown_is_not(talk: Talk, answer: Any, reason: str | None) -> None:
    """Empty, too long, cut off, filtered, or in another form than Bedrock's: the knowledge answers."""
    talk.bedrock.play(answer)
    reply = talk.ask()

    assert reply == replace(talk.knowledge.reply(QUESTION, ()), fallback=True, tokens=reply.tokens)
    assert len(talk.bedrock.calls) == 1
    (line,) = talk.logged()
    assert reason in (None, line["reason"])
    assert reply.tokens > 0


@pytest.mark.parametrize(
    ("tokens", "counted"), [(120, 120), (0, 0), (-5, 0), (10**9, None), ("many", None), (None, None), ([], None)]
)
def test_tokens_are_counted_as_bedrock_says_or_else_in_full(talk: Talk, tokens: Any, counted: int | None) -> None:
    """A count that cannot be is no reason to give tokens away."""
    talk.bedrock.play(says("Yes. [1]", tokens=tokens))
    reply = talk.ask()

    assert reply.tokens <= talk.responder.most_tokens
    assert counted in (None, reply.tokens)
    assert counted is not None or reply.tokens > 1_000


@pytest.mark.parametrize(
    ("said", "shown"), [("Sorry, not that topic.", "Sorry, not that topic."), ("", BLOCKED), ("  ", BLOCKED)]
)
def test_what_a_guardrail_blocks_is_not_answered_in_another_way(make_talk: Any, said: str, shown: str) -> None:
    """The knowledge would say what the guardrail keeps from being said; its own words are shown."""
    talk: Talk = make_talk(guardrail_id="gr1234567890", guardrail_version="DRAFT")
    talk.bedrock.play(says(said, stop_reason="guardrail_intervened"))
    reply = talk.ask()

    assert (reply.text, reply.source, reply.answered) == (shown, None, False)
    assert (reply.responder, reply.fallback) == ("bedrock", False)


def test_an_answer_that_drips_in_is_given_up(make_talk: Any) -> None:
    """Each byte comes in time, and all of them never do."""
    talk: Talk = make_talk(deadline=0.4)
    talk.bedrock.play(Drip(pause=0.05))
    reply = talk.ask()

    assert (reply.responder, reply.fallback) == ("knowledge", True)
    assert talk.logged()[0]["reason"] == "TimeoutError"
    assert 0 < reply.tokens <= talk.responder.most_tokens


def test_the_deadline_leaves_the_gateway_and_the_second_try_their_time() -> None:
    """Two tries may take longer than the deadline, which then ends the second; the gateway waits for 29 seconds."""
    assert CONNECT_SECONDS + READ_SECONDS < DEADLINE_SECONDS <= 29 - 6
    assert CLIENT_CONFIG.read_timeout == READ_SECONDS


def test_one_reply_never_costs_more_than_is_reserved(talk: Talk) -> None:
    """Both tries, whole: the limits in the settings are the limits."""
    assert talk.responder.most_tokens == 2 * (8_000 + 600)
    assert talk.responder.needs_reservation


def test_no_word_of_a_conversation_is_logged(talk: Talk) -> None:
    """Neither a question nor an answer, nor what is left of one."""
    talk.bedrock.play(says("unspeakable " * 2_000))
    talk.ask(f"{QUESTION} unutterable", [turn("unmentionable", "unprintable")])

    assert talk.logged()
    assert "un" not in talk.log.getvalue().replace("unknown", "")


def test_the_responder_is_made_from_settings_and_the_functions_environment(
    bedrock: FakeBedrock, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client signs for the region of the model, and finds Bedrock where everything else is."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": bedrock.url,
    }.items():
        monkeypatch.setenv(name, value)
    bedrock.play(says("Parley is a chatbot. [1]"))
    settings = replace(SETTINGS, region="us-east-1")
    responder = BedrockResponder.from_settings(settings, knowledge=knowledge, bot_name="Parley", logger=logger_into())

    assert responder.reply(QUESTION, ()).text == "Parley is a chatbot."
    assert "/us-east-1/bedrock/" in bedrock.calls[-1].authorization
    assert responder.starters == knowledge.starters


def test_a_hundred_failures_do_not_keep_the_next_answer_away(talk: Talk) -> None:
    """Nothing of a failure stays behind, except that the SDK stops trying twice while everything fails."""
    talk.bedrock.play(error("ThrottlingException"))
    assert all(talk.ask().fallback for _ in range(120))
    talk.bedrock.play(says("Parley is a chatbot. [1]"))

    assert talk.ask().text == "Parley is a chatbot."
