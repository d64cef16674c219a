"""What a request takes before it asks a model: its idempotency key, for a while, and tokens of the day."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chatbot.errors import Problem, ProblemError
from chatbot.store import Key, Reservation

if TYPE_CHECKING:
    from datetime import date

LEASE = timedelta(seconds=30)
"""How long a request may hold a key: longer than the function's own time, so that it cannot run any more then."""


def new_reservation(key: Key | None, *, now: datetime, most_tokens: int, daily_tokens: int) -> Reservation:
    """Return what a request needs to ask for a reply that spends `most_tokens` at most."""
    return Reservation(
        owner=secrets.token_hex(8),
        key=key,
        now=now,
        until=now + LEASE,
        day=_day_of(now),
        tokens=most_tokens,
        most_before=daily_tokens - most_tokens,
    )


def cap_reached(now: datetime) -> ProblemError:
    """Return the problem of who comes when the day's tokens are spent; it says when the next day begins."""
    midnight = datetime.combine(_day_of(now) + timedelta(days=1), datetime.min.time(), UTC)
    return ProblemError(
        Problem.TOKEN_CAP_REACHED,
        detail=f"The bot has spent today's share of its model; it answers again from {midnight:%Y-%m-%dT%H:%M:%SZ}.",
        retry_after=int((midnight - now).total_seconds()) + 1,
    )


def _day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()
