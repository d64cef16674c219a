"""What the bot kept in its table, found again by those who look after its answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatbot.access import Access
from chatbot.contract import Feedback
from chatbot.conversation import Conversations
from chatbot.dynamodb import DynamoStore
from chatbot.reply import Reply
from delivery.turns import turns_to_review
from tests.unit.chatbot import emulated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TABLE = "insights-conversations"


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
