"""What went unanswered and what got a thumbs-down: found, grouped, shown."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatbot.access import Access
from chatbot.contract import Feedback
from chatbot.conversation import Conversations
from chatbot.dynamodb import DynamoStore
from chatbot.reply import Reply
from delivery.insights import Insights, grouped
from delivery.turns import Turn, turns_to_review
from tests.unit.chatbot import emulated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TABLE = "insights-conversations"


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


class Says:
    """A responder that knows one thing."""

    starters = ()
    needs_reservation = False
    most_tokens = 0

    def reply(self, question: str, history: object) -> Reply:
        return Reply(text="Yes.", answered=question == "known")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with emulated.server() as endpoint:
        found = emulated.client(endpoint)
        emulated.create_table(found, TABLE)
        yield found


def test_the_turns_that_the_bot_kept_are_found(client: Any) -> None:
    """Unanswered and badly rated ones, newest first, within the days; what was answered, deleted or expired is not."""
    clock = [NOW - timedelta(days=60)]
    conversations = Conversations(
        store=DynamoStore(client, table_name=TABLE),
        responder=Says(),
        greeting="Hello!",
        retention=timedelta(days=40),
        messages_per_minute=6_000,
        now=lambda: clock[0],
    )

    def ask(*questions: str) -> Access:
        started = conversations.start()
        access = Access(started.conversation_id, started.token)
        for question in questions:
            conversations.send(access, question)
            clock[0] += timedelta(seconds=1)
        return access

    ask("expired")
    clock[0] = NOW - timedelta(days=31)
    ask("too long ago")
    clock[0] = NOW - timedelta(days=1)
    conversations.delete(ask("deleted"))
    kept = ask("first", "known", "known", *(f"question {number}" for number in range(120)))
    conversations.rate(kept, 2, Feedback("down", "Not true."))
    conversations.rate(kept, 3, Feedback("up", None))

    found = turns_to_review(client, TABLE, since=NOW - timedelta(days=30), now=NOW)

    assert [each.question for each in found] == [*(f"question {n}" for n in reversed(range(120))), "known", "first"]
    assert [(each.rating, each.comment) for each in found if each.answered] == [("down", "Not true.")]
