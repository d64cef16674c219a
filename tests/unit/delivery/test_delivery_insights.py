"""What went unanswered and what got a thumbs-down: found, grouped, shown."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.insights import Insights, grouped
from delivery.turns import Turn

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def turn(question: str, minutes_ago: int = 0, **changes: Any) -> Turn:
    parts = {"answered": False, "rating": None, "comment": None, "source": None} | changes
    return Turn(question=question, asked_at=NOW - timedelta(minutes=minutes_ago), **parts)


def test_the_same_question_is_one_entry_however_it_was_typed() -> None:
    """Its count, the last time, and that time's spelling; the question asked last comes first."""
    found = grouped([turn("Why?", 9), turn("what is x", 3), turn("What  is X", 1), turn("WHAT IS X", 5)])

    assert [(each.question, each.times) for each in found] == [("What  is X", 3), ("Why?", 1)]
    assert found[0].last_asked == NOW - timedelta(minutes=1)


def test_an_entry_tells_where_answers_came_from_and_what_was_said_about_them() -> None:
    """Each source and each comment once, the newest first."""
    (found,) = grouped(
        [
            turn("x", 1, source="A", comment="No."),
            turn("x", 2, source="B", comment="No."),
            turn("x", 3, source="A", comment="Wrong."),
        ]
    )

    assert (found.sources, found.comments) == (("A", "B"), ("No.", "Wrong."))


def test_what_people_wrote_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a terminal's commands nor the table's own markup come through, and nothing is said twice."""
    hostile = "[red]x[/red] \x1b[2J\u202e\nnext line"

    Insights("dev", NOW, grouped([turn(hostile)]), ()).show()

    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "\x1b[2J" not in out
    assert "\u202e" not in out
    assert "Unanswered since 2026-11-22 in dev" in out
    assert "Thumbs down since 2026-11-22 in dev: nothing" in out


def test_a_long_list_says_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has all of it."""
    found = Insights("dev", NOW, grouped(turn(f"question {number}") for number in range(45)), ())

    found.show()

    assert "and 15 more: see --json" in capsys.readouterr().out
    assert len(json.loads(found.as_json())["unanswered"]) == 45
