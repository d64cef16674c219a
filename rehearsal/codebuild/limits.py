"""When a build must end before its commands are through."""

import time
from dataclasses import dataclass, field
from threading import Event
from typing import Literal


class Halted(Exception):  # noqa: N818 - no error, an order
    """The build has to end before its commands are through."""

    def __init__(self, reason: Literal["STOPPED", "TIMED_OUT"]) -> None:
        super().__init__(reason)
        self.reason: Literal["STOPPED", "TIMED_OUT"] = reason


@dataclass
class Limits:
    """When a build must end: when ``stopped``, or at ``deadline`` (monotonic); ``grace`` is its time to tidy up."""

    deadline: float
    grace: float
    stopped: Event = field(default_factory=Event)
    hurry: Event = field(default_factory=Event)
    """Set when even ``grace`` is too long."""

    def check(self) -> None:
        """Raise ``Halted`` when it is time."""
        if self.stopped.is_set():
            raise Halted("STOPPED")
        if time.monotonic() >= self.deadline:
            raise Halted("TIMED_OUT")
