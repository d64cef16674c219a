"""What functions print, on its way to CloudWatch Logs and to a file, never in the way of a reply."""

import contextlib
import queue
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from moto.backends import get_backend

from rehearsal.functions.deployed import Deployed

BATCH_SECONDS = 0.2
EVENT_LIMIT = 262_118
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""


@dataclass(frozen=True)
class LogStream:
    """Where the lines of one worker go."""

    account: str
    region: str
    group: str
    name: str
    file: Path


@dataclass(frozen=True)
class Line:
    """One log event, with its time in epoch milliseconds."""

    stream: LogStream
    milliseconds: int
    message: str


class LogDelivery:
    """Delivers lines in batches, from a thread of its own, until it is closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lines: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="function-logs", daemon=True)
        self._thread.start()

    def stream(self, deployed: Deployed) -> LogStream:
        """Return a new stream, named as Lambda names them."""
        name = f"{datetime.now(UTC):%Y/%m/%d}/[{deployed.version}]{uuid.uuid4().hex}"
        file = self._folder / f"{deployed.name}.log"
        return LogStream(deployed.account, deployed.region, deployed.log_group, name, file)

    def write(self, stream: LogStream, message: str) -> None:
        """Take one line; it is delivered later."""
        milliseconds = time.time_ns() // 1_000_000
        for start in range(0, max(len(message), 1), EVENT_LIMIT):
            self._lines.put(Line(stream, milliseconds, message[start : start + EVENT_LIMIT]))

    def close(self) -> None:
        """Deliver what is left, and end."""
        self._closing.set()
        self._lines.put(None)
        self._thread.join()

    def _deliver(self) -> None:
        last = False
        while not last:
            batch = [self._lines.get()]
            self._closing.wait(BATCH_SECONDS)
            while not self._lines.empty():
                batch.append(self._lines.get())
            last = None in batch
            streams: dict[LogStream, list[Line]] = defaultdict(list)
            for line in batch:
                if line is not None:
                    streams[line.stream].append(line)
            for stream, lines in streams.items():
                write_file(stream, lines)
                put_events(stream, lines)


def write_file(stream: LogStream, lines: Iterable[Line]) -> None:
    """Append ``lines`` to the function's log file, if the disk has room for them."""
    with contextlib.suppress(OSError), stream.file.open("a", encoding="utf-8", errors="replace") as file:
        for line in lines:
            moment = datetime.fromtimestamp(line.milliseconds / 1000, UTC)
            file.write(f"{moment:%H:%M:%S.%f} {line.message}\n")


def put_events(stream: LogStream, lines: Iterable[Line]) -> None:
    """Put ``lines`` into the function's log group, which is made if it does not exist, as by Lambda."""
    backend = get_backend("logs")[stream.account][stream.region]
    events = [{"timestamp": line.milliseconds, "message": line.message} for line in lines if line.message]
    try:
        backend.ensure_log_group(stream.group)
        backend.ensure_log_stream(stream.group, stream.name)
        backend.put_log_events(stream.group, stream.name, events)
    except Exception as error:  # A subscription that cannot be served must not end the delivery of logs.
        write_file(stream, [Line(stream, time.time_ns() // 1_000_000, f"CloudWatch Logs did not take this: {error}")])
