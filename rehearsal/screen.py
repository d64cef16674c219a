"""What a person sees: lines, tables, and on a terminal the live state of an execution."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from rehearsal.cause import cause
from rehearsal.commands import tail
from rehearsal.execution import Action, Execution
from rehearsal.rendering import duration, printable, progress, summary

ANSWERS = {"Succeeded": "approved", "Failed": "rejected"}
PATIENCE_SECONDS = 30.0
"""How long something may take before a log says that it runs on, and how long until it says so again."""


class Screen:
    """Standard output: live on a terminal, one line an event elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, emoji=False, markup=False)
        self.live = self.console.is_terminal and not self.console.is_dumb_terminal
        self._display: Live | None = None
        self._execution: Execution | None = None
        self._activity = self._detail = ""
        self._spinner = Spinner("dots")
        self._since = time.monotonic()
        self._told: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._execution, self._activity, self._detail = None, "", ""

    def _start(self) -> None:
        if self.live and self._display is None:
            # Always a new one: a display started twice erases what was printed in between.
            self._display = Live(self, console=self.console, refresh_per_second=8, transient=True)
            self._display.start()

    def _stop(self) -> None:
        display, self._display = self._display, None
        if display is not None:
            display.stop()

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        if self._execution is not None:
            yield progress(self._execution, rows=max(4, self.console.height - 4))
        elif self._activity:
            elapsed = duration(time.monotonic() - self._since)
            line = f"{elapsed}  {self._activity}  {self._detail}"
            self._spinner.update(text=Text(line, no_wrap=True, overflow="ellipsis"))
            yield self._spinner

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal alone, for a question."""
        shown = self._display is not None
        self._stop()
        try:
            yield
        finally:
            if shown:
                self._start()

    def say(self, text: str = "", style: str = "") -> None:
        """Print one line."""
        self.console.print(Text(printable(text), style=style), soft_wrap=True)

    def block(self, text: str, style: str = "") -> None:
        """Print text of several lines."""
        for line in text.splitlines():
            self.say(line, style)

    def begin(self, activity: str) -> None:
        """Say what is being done from now on."""
        self._activity, self._since = printable(activity), time.monotonic()
        if not self.live:
            self.say(f"{activity} ...")

    def detail(self, log: Path) -> None:
        """Show the last line of the log of what is being done; elsewhere, now and then, that it still is."""
        if self.live:
            self._detail = printable("".join(tail(log, 1)))
        elif line := _still(self._activity, seconds := time.monotonic() - self._since):
            self._tell_once(self._activity, _period(seconds), line)

    def done(self, activity: str, seconds: float, log: Path) -> None:
        """Say that an activity succeeded."""
        self.say(f"{activity} took {duration(seconds)}, log: {log}")

    def show(self, execution: Execution) -> None:
        """Show how far ``execution`` is."""
        self._execution = execution
        if not self.live:
            self._tell(execution)

    def _tell(self, execution: Execution) -> None:
        for stage in execution.stages:
            if stage.status == "Skipped":
                line = ": ".join(filter(None, (f"{stage.name} skipped", stage.message)))
                self._tell_once(f"{execution.identifier} {stage.name}", stage.status, line)
            for action in stage.actions:
                if line := _line(action):
                    # A retry is a new action execution of the same name.
                    key = f"{execution.identifier} {action.path} {action.started}"
                    state = _period(action.seconds) if action.status == "InProgress" else action.status
                    self._tell_once(key, state, line)

    def _tell_once(self, key: str, state: str, line: str) -> None:
        if self._told.get(key) != state:
            self._told[key] = state
            self.say(line)

    def table(self, execution: Execution) -> None:
        """Print the execution's stages and actions, and where their logs lie."""
        self.console.print(summary(execution))
        folders = [action.log.parent for action in execution.actions if action.log is not None]
        if folders:
            # A log's own path is told where its action failed.
            self.say(f"logs: below {os.path.commonpath(folders)}", "dim")

    def urls(self, urls: Mapping[str, str]) -> None:
        """Print one line for each environment's address."""
        for label, url in urls.items():
            self.say(f"{label}: {url}", "bold")

    def failure(self, action: Action) -> None:
        """Print why ``action`` failed: its message, the end of its log and where that lies."""
        self.say(f"{action.path} failed: {action.message or 'it gave no reason'}", "bold red")
        if action.log is not None:
            for line in cause(action.log):
                self.say(f"  {line}")
            self.say(f"log: {action.log}")


def complain(message: str) -> None:
    """Print one line (or a failure's few) to standard error."""
    console = Console(file=sys.stderr, highlight=False, emoji=False, markup=False)
    for line in message.splitlines():
        console.print(Text(printable(line)), soft_wrap=True)


def _line(action: Action) -> str:
    """Return what is told of an action: how it ended, and before that only once it takes long."""
    if action.status == "InProgress":
        return _still(action.path, action.seconds or 0.0)
    if not action.status:
        return ""
    if action.category == "Approval" and action.status in ANSWERS:
        comment = f": {action.message}" if action.message else ""
        return f"{action.path} {ANSWERS[action.status]} after {duration(action.seconds)}{comment}"
    return f"{action.path} {action.status.lower()} after {duration(action.seconds)}"


def _still(what: str, seconds: float) -> str:
    return f"{what} has been running for {duration(seconds)}" if seconds >= PATIENCE_SECONDS else ""


def _period(seconds: float | None) -> str:
    return str(int((seconds or 0.0) // PATIENCE_SECONDS))
