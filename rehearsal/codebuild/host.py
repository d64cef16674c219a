"""What all builds share: the cloud, a folder, a network and the measure of time."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rehearsal.cloud import Cloud
from rehearsal.codebuild.reports import Reports
from rehearsal.repositories import Repositories


class Network(Protocol):
    """How builds reach the network."""

    def environment(self) -> dict[str, str]: ...


@dataclass
class Host:
    """What all builds share."""

    cloud: Cloud
    folder: Path
    proxy: Network
    reports: Reports
    minute: float = 60.0
    """How many seconds a minute of a time-out lasts."""

    grace: float = 30.0
    """How many seconds a build that must end has to tidy up."""

    hurry: threading.Event = field(default_factory=threading.Event)
    """Set when even that is too long."""

    _local_caches: dict[Path, threading.Lock] = field(default_factory=dict)

    @contextlib.contextmanager
    def local_cache(self, kept: Path) -> Iterator[bool]:
        """Tell whether this build may have the local cache ``kept``: one at a time may, others run on other hosts."""
        lock = self._local_caches.setdefault(kept, threading.Lock())
        free = lock.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                lock.release()

    builds: Path = Path("builds")
    """Where builds have their folders."""

    repositories: Repositories | None = None
    """Where builds of GitHub, Bitbucket and CodeCommit find their source."""
