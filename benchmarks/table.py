"""Shows figures: as a table for people, as JSON for programs."""

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.figure import Figure, Sample
from benchmarks.goals import Goal, Measure, goals_of

COLUMNS = ("figure", "ours", "min", "peer", "", "min", "ratio", "goal")
NUMERIC = frozenset({1, 2, 4, 5, 6})
WORDS = {Measure.OURS: "{} {}", Measure.RATIO: "ratio {} {}", Measure.DIFFERENCE: "{} peer + {}"}
COLOURS = {True: "green", False: "bold red", None: "yellow"}
VERDICTS = {True: "met", False: "missed", None: "not measured"}


def show(console: Console, title: str, figures: Iterable[Figure]) -> None:
    """Print one benchmark's figures; its medians and ratios are of this run."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, heading in enumerate(COLUMNS):
        right = number in NUMERIC
        table.add_column(heading, justify="right" if right else "left", no_wrap=right)
    figures = tuple(figures)
    for figure in figures:
        table.add_row(*_row(figure))
    console.print(table)
    for figure in figures:
        if figure.note:
            console.print(f"  {escape(figure.what)}: {escape(figure.note)}", style="dim", highlight=False)


def _row(figure: Figure) -> tuple[str, ...]:
    ours, peer = _cells(figure.ours, figure.unit), _cells(figure.peer, figure.unit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    goals = "\n".join(_goal(goal, figure) for goal in goals_of(figure))
    return (escape(figure.what), *ours, escape(figure.peer_name), *peer, ratio, goals)


def _cells(sample: Sample | None, unit: str) -> tuple[str, str]:
    if sample is None:
        return "", ""
    least = _number(sample.least) if len(sample.values) > 1 else ""
    return f"{_number(sample.median)} {unit}".strip(), least


def _goal(goal: Goal, figure: Figure) -> str:
    met = goal.is_met(figure)
    unit = f" {figure.unit}" if figure.unit and goal.measure is not Measure.RATIO else ""
    bound = WORDS[goal.measure].format("≥" if goal.at_least else "≤", f"{goal.bound:g}{unit}")
    return f"[{COLOURS[met]}]{escape(bound)} {VERDICTS[met]}[/]"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def as_json(figures: Iterable[Figure]) -> str:
    """Return every value that was measured, and how each goal stands."""
    return json.dumps([_plain(figure) for figure in figures], indent=2) + "\n"


def _plain(figure: Figure) -> dict[str, Any]:
    return {
        "id": figure.id,
        "what": figure.what,
        "unit": figure.unit,
        "ours": _plain_sample(figure.ours),
        "peer": _plain_sample(figure.peer),
        "peer_name": figure.peer_name,
        "ratio": figure.ratio,
        "note": figure.note,
        "goals": [
            {"of": goal.measure.value, "bound": goal.bound, "at_least": goal.at_least, "met": goal.is_met(figure)}
            for goal in goals_of(figure)
        ],
    }


def _plain_sample(sample: Sample | None) -> dict[str, Any] | None:
    if sample is None:
        return None
    return {"median": sample.median, "min": sample.least, "values": list(sample.values)}
