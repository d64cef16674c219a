"""A build's log: a file, line by line, and the project's CloudWatch log stream; secrets never reach either."""

import contextlib
import re
import time
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from moto.backends import get_backend
from moto.logs.exceptions import ResourceAlreadyExistsException

from rehearsal.codebuild.record import BuildRecord

MASK = "***"
SHORTEST_SECRET = 3
BATCH_SECONDS = 1.0
BATCH_EVENTS = 1_000
LONGEST_EVENT = 250_000
REMEMBERED_LINES = 2_000


class Log:
    """The log of ``build``; entered once, it takes lines until the block ends."""

    def __init__(self, build: BuildRecord) -> None:
        self._stream = build.log_stream()
        self._cloudwatch: Any = get_backend("logs")[build.account][build.region]
        self._path = build.log
        self._secrets: re.Pattern[str] | None = None
        self._masked: set[str] = set()
        self.recent: deque[str] = deque(maxlen=REMEMBERED_LINES)
        """The last lines, for whoever looks for a pattern in a command's output."""

        self._batch: list[dict[str, Any]] = []
        self._sent = time.monotonic()

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w", encoding="utf-8", buffering=1)
        if self._stream:
            group, stream = self._stream
            # CodeBuild makes both where they are missing.
            # https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
            with contextlib.suppress(ResourceAlreadyExistsException):
                self._cloudwatch.create_log_group(group, {})
            self._cloudwatch.create_log_stream(group, stream)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._send()
        self._file.close()

    def hide(self, secrets: Iterable[str]) -> None:
        """Write ``***`` in place of each of ``secrets`` from now on; of one with several lines, of each line.

        https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.secrets-manager
        """
        for secret in secrets:
            self._masked |= {part for part in (secret, *secret.splitlines()) if len(part) >= SHORTEST_SECRET}
        if self._masked:
            longest_first = sorted(self._masked, key=len, reverse=True)
            self._secrets = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """Return ``text`` without secrets."""
        return self._secrets.sub(MASK, text) if self._secrets else text

    def line(self, text: str) -> None:
        """Write one line of a command's output."""
        text = self.clean(text)
        self._file.write(text + "\n")
        self.recent.append(text)
        self._batch.append({"timestamp": int(time.time() * 1000), "message": text[:LONGEST_EVENT] or " "})
        if len(self._batch) >= BATCH_EVENTS or time.monotonic() - self._sent > BATCH_SECONDS:
            self._send()

    def note(self, text: str) -> None:
        """Write one line of CodeBuild's own."""
        now = datetime.now(UTC).strftime("%Y/%m/%d %H:%M:%S.%f")
        for line in text.splitlines() or [""]:
            self.line(f"[Container] {now} {line}")

    def _send(self) -> None:
        events, self._batch, self._sent = self._batch, [], time.monotonic()
        if events and self._stream:
            self._cloudwatch.put_log_events(*self._stream, events)
