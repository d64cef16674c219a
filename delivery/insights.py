"""What people asked in vain, and what they thought little of, question by question."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from delivery.aws import asking, client
from delivery.errors import DeliveryError, UsageError
from delivery.printable import one_line
from delivery.progress import working
from delivery.project import Project, Stack
from delivery.state import Backend
from delivery.turns import Turn, turns_to_review

if TYPE_CHECKING:
    from rich.table import Table

STACK_PREFIX = "chatbot-"
SHOWN = 30


@dataclass(frozen=True)
class Question:
    """One question, however often it was asked and however it was typed."""

    question: str
    times: int
    last_asked: datetime
    sources: tuple[str, ...]
    comments: tuple[str, ...]


@dataclass(frozen=True)
class Insights:
    """What the bot of an environment did not do well, newest first."""

    environment: str
    since: datetime
    unanswered: tuple[Question, ...]
    thumbs_down: tuple[Question, ...]

    def as_json(self) -> str:
        """Return everything as JSON."""
        return json.dumps(asdict(self), default=datetime.isoformat, ensure_ascii=False, indent=2)

    def show(self) -> None:
        """Print both lists as tables, or say that there is nothing in them."""
        from rich.console import Console

        console = Console()
        days = f"since {self.since:%Y-%m-%d} in {self.environment}"
        for title, questions in (("Unanswered", self.unanswered), ("Thumbs down", self.thumbs_down)):
            if questions:
                console.print(_table(f"{title} {days}", questions[:SHOWN]))
            else:
                console.print(f"{title} {days}: nothing")
            if len(questions) > SHOWN:
                console.print(f"and {len(questions) - SHOWN} more: see --json")


def insights(project: Project, environment: str, *, days: int, now: datetime) -> Insights:
    """Read what happened in the last ``days``.

    Raises ``UsageError`` for an environment that there is not, ``DeliveryError`` where nothing is deployed.
    """
    stack, since = _stack(project, environment), now - timedelta(days=days)
    table = _table_name(stack, environment)
    region = stack.configuration["provider"]["aws"][0]["region"]
    with working(f"reading {table}"), asking(f"{table} in {region}"):
        turns = turns_to_review(client("dynamodb", region), table, since=since, now=now)
    return Insights(
        environment=environment,
        since=since,
        unanswered=grouped(turn for turn in turns if not turn.answered),
        thumbs_down=grouped(turn for turn in turns if turn.rating == "down"),
    )


def grouped(turns: Iterable[Turn]) -> tuple[Question, ...]:
    """Return one entry for each question, the last asked first; case and blanks make no other question."""
    groups: dict[str, list[Turn]] = {}
    for turn in turns:
        groups.setdefault(" ".join(turn.question.casefold().split()), []).append(turn)
    found = [_question(sorted(group, key=lambda turn: turn.asked_at, reverse=True)) for group in groups.values()]
    return tuple(sorted(found, key=lambda question: question.last_asked, reverse=True))


def _question(turns: list[Turn]) -> Question:
    return Question(
        question=turns[0].question,
        times=len(turns),
        last_asked=turns[0].asked_at,
        sources=tuple(dict.fromkeys(turn.source for turn in turns if turn.source)),
        comments=tuple(dict.fromkeys(turn.comment for turn in turns if turn.comment)),
    )


def _stack(project: Project, environment: str) -> Stack:
    found = project.in_order(name for name in project.stack_names if name.startswith(STACK_PREFIX))
    names = [name.removeprefix(STACK_PREFIX) for name in found]
    if names and environment not in names:
        raise UsageError(f"no environment {environment!r}: there are {', '.join(names)}")
    return project.stack(f"{STACK_PREFIX}{environment}")


def _table_name(stack: Stack, environment: str) -> str:
    name = Backend.of(stack).outputs().get("table_name")
    if not name:
        raise DeliveryError(f"nothing is deployed to {environment} yet: a push to the pipeline's branch does that")
    return str(name)


def _table(title: str, questions: Sequence[Question]) -> "Table":
    """Lay out questions; a column that would be empty is left out."""
    from rich.table import Table
    from rich.text import Text

    columns = {
        "Last asked (UTC)": [f"{each.last_asked.astimezone(UTC):%Y-%m-%d %H:%M}" for each in questions],
        "Times": [str(each.times) for each in questions],
        "Question": [each.question for each in questions],
        "Answered from": [", ".join(each.sources) for each in questions],
        "Comments": [" / ".join(each.comments) for each in questions],
    }
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    table = Table(*shown, title=title, title_justify="left")
    for row in zip(*shown.values(), strict=True):
        table.add_row(*(Text(one_line(cell)) for cell in row))  # as text: people write brackets, too
    return table
