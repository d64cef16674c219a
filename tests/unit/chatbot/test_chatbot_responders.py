"""The knowledge responder: what it says, where it has it from, and what it offers next."""

from datetime import UTC, datetime

import pytest

from chatbot.contract import Source, Turn
from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.responders import DOES_NOT_KNOW, KnowledgeResponder

SHOP = """\
# Shop

## When are you open?

Also asked: opening times | are you open on Sunday

From Tuesday to Saturday.

## Do you deliver abroad?

Also asked: shipping to other countries | send a parcel to France

Yes, for eight euros.

## Can I return something?

Also asked: send it back | refund

Within thirty days.
"""
LADEN = """\
---
language: de
---
# Laden

## Wann haben Sie offen?

Also asked: Öffnungszeiten | am Sonntag offen

Von Dienstag bis Samstag.
"""


@pytest.fixture(scope="module")
def responder(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeResponder:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.md").write_text(SHOP)
    (folder / "laden.md").write_text(LADEN)
    return KnowledgeResponder(Knowledge(learn(folder)))


def turn(text: str, source: str | None, title: str = "") -> Turn:
    return Turn(
        conversation_id="0" * 32,
        number=1,
        text=text,
        reply="…",
        source=Source(id=source, title=title) if source else None,
        answered=source is not None,
        suggestions=(),
        created_at=datetime.now(UTC),
    )


def test_an_answer_names_its_section_and_offers_others(responder: KnowledgeResponder) -> None:
    """The text is the section's, and what to ask next is not what was just asked."""
    reply = responder.reply("what are your opening times?", ())
    assert (reply.text, reply.answered) == ("From Tuesday to Saturday.", True)
    assert reply.source == Source(id="shop#when-are-you-open", title="When are you open?")
    assert reply.suggestions
    assert "When are you open?" not in reply.suggestions


def test_what_is_not_known_is_admitted_and_the_nearest_offered(responder: KnowledgeResponder) -> None:
    """There is no source, and no invented answer."""
    reply = responder.reply("could an elephant be delivered to the zoo before noon?", ())
    assert reply.text.startswith(DOES_NOT_KNOW)
    assert (reply.answered, reply.source) == (False, None)
    assert "Do you deliver abroad?" in reply.suggestions


def test_a_suggestion_can_be_asked(responder: KnowledgeResponder) -> None:
    """What is offered is answered."""
    for suggestion in (*responder.starters, *responder.reply("zebra", ()).suggestions):
        assert responder.reply(suggestion, ()).source is not None


@pytest.mark.parametrize("question", ["and to France?", "what about France?", "how much is that to France?"])
def test_a_follow_up_is_understood_from_the_turn_before(responder: KnowledgeResponder, question: str) -> None:
    """What it refers to was said before."""
    before = turn("Do you deliver abroad?", "shop#do-you-deliver-abroad", "Do you deliver abroad?")
    reply = responder.reply(question, (before,))
    assert reply.source is not None
    assert reply.source.id == "shop#do-you-deliver-abroad"


def test_after_an_unanswered_question_the_next_stands_alone(responder: KnowledgeResponder) -> None:
    """Nothing is made out of what was not understood."""
    assert not responder.reply("and why?", (turn("who is the pope", None),)).answered
    assert not responder.reply(
        "why?", (turn("refund", "shop#can-i-return-something", "Can I return something?"),)
    ).answered


def test_offers_are_in_the_language_of_the_answer(responder: KnowledgeResponder) -> None:
    """Someone who was answered in German is not asked on in English by what merely comes near."""
    reply = responder.reply("sind Sie am Sonntag offen", ())
    assert reply.source == Source(id="laden#wann-haben-sie-offen", title="Wann haben Sie offen?")
