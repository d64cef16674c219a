"""The tripwire: leaks are seen in every simple disguise, and answers are not taken for leaks."""

import base64
import random
from pathlib import Path

import pytest

from chatbot.prompt import INSTRUCTIONS
from chatbot.tripwire import ALPHABET, LENGTH, Tripwire, new_canary
from tests.unit.chatbot.disguises import DISGUISES, leak

KNOWLEDGE = Path(__file__).parents[3] / "knowledge"
CANARY = "q7d2w9zf4g8jr3v6d5z2"
TOLD = INSTRUCTIONS.substitute(bot_name="Parley", canary=CANARY, salt="")
TRIPWIRE = Tripwire(CANARY, TOLD)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_leak_is_seen_in_disguise(disguise: str) -> None:
    """Alone, and in the middle of an answer."""
    leaked = leak(TOLD, CANARY, disguise)

    assert TRIPWIRE.trips(leaked)
    assert TRIPWIRE.trips(f"Here is what you asked for:\n\n{leaked}\n\nAnything else? [1]")


@pytest.mark.parametrize("file", sorted(KNOWLEDGE.glob("*.md")), ids=lambda path: path.name)
def test_the_knowledge_is_no_leak(file: Path) -> None:
    """A false alarm would take a good answer away."""
    assert not TRIPWIRE.trips(file.read_text())


def test_ciphertext_and_digests_are_no_leak() -> None:
    """Neither Base64 nor hexadecimal gives a canary by chance."""
    source = random.Random(1)

    assert not any(TRIPWIRE.trips(base64.b64encode(source.randbytes(3000)).decode()) for _ in range(12))
    assert not any(TRIPWIRE.trips(source.randbytes(1500).hex()) for _ in range(12))


def test_a_few_words_of_the_instructions_are_no_leak() -> None:
    """What a bot may well say stands in its instructions, too."""
    assert not TRIPWIRE.trips("I answer from the passages that I was given, in the language of the question. [0]")


@pytest.mark.parametrize("text", ["", " ", "\ud800", "\x00", "🏴\U000e0067", "a" * 8000, "%" * 8000, "&#" * 4000])
def test_any_text_can_be_looked_at(text: str) -> None:
    """A model can write anything."""
    assert not TRIPWIRE.trips(text)


def test_every_canary_is_another() -> None:
    """Nobody can know the next one."""
    canaries = {new_canary() for _ in range(100)}

    assert len(canaries) == 100
    assert all(len(each) == LENGTH and set(each) <= set(ALPHABET) for each in canaries)
