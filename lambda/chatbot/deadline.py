"""Bounds the time that a call may take, whatever it waits for: an address, a connection, or one byte after another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread


def within[T](seconds: float, call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises; raises TimeoutError when it takes longer.

    The call is then left to end by itself: a thread cannot be stopped from outside.
    """
    outcome: Future[T] = Future()
    Thread(target=_settle, args=(outcome, call), daemon=True).start()
    return outcome.result(timeout=seconds)


def _settle[T](outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:
        outcome.set_exception(error)
