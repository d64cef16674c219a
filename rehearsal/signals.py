"""Ctrl-C in two strengths: the first ends the work in an orderly way, every further one hurries that up."""

import signal
import threading
from types import FrameType
from typing import Self

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The process was asked to end, by signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """While the ``with`` block lasts, the first ending signal raises ``Interrupted``; further ones set ``hurry``.

    To be entered in the main thread only, because Python runs signal handlers there.
    """

    def __init__(self) -> None:
        self.hurry = threading.Event()
        self._asked = False
        self._before = {number: signal.getsignal(number) for number in ENDINGS}

    def __enter__(self) -> Self:
        for number in ENDINGS:
            # A shell that starts a job in the background has it ignore SIGINT, and nohup SIGHUP: so be it.
            if self._before[number] is not signal.SIG_IGN:
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number in ENDINGS:
            signal.signal(number, self._before[number])

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            self.hurry.set()
            return
        self._asked = True
        raise Interrupted(number)
