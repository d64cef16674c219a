"""Warm workers of one function: reused, started under concurrency, limited and ended."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rehearsal.functions.deployed import Deployed
from rehearsal.functions.worker import Worker
from rehearsal.protocol import ServiceError

LIMIT = 32
"""How many workers of a function this machine runs at once when nothing is reserved."""

PATIENCE_SECONDS = 30
"""How long a call waits where Lambda would have started one more worker."""


class Pool:
    """Lends the workers of all versions of one function.

    Reserved concurrency is exact, as on Lambda; beyond the machine's own limit calls wait for a while first.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """

    def __init__(self, start: Callable[[Deployed], Worker]) -> None:
        self._start = start
        self._idle: list[Worker] = []
        self._busy: set[Worker | None] = set()
        self._running = 0
        self._closed = False
        self._free = threading.Condition()

    @contextmanager
    def worker(self, deployed: Deployed) -> Iterator[Worker]:
        """Lend a worker of ``deployed`` for one event; raises ``TooManyRequestsException`` as Lambda does."""
        stale: list[Worker] = []
        with self._free:
            self._admit(deployed)
            self._running += 1
            worker = self._take(deployed, stale)
        try:
            for each in stale:
                each.stop()
            worker = worker or self._begin(deployed)
            yield worker
        finally:
            self._give_back(worker)

    def end_idle(self, older_than: float) -> None:
        """Stop the workers that had nothing to do for ``older_than`` seconds."""
        before = time.monotonic() - older_than
        with self._free:
            ending = [worker for worker in self._idle if worker.idle_since <= before or not worker.alive]
            self._idle = [worker for worker in self._idle if worker not in ending]
        for worker in ending:
            worker.stop()

    def close(self) -> None:
        """Stop all workers, whatever they are doing, and lend no more."""
        with self._free:
            self._closed = True
            workers = [*self._idle, *(worker for worker in self._busy if worker)]
            self._idle = []
            self._free.notify_all()
        for worker in workers:
            worker.stop()

    def _admit(self, deployed: Deployed) -> None:
        if deployed.reserved is not None:
            if self._running >= deployed.reserved:
                raise throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        elif not self._free.wait_for(lambda: self._closed or self._running < LIMIT, PATIENCE_SECONDS):
            raise throttled("ConcurrentInvocationLimitExceeded")
        if self._closed:
            raise ServiceError("ServiceException", "the rehearsal is closing", 500)

    def _take(self, deployed: Deployed, stale: list[Worker]) -> Worker | None:
        """Pick the worker that was used last; workers of what $LATEST was before are of no use any more."""
        for worker in reversed(self._idle):
            outdated = worker.deployed.version == deployed.version and worker.deployed != deployed
            if outdated or not worker.alive:
                stale.append(worker)
        self._idle = [worker for worker in self._idle if worker not in stale]
        for worker in reversed(self._idle):
            if worker.deployed == deployed:
                self._idle.remove(worker)
                self._busy.add(worker)
                return worker
        return None

    def _begin(self, deployed: Deployed) -> Worker:
        worker = self._start(deployed)
        with self._free:
            self._busy.add(worker)
            closed = self._closed
        if closed:
            worker.stop()
        return worker

    def _give_back(self, worker: Worker | None) -> None:
        with self._free:
            self._running -= 1
            self._busy.discard(worker)
            keep = worker is not None and worker.alive and not self._closed
            if worker is not None and keep:
                self._idle.append(worker)
            self._free.notify()
        if worker is not None and not keep:
            worker.stop()


def throttled(reason: str) -> ServiceError:
    """Return the error of a call that finds no concurrency left."""
    return ServiceError("TooManyRequestsException", f"Rate Exceeded. ({reason})", 429)
