"""Responders that stand for a model: each counts how often it is asked and says what it spent."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chatbot.contract import Turn
from chatbot.reply import Reply

MOST_TOKENS = 40
SPENT = 15


@dataclass
class Model:
    """Answers everything alike, after doing whatever a test has it do meanwhile."""

    meanwhile: Callable[[], object] = lambda: None
    starters: tuple[str, ...] = ("Hello?",)
    needs_reservation: bool = True
    most_tokens: int = MOST_TOKENS
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        with self.lock:
            self.asked.append(question)
        self.meanwhile()
        return Reply(text=f"You asked: {question}", answered=True, responder="bedrock", tokens=SPENT)


@dataclass
class BrokenModel(Model):
    """Fails with an exception, which no responder should do."""

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        super().reply(question, history)
        raise RuntimeError(f"cannot answer {question}")
