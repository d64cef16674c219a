"""Executions and builds' output as text that any terminal can take."""

import re
from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from rehearsal.commands import tail
from rehearsal.execution import Execution, Stage

ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")
MARKS = {
    "Succeeded": ("✔", "green"),
    "Failed": ("✘", "bold red"),
    "Rejected": ("✘", "bold red"),
    "Stopped": ("■", "yellow"),
    "Stopping": ("■", "yellow"),
    "Cancelled": ("■", "yellow"),
    "Abandoned": ("■", "yellow"),
    "Superseded": ("↷", "yellow"),
    "Skipped": ("↷", "dim"),
    "InProgress": ("▶", "cyan"),
}
UNBEGUN = ("·", "dim")


def printable(text: str) -> str:
    """Return ``text`` without what would move the cursor or recolour a terminal: it comes from builds."""
    plain = ESCAPES.sub("", text).expandtabs(4)
    return "".join(character if character.isprintable() else "�" for character in plain)


def duration(seconds: float | None) -> str:
    """``3.2s``, ``4m05s``, ``1h02m``."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def mark(status: str) -> Text:
    """Return the status's sign and name."""
    sign, style = MARKS.get(status, UNBEGUN)
    return Text(f"{sign} {status}".rstrip(), style=style)


def summary(execution: Execution) -> Table:
    """Return the table of ``execution``'s stages and actions."""
    table = Table(title=None, box=None, padding=(0, 2, 0, 0))
    for name in ("stage", "action", "status"):
        table.add_column(name, header_style="dim", overflow="fold")
    table.add_column("time", justify="right", header_style="dim", no_wrap=True)
    for stage in execution.stages:
        for row, action in enumerate(stage.actions):
            status = action.outcome or (stage.status if stage.status == "Skipped" else "")
            name = printable(stage.name) if row == 0 else ""
            table.add_row(Text(name), Text(printable(action.name)), mark(status), duration(action.seconds))
    return table


def progress(execution: Execution, rows: int) -> Group:
    """Return the live view: a line for each stage (at most ``rows``), and the last log line of what is running."""
    lines = [_stage_line(stage) for stage in execution.stages]
    current = next((i for i, stage in enumerate(execution.stages) if stage.status in {"InProgress", "Stopping"}), 0)
    first = max(0, min(current - rows // 2, len(lines) - rows))
    heading = f"{execution.identifier[:8]}  {execution.commit[:8]}  {duration(execution.seconds)}"
    return Group(
        Text(heading, style="bold", no_wrap=True, overflow="ellipsis"),
        *lines[first : first + rows],
        *_log_lines(execution),
    )


def _stage_line(stage: Stage) -> Text:
    sign, style = MARKS.get(stage.status, UNBEGUN)
    line = Text(f"{sign} {printable(stage.name)}", style=style, no_wrap=True, overflow="ellipsis")
    running = [f"{action.name} {duration(action.seconds)}" for action in stage.actions if action.status == "InProgress"]
    line.append(f"  {', '.join(map(printable, running)) or duration(stage.seconds)}", style="dim")
    return line


def _log_lines(execution: Execution) -> Iterator[Text]:
    for action in execution.actions:
        if action.status == "InProgress" and action.log is not None:
            for line in tail(action.log, 1):
                yield Text(f"  {printable(line)}", style="dim", no_wrap=True, overflow="ellipsis")
