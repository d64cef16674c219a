"""Who put what where, when, from which plan: the ledger as a person reads it, and as programs do."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from delivery.errors import UsageError
from delivery.ledger import Ledger
from delivery.printable import one_line
from delivery.project import Project
from delivery.record import Record, Status

if TYPE_CHECKING:
    from rich.table import Table

STYLES = {
    Status.APPLIED: "green",
    Status.FAILED: "red",
    Status.INTERRUPTED: "red",
    Status.APPLYING: "yellow",
    Status.REFUSED: "yellow",
    Status.PLANNED: "dim",
}
SHORT = 12
"""How much of a digest tells it from others, for a person."""


def environments(project: Project) -> list[str]:
    """Return the environments that the synthesized stacks name, in the order of the pipeline."""
    ordered = project.in_order(project.stack_names)
    return list(dict.fromkeys(project.stack(name).environment for name in ordered))


def history(project: Project, environment: str | None, limit: int) -> list[Record]:
    """Return the latest plans of one environment, or of all of them, the newest first."""
    ledger = Ledger.of(project)
    names = [environment] if environment else environments(project)
    found = [record for name in names for record in ledger.plans(name, limit)]
    return sorted(found, key=lambda record: record.created_at, reverse=True)[:limit]


def one_plan(project: Project, environment: str | None, start: str) -> Record:
    """Return the plan whose digest begins with ``start``; raises ``UsageError`` unless there is exactly one."""
    ledger = Ledger.of(project)
    names = [environment] if environment else environments(project)
    found = [record for name in names for record in ledger.plans(name) if record.plan_sha256.startswith(start.lower())]
    if len(found) == 1:
        return found[0]
    where = environment or ", ".join(names)
    if not found:
        raise UsageError(f"the ledger of {where} knows no plan whose digest begins with {start!r}")
    raise UsageError(f"{len(found)} plans of {where} have a digest that begins with {start!r}: give more of it")


def show(records: Sequence[Record]) -> None:
    """Print a table of ``records``."""
    try:
        from rich.console import Console
    except ImportError as error:
        raise UsageError("a table needs the package rich: use .venv/bin/python, or --json") from error
    # Redirected, a line is as long as it has to be: a program may read it.
    Console(width=None if sys.stdout.isatty() else 220, highlight=False).print(_table(records))


def _table(records: Iterable[Record]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("planned", "environment", "what", "outcome", "by", "commit", "plan"):
        table.add_column(title, overflow="fold")
    for record in records:
        outcome = Text(outcome_of(record), style=STYLES[record.status])
        who, what = Text(one_line(who_of(record))), Text(_what(record))
        times, commit = Text(_time(record.created_at)), Text(record.commit[:SHORT] or "?")
        table.add_row(times, Text(record.environment), what, outcome, who, commit, Text(record.plan_sha256[:SHORT]))
    return table


def outcome_of(record: Record) -> str:
    """Return what became of a plan, and when."""
    if record.apply is None:
        return str(record.status)
    at = _time(record.apply.ended_at or record.apply.started_at)
    return f"{record.status} {at if at[:10] != _time(record.created_at)[:10] else at[11:]}"


def who_of(record: Record) -> str:
    """Return who approved a plan, else as whom it was applied."""
    if record.apply is None:
        return ""
    approvals = record.apply.approvals
    if not approvals:
        return _name(record.apply.by)
    return "; ".join(f"{_name(one.by)}{f' “{one.comment}”' if one.comment else ''}" for one in approvals)


def as_data(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return ``records`` as JSON has them."""
    return [record.as_data() | {"status": str(record.status)} for record in records]


def _what(record: Record) -> str:
    """Return the counts of a summary; what they are about stands in the review."""
    return record.plan.summary.removeprefix(f"{record.plan.stack}: ").partition(": ")[0]


def _name(arn: str) -> str:
    """Return what in an ARN a person knows: ``user/ann``, or a role and its session."""
    return arn.rpartition(":")[2].removeprefix("assumed-role/").removeprefix("user/")


def _time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
