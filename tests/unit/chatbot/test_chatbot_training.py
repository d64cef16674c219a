"""What is learned from many ways to ask: unknown ways are recognised, and what nobody taught is declined."""

import itertools
import random
from pathlib import Path

import pytest

from chatbot.knowledge import Knowledge
from chatbot.learn import learn

# Ways to begin, verbs and things, by topic; each combination is a way to ask.
TOPICS = {
    "Opening": (
        ("when do you", "what time does the shop", "tell me if you"),
        ("open", "close", "shut"),
        ("today", "on sunday", "tomorrow", "at easter"),
    ),
    "Delivery": (
        ("how long does", "how much is", "can i get"),
        ("shipping", "delivery", "postage"),
        ("to france", "abroad", "by air", "to my office"),
    ),
    "Returns": (
        ("how do i", "may i", "i want to"),
        ("return", "exchange", "send back"),
        ("a kettle", "broken cups", "the wrong tea", "my order"),
    ),
    "Brewing": (
        ("how should i", "how do you", "what is the best way to"),
        ("brew", "steep", "prepare"),
        ("green tea", "an oolong", "darjeeling", "white tea"),
    ),
    "Storing": (
        ("where should i", "how do i", "what is a good place to"),
        ("store", "keep", "put away"),
        ("my tea leaves", "opened tins", "loose tea", "a fresh harvest"),
    ),
    "Vouchers": (
        ("where can i", "i would like to", "how do i"),
        ("buy", "redeem", "use"),
        ("a voucher", "gift cards", "the coupon", "a present card"),
    ),
}
UNTAUGHT = (
    "who won the football match", "what is the capital of peru", "how do i fix my bicycle", "translate good morning",
    "is it going to rain", "play some music", "what is the square root of nine", "call my mother please",
    "how tall is the tower", "who wrote this novel",
)  # fmt: skip


def ways(topic: str) -> list[str]:
    found = [" ".join(parts) for parts in itertools.product(*TOPICS[topic])]
    random.Random(topic).shuffle(found)
    return found


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """Two thirds of the ways to ask."""
    sections = [f"## {topic}\n\nAlso asked: {' | '.join(ways(topic)[:24])}\n\nAs it says.\n" for topic in TOPICS]
    folder = tmp_path_factory.mktemp("many")
    (folder / "shop.md").write_text("\n".join(["# Shop\n", *sections]))
    return Knowledge(learn(folder))


def test_ways_to_ask_that_were_not_taught_are_recognised(knowledge: Knowledge) -> None:
    """Nine of ten questions get the section whose other ways to ask they are like."""
    asked = [(topic, question) for topic in TOPICS for question in ways(topic)[24:]]
    right = [
        topic
        for topic, question in asked
        if (found := knowledge.search(question, limit=1)[0]).answers and found.section.title == topic
    ]
    assert len(right) >= 0.9 * len(asked)


def test_what_nobody_taught_is_declined(knowledge: Knowledge) -> None:
    """Most of what has nothing to do with the knowledge gets no answer."""
    answered = [question for question in UNTAUGHT if knowledge.search(question, limit=1)[0].answers]
    assert len(answered) <= 2, answered


def test_one_section_alone_and_two_can_be_learned(tmp_path: Path) -> None:
    """The smallest knowledge answers what it has, and nothing else."""
    (tmp_path / "tea.md").write_text("# Tea\n\n## How is tea made?\n\nAlso asked: brewing\n\nWith water.\n")
    one = Knowledge(learn(tmp_path))
    (tmp_path / "more.md").write_text("# More\n\n## How long does tea keep?\n\nAlso asked: shelf life\n\nTwo years.\n")
    two = Knowledge(learn(tmp_path))
    for knowledge in (one, two):
        assert knowledge.search("how do I brew it: brewing?")[0].section.title == "How is tea made?"
        assert not any(match.answers for match in knowledge.search("who won the world cup in 1974?"))
    assert two.search("what is its shelf life")[0].section.title == "How long does tea keep?"
