"""Measures answers on questions that were not taught: `python -m chatbot.examine.evaluate KNOWLEDGE QUESTIONS.jsonl`.

Each line of the questions is an object with `question` and `source`: the section that must answer, by its id, title
or slug, or null where none may. It is not shipped.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from chatbot.knowledge import Knowledge
from chatbot.learn import learn, read
from chatbot.learn.lessons import Lesson, slug
from chatbot.learn.mistakes import KnowledgeError
from chatbot.responders import KnowledgeResponder

MILLISECONDS = 1000


@dataclass(frozen=True)
class Question:
    """What is asked, and the id of the section that must answer; None where none may."""

    text: str
    source: str | None


@dataclass(frozen=True)
class Outcome:
    """Which section answered, if one did, which was nearest, and the CPU time it took."""

    question: Question
    answered_by: str | None
    nearest: str | None
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """How the answers were; shares are from 0 to 1, and None where no question is of that kind."""

    in_scope: int
    out_of_scope: int
    accuracy_in_scope: float | None
    """The share of the questions in scope that were answered, from the right section."""
    accuracy_without_threshold: float | None
    """The share of the questions in scope whose nearest section was the right one, answered or not."""
    recall_out_of_scope: float | None
    """The share of the questions out of scope that were not answered."""
    milliseconds_p50: float
    milliseconds_p99: float
    learning_seconds: float
    loading_milliseconds: float
    index_bytes: int


def evaluate(folder: Path, questions_file: Path) -> Report:
    """Learn a folder and ask every question; raises KnowledgeError for what cannot be learned or asked."""
    # What is wrong with the questions is told before anybody waits for the learning.
    questions = read_questions(questions_file, read(folder))
    started = time.perf_counter()
    index = learn(folder)
    learned = time.perf_counter()
    knowledge = Knowledge(index)
    loaded = time.perf_counter()
    outcomes = [_ask(knowledge, question) for question in _shown(questions)]
    inside = [outcome for outcome in outcomes if outcome.question.source is not None]
    outside = [outcome for outcome in outcomes if outcome.question.source is None]
    times = sorted(outcome.milliseconds for outcome in outcomes)
    return Report(
        in_scope=len(inside),
        out_of_scope=len(outside),
        accuracy_in_scope=_share([outcome.answered_by == outcome.question.source for outcome in inside]),
        accuracy_without_threshold=_share([outcome.nearest == outcome.question.source for outcome in inside]),
        recall_out_of_scope=_share([outcome.answered_by is None for outcome in outside]),
        milliseconds_p50=statistics.median(times),
        milliseconds_p99=times[int(len(times) * 0.99)],
        learning_seconds=learned - started,
        loading_milliseconds=(loaded - learned) * MILLISECONDS,
        index_bytes=len(index),
    )


def read_questions(file: Path, sections: Sequence[Lesson]) -> list[Question]:
    """Return the questions of a file; raises KnowledgeError naming the line that is wrong."""
    names = _names(sections)
    try:
        # Not at U+2028 and its like, which JSON may hold as they are.
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise KnowledgeError(f"{file}: cannot be read ({error.strerror}); give a file of questions") from None
    except UnicodeDecodeError:
        raise KnowledgeError(f"{file}: the file is not UTF-8; save it as UTF-8") from None
    found = [_question(line, f"{file}:{number}", names) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise KnowledgeError(f'{file}: holds no question; write lines such as {{"question": "…", "source": null}}')
    return found


def _question(line: str, where: str, names: Mapping[str, str | None]) -> Question:
    try:
        entry = json.loads(line)
        text, source = entry["question"], entry["source"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KnowledgeError(f'{where}: no object such as {{"question": "…", "source": "…"}}') from None
    if not isinstance(text, str) or not isinstance(source, str | None):
        raise KnowledgeError(f"{where}: 'question' is a text, and 'source' is a text or null")
    if source is None:
        return Question(text, None)
    section = names.get(source, names.get(slug(source)))
    if section is None:
        why = "names several sections; give its id" if slug(source) in names else "names no section of the knowledge"
        raise KnowledgeError(f"{where}: the source {source!r} {why}")
    return Question(text, section)


def _names(sections: Sequence[Lesson]) -> dict[str, str | None]:
    """Return the id of the section by everything that may name it; None where several have the name."""
    names: dict[str, str | None] = {}
    files: dict[str, list[str]] = {}
    for section in sections:
        file, _, title = section.id.partition("#")
        files.setdefault(file, []).append(section.id)
        for name in {section.title, title, slug(section.title)}:
            names[name] = section.id if names.get(name, section.id) == section.id else None
    for file, ids in files.items():
        if len(ids) == 1:
            names.setdefault(file, ids[0])
            names.setdefault(slug(file), ids[0])
    return names | {section.id: section.id for section in sections}


def _ask(knowledge: Knowledge, question: Question) -> Outcome:
    responder = KnowledgeResponder(knowledge)
    started = time.thread_time()
    reply = responder.reply(question.text, ())
    milliseconds = (time.thread_time() - started) * MILLISECONDS
    nearest = next((match.section.id for match in knowledge.search(question.text, limit=1)), None)
    return Outcome(question, reply.source.id if reply.source and reply.answered else None, nearest, milliseconds)


def _shown(questions: Sequence[Question]) -> Iterator[Question]:
    console = Console(stderr=True)
    return iter(track(questions, "asking …", console=console, transient=True, disable=not console.is_terminal))


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


def show(report: Report, console: Console) -> None:
    """Print a report as a table."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    table.add_row(
        "accuracy in scope",
        _percent(report.accuracy_in_scope),
        f"of {report.in_scope:,} questions: answered, from the right section",
    )
    table.add_row(
        "recall out of scope",
        _percent(report.recall_out_of_scope),
        f"of {report.out_of_scope:,} questions: not answered",
    )
    table.add_row("nearest section right", _percent(report.accuracy_without_threshold), "in scope, answered or not")
    table.add_row(
        "time per question", f"{report.milliseconds_p50:.2f} ms", f"CPU, median; p99 {report.milliseconds_p99:.2f} ms"
    )
    table.add_row(
        "learning",
        f"{report.learning_seconds:.1f} s",
        f"index of {report.index_bytes / 1e6:.2f} MB, opened in {report.loading_milliseconds:.1f} ms",
    )
    console.print(table)


def _percent(share: float | None) -> str:
    return "none asked" if share is None else f"{share:.1%}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m chatbot.examine.evaluate", description="Measure the answers to questions."
    )
    parser.add_argument("knowledge", type=Path, metavar="KNOWLEDGE", help="folder with the knowledge files")
    parser.add_argument(
        "questions", type=Path, metavar="QUESTIONS", help='lines of {"question": …, "source": … or null}'
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    try:
        report = evaluate(options.knowledge, options.questions)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        show(report, Console(highlight=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
