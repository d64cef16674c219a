"""Runs the conversation tests: `python -m chatbot.examine.converse [TESTS] [--accuracy PERCENT]`. It is not shipped.

Every question goes through the bot's own conversations, over a store in memory.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from chatbot.access import Access
from chatbot.contract import Turn
from chatbot.conversation import Conversations
from chatbot.examine.dialogues import Dialogue, Step, read_dialogues
from chatbot.index import NoIndexError
from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.learn.mistakes import KnowledgeError
from chatbot.memory import MemoryStore
from chatbot.responders import KnowledgeResponder

MESSAGES_PER_MINUTE = 6_000
PACKAGED = "chatbot/knowledge.index"
NO_ANSWER = "no answer"


@dataclass(frozen=True)
class Result:
    """How one question of a conversation test was answered, and what is wrong with that, if anything."""

    kind: str
    step: Step
    fault: str | None


def run(dialogues: Iterable[Dialogue], knowledge: Knowledge) -> Iterator[Result]:
    """Hold every conversation; a question counts for itself, and what follows a wrong answer is still asked."""
    conversations = Conversations(
        store=MemoryStore(),
        responder=KnowledgeResponder(knowledge),
        greeting="Hello!",
        retention=timedelta(days=1),
        messages_per_minute=MESSAGES_PER_MINUTE,
    )
    for dialogue in dialogues:
        started = conversations.start()
        access = Access(started.conversation_id, started.token)
        for step in dialogue.steps:
            turn = conversations.send(access, step.ask).turn
            yield Result(dialogue.kind, step, _fault(step, turn))


def _fault(step: Step, turn: Turn) -> str | None:
    """Say what is wrong with an answer."""
    answered_by = turn.source.id if turn.source and turn.answered else None
    if answered_by not in (step.sources or (None,)):
        return f"{answered_by or NO_ANSWER} instead of {' or '.join(step.sources) or NO_ANSWER}"
    for words in step.says:
        if words.casefold() not in turn.reply.casefold():
            return f"does not say {words!r}"
    for words in step.never_says:
        if words.casefold() in turn.reply.casefold():
            return f"says {words!r}"
    return None


def check_sources(dialogues: Iterable[Dialogue], knowledge: Knowledge) -> None:
    """Raise KnowledgeError for an expected section that the knowledge does not have."""
    known = {section.id for section in knowledge.sections}
    for dialogue in dialogues:
        for step in dialogue.steps:
            for source in step.sources:
                if source not in known:
                    raise KnowledgeError(f"{step.place}: the knowledge has no section {source!r}")


def show(results: Sequence[Result], console: Console) -> None:
    """Print what failed, and the accuracy of each kind of question."""
    failed = [result for result in results if result.fault]
    if failed:
        table = Table(title="Not answered as wanted", title_justify="left", title_style="bold")
        table.add_column("where", no_wrap=True)
        table.add_column("asked", overflow="fold")
        table.add_column("answered", overflow="fold")
        for result in failed:
            table.add_row(*map(escape, (_short(result.step.place), result.step.ask, result.fault or "")))
        console.print(table)
    table = Table(title="Conversation tests", title_justify="left", title_style="bold", show_footer=True)
    for heading, footer in zip(("kind", "questions", "right", "accuracy"), _row("all", results), strict=True):
        table.add_column(heading, footer, justify="left" if heading == "kind" else "right")
    for kind in dict.fromkeys(result.kind for result in results):
        table.add_row(*_row(kind, [result for result in results if result.kind == kind]))
    console.print(table)


def _row(kind: str, results: Sequence[Result]) -> tuple[str, ...]:
    right = sum(result.fault is None for result in results)
    return escape(kind), f"{len(results):,}", f"{right:,}", f"{accuracy(results):.1f} %"


def _short(place: str) -> str:
    return place.rsplit("/", maxsplit=1)[-1]


def accuracy(results: Sequence[Result]) -> float:
    """Return the share of right answers, in per cent."""
    return 100 * sum(result.fault is None for result in results) / len(results)


def verdict(results: Sequence[Result], wanted: float) -> str:
    """Return one line: how much was right, and how much has to be; what falls short never looks like enough."""
    reached, digits = accuracy(results), 1
    while reached < wanted <= round(reached, digits):
        digits += 1
    return f"{reached:.{digits}f} % of {len(results):,} right, at least {wanted:g} % wanted"


def _packaged(package: Path) -> Knowledge:
    try:
        with zipfile.ZipFile(package) as archive:
            return Knowledge(archive.read(PACKAGED))
    except (OSError, KeyError, zipfile.BadZipFile, NoIndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.args[0]
        raise KnowledgeError(f"{package} cannot be asked ({reason}): package the function again") from error


def _percent(text: str) -> float:
    value = float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"an accuracy is from 0 to 100 per cent, got {text!r}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests. Returns 1 below the wanted accuracy, 2 for tests or knowledge that cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m chatbot.examine.converse", description="Ask, and judge the answers."
    )
    parser.add_argument(
        "tests", type=Path, nargs="?", default=Path("tests/conversations"), help="their folder (default %(default)s)"
    )
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--knowledge", type=Path, default=Path("knowledge"), metavar="DIR", help="(default %(default)s)")
    asked.add_argument("--package", type=Path, metavar="ZIP", help="ask the index that was packaged, learning nothing")
    parser.add_argument(
        "--accuracy", type=_percent, default=100.0, metavar="PERCENT", help="what must be right (default all)"
    )
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        dialogues = read_dialogues(options.tests)
        knowledge = _packaged(options.package) if options.package else Knowledge(learn(options.knowledge))
        check_sources(dialogues, knowledge)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 2
    results = list(
        track(run(dialogues, knowledge), "asking …", console=console, transient=True, disable=not console.is_terminal)
    )
    show(results, console)
    reached = accuracy(results) >= options.accuracy
    print(verdict(results, options.accuracy), file=sys.stdout if reached else sys.stderr)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
