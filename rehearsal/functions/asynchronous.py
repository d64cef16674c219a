"""Asynchronous invocations: queued, run in the background, and tried again."""

import heapq
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from rehearsal.functions.deployed import Deployed
from rehearsal.functions.invocation import Invocation
from rehearsal.protocol import ServiceError

RETRY_SECONDS = (60, 120)
THROTTLED_SECONDS = 1
CONCURRENCY = 8


@dataclass(order=True, frozen=True)
class Attempt:
    """One try at an event, due at a monotonic time."""

    due: float
    request_id: str
    number: int = field(compare=False)
    deployed: Deployed = field(compare=False)
    payload: bytes = field(compare=False)
    client_context: str = field(compare=False)
    trace: str = field(compare=False)


class Asynchronous:
    """Runs events in the background: failed ones again after one and after two minutes, throttled ones later.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    def __init__(self, run: Callable[..., Invocation]) -> None:
        self._run = run
        self._attempts: list[Attempt] = []
        self._changed = threading.Condition()
        self._closed = False
        self._executor = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="function-event")
        self._thread = threading.Thread(target=self._dispatch, name="function-events", daemon=True)
        self._thread.start()

    def submit(self, deployed: Deployed, payload: bytes, *, client_context: str, trace: str) -> str:
        """Queue an event and return its request id."""
        request_id = str(uuid.uuid4())
        self._add(Attempt(time.monotonic(), request_id, 0, deployed, payload, client_context, trace))
        return request_id

    def cancel(self) -> None:
        """Start nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def close(self) -> None:
        """Wait for what still runs (its workers were stopped)."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _add(self, attempt: Attempt) -> None:
        with self._changed:
            heapq.heappush(self._attempts, attempt)
            self._changed.notify_all()

    def _dispatch(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._attempts[0].due - time.monotonic() if self._attempts else None
                if wait is not None and wait <= 0:
                    self._executor.submit(self._try, heapq.heappop(self._attempts))
                else:
                    self._changed.wait(wait)

    def _try(self, attempt: Attempt) -> None:
        try:
            outcome = self._run(
                attempt.deployed,
                attempt.payload,
                request_id=attempt.request_id,
                client_context=attempt.client_context,
                trace=attempt.trace,
            )
        except ServiceError as error:
            if error.status == 429:
                self._again(attempt, attempt.number, THROTTLED_SECONDS)
            return
        if outcome.error and attempt.number < min(attempt.deployed.retries, len(RETRY_SECONDS)):
            self._again(attempt, attempt.number + 1, RETRY_SECONDS[attempt.number])

    def _again(self, attempt: Attempt, number: int, seconds: float) -> None:
        due = time.monotonic() + seconds
        context, trace = attempt.client_context, attempt.trace
        self._add(Attempt(due, attempt.request_id, number, attempt.deployed, attempt.payload, context, trace))
