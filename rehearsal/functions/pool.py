"""Warm workers of one function: reused, started under concurrency, limited and ended."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from rehearsal.functions.deployed import Deployed
from rehearsal.functions.worker import Worker
from rehearsal.protocol import ServiceError

CORES = os.process_cpu_count() or 1
AT_ONCE = 2 * CORES
"""So many workers of a function start as soon as calls need them; a machine runs no more at full speed."""

LIMIT = max(32, AT_ONCE)
"""So many there are at most: for functions that wait for something, in which time others can run."""

GROWTH_SECONDS = 2.0
"""A call that has waited for so long for one of the first workers gets one of its own."""

PATIENCE_SECONDS = 30.0
"""So long a call waits where Lambda would have started one more worker."""

ACCOUNT_CONCURRENCY = 1000
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#compute-and-storage"""


@dataclass(frozen=True, eq=False)
class Ticket:
    """A call that waits for a worker; ``outcome`` is one, or None when it is to start its own."""

    deployed: Deployed
    outcome: Future[Worker | None] = field(default_factory=Future)


class Pool:
    """Lends the workers of all versions of one function; calls wait in the order in which they came.

    Concurrency is counted as on Lambda, where a call that waits here would have run already.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """

    def __init__(self, start: Callable[[Deployed], Worker]) -> None:
        self._start = start
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._waiting: deque[Ticket] = deque()
        self._calls = 0
        self._places = 0
        """How many workers are lent or being started."""
        self._being_made = 0
        self._warming: set[Deployed] = set()
        self._closed = False
        self._lock = threading.Lock()

    @contextmanager
    def worker(self, deployed: Deployed) -> Iterator[Worker]:
        """Lend a worker of ``deployed`` for one event; raises ``TooManyRequestsException`` as Lambda does."""
        with self._lock:
            self._admit(deployed)
            self._calls += 1
        try:
            worker = self._lend(deployed)
            try:
                yield worker
            finally:
                self._give_back(worker)
        finally:
            with self._lock:
                self._calls -= 1

    def warm(self, deployed: Deployed) -> None:
        """Start a worker of ``deployed`` before it is called, if there is none and there is room for one."""
        with self._lock:
            there = deployed in self._warming or any(each.deployed == deployed for each in (*self._idle, *self._busy))
            if there or self._closed or self._places >= AT_ONCE or deployed.reserved == 0:
                return
            self._warming.add(deployed)
            self._places += 1
            self._being_made += 1
        try:
            self._give_back(self._begin(deployed))
        finally:
            with self._lock:
                self._warming.discard(deployed)

    def end_idle(self, older_than: float) -> None:
        """Stop the workers that had nothing to do for ``older_than`` seconds."""
        before = time.monotonic() - older_than
        with self._lock:
            ending = [worker for worker in self._idle if worker.idle_since <= before or not worker.alive]
            self._idle = [worker for worker in self._idle if worker not in ending]
        for worker in ending:
            worker.stop()

    def close(self) -> None:
        """Stop all workers, whatever they are doing, and lend no more."""
        with self._lock:
            self._closed = True
            workers, waiting = [*self._idle, *self._busy], [*self._waiting]
            self._idle, self._waiting = [], deque()
        for ticket in waiting:
            ticket.outcome.set_exception(closing())
        for worker in workers:
            worker.stop()

    def _admit(self, deployed: Deployed) -> None:
        if self._closed:
            raise closing()
        if deployed.reserved is not None and self._calls >= deployed.reserved:
            raise throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        if self._calls >= ACCOUNT_CONCURRENCY:
            raise throttled("ConcurrentInvocationLimitExceeded")

    def _lend(self, deployed: Deployed) -> Worker:
        ticket = Ticket(deployed)
        with self._lock:
            stale = self._stale(deployed)
            self._idle = [worker for worker in self._idle if worker not in stale]
            if (worker := self._take(deployed)) is not None:
                self._places += 1
                self._busy.add(worker)
                ticket.outcome.set_result(worker)
            elif self._places < AT_ONCE:
                self._start_own(ticket)
            else:
                self._waiting.append(ticket)
        for each in stale:
            each.stop()
        return self._awaited(ticket) or self._begin(deployed)

    def _awaited(self, ticket: Ticket) -> Worker | None:
        """Wait for the ticket's turn, at most until it is time to start one more worker or to give up."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return ticket.outcome.result(timeout=GROWTH_SECONDS)
            except TimeoutError:
                with self._lock:
                    if ticket not in self._waiting:
                        continue
                    if self._places < LIMIT and self._starting() < CORES:
                        self._waiting.remove(ticket)
                        self._start_own(ticket)
                    elif time.monotonic() > deadline:
                        self._waiting.remove(ticket)
                        raise throttled("ConcurrentInvocationLimitExceeded") from None

    def _stale(self, deployed: Deployed) -> list[Worker]:
        """Workers of what $LATEST was before are of no use any more, nor are dead ones."""
        return [
            worker
            for worker in self._idle
            if not worker.alive or (worker.deployed.version == deployed.version and worker.deployed != deployed)
        ]

    def _take(self, deployed: Deployed) -> Worker | None:
        """Take the worker that was used last out of the idle ones."""
        for worker in reversed(self._idle):
            if worker.deployed == deployed:
                self._idle.remove(worker)
                return worker
        return None

    def _start_own(self, ticket: Ticket) -> None:
        self._places += 1
        self._being_made += 1
        ticket.outcome.set_result(None)

    def _starting(self) -> int:
        return self._being_made + sum(not worker.ready for worker in self._busy)

    def _begin(self, deployed: Deployed) -> Worker:
        worker = None
        try:
            worker = self._start(deployed)
        finally:
            with self._lock:
                self._being_made -= 1
                if worker is None:
                    self._leave()
                else:
                    self._busy.add(worker)
                closed = self._closed
        if closed:
            worker.stop()
        return worker

    def _give_back(self, worker: Worker) -> None:
        alive = worker.alive
        with self._lock:
            self._busy.discard(worker)
            keep = alive and not self._closed
            ticket = next((each for each in self._waiting if each.deployed == worker.deployed), None) if keep else None
            if ticket is not None:
                self._waiting.remove(ticket)
                self._busy.add(worker)
                ticket.outcome.set_result(worker)
            else:
                if keep:
                    self._idle.append(worker)
                self._leave()
        if not keep:
            worker.stop()

    def _leave(self) -> None:
        """Leave a place, to whoever waits for one."""
        self._places -= 1
        if self._waiting and self._places < AT_ONCE:
            self._start_own(self._waiting.popleft())


def throttled(reason: str) -> ServiceError:
    """Return the error of a call that finds no concurrency left."""
    return ServiceError("TooManyRequestsException", f"Rate Exceeded. ({reason})", 429)


def closing() -> ServiceError:
    """Return the error of a call that comes too late."""
    return ServiceError("ServiceException", "the rehearsal is closing", 500)
