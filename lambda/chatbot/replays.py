"""What a repeated message gets: the turn that the first request with its idempotency key has made."""

from __future__ import annotations

import random
import time
from copy import replace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatbot.access import Access, admitted
from chatbot.errors import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chatbot.contract import Turn
    from chatbot.store import Holder, KeyTakenError, Store

ATTEMPTS = 6
LONGEST_FIRST_WAIT = 0.2
RETRY_AFTER_SECONDS = 3
UNDER_WAY = "Another request with this Idempotency-Key is under way; send this one again."


def pause(attempt: int, longest_first: float = 0.1) -> None:
    """Wait a random time, which may be twice as long after every attempt.

    Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    time.sleep(random.uniform(0, longest_first * 2**attempt))  # noqa: S311 (jitter, not a secret)


@dataclass(frozen=True, kw_only=True)
class Replays:
    """Finds the turns of keys that are taken."""

    store: Store
    now: Callable[[], datetime]
    pause: Callable[..., None]

    def made_by(self, taken: KeyTakenError, access: Access) -> Turn:
        """Return the turn that a taken key stands for, waiting for the request that is still at it.

        Raises ProblemError when the key came with another body, or when that request takes too long or has failed.
        """
        key = taken.key
        holder: Holder | None = taken.holder
        for attempt in range(ATTEMPTS):
            if attempt:
                self.pause(attempt - 1, LONGEST_FIRST_WAIT)
                holder = self.store.holder(access.conversation_id, key, now=self.now())
            if holder is None:  # the other request has failed
                break
            if holder.body_hash != key.body_hash:
                raise ProblemError(Problem.IDEMPOTENCY_KEY_REUSED)
            if holder.number is not None:
                turn = taken.turn or self._turn(access, holder.number)
                return replace(turn, feedback=None)  # as it was answered the first time
        raise ProblemError(Problem.CONFLICT, detail=UNDER_WAY, retry_after=RETRY_AFTER_SECONDS)

    def _turn(self, access: Access, number: int) -> Turn:
        found = admitted(access, self.store.one(access.conversation_id, number=number, now=self.now()))
        (kept,) = found.turns
        return kept.turn
