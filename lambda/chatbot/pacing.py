"""How fast one conversation may go: a whole minute's messages at once, then evenly spaced.

This is the generic cell rate algorithm (ITU-T I.371): all that is kept is when the conversation will have caught up
with the messages it took, in milliseconds of Unix time.
"""

from __future__ import annotations

import math

MINUTE = 60_000


class TooFastError(Exception):
    """The message came too soon; `seconds` later it is welcome."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def admit(caught_up_at: int, *, now: int, per_minute: int) -> int:
    """Return when the conversation will have caught up once it takes one more message; raises TooFastError."""
    behind = max(caught_up_at, now) + math.ceil(MINUTE / per_minute)
    if behind - now > MINUTE:
        raise TooFastError(math.ceil((behind - now - MINUTE) / 1000))
    return behind
