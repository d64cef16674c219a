"""What a person sees of an execution, on terminals of any kind."""

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from rehearsal.cause import cause
from rehearsal.execution import Action, Execution, Stage
from rehearsal.rendering import duration, printable, progress
from rehearsal.screen import Screen

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def execution(log: Path, message: str = "") -> Execution:
    """Return an execution that failed in its second stage."""
    ended = BEGAN + timedelta(seconds=65)
    source = Action("Source", "Fetch", "Succeeded", BEGAN, BEGAN)
    build = Action("Build", "Build", "Failed", BEGAN, ended, message=message, log=log)
    waits = Action("prod-deploy", "Apply")
    stages = (Stage("Source", "Succeeded", (source,)), Stage("Build", "Failed", (build,)), Stage("prod", "", (waits,)))
    return Execution("0123456789", "Failed", "fedcba9876543210", started=BEGAN, updated=ended, stages=stages)


def screen(**options: object) -> tuple[Screen, io.StringIO]:
    """Return a screen and what it writes to."""
    text = io.StringIO()
    return Screen(Console(file=text, highlight=False, emoji=False, markup=False, **options)), text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.04, "0.0s"), (59.94, "59.9s"), (65, "1m05s"), (3720.5, "1h02m")]
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    """Seconds, minutes, hours."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("a\rb\x08\x9b2J", "a�b��2J"),
        ("tab\there", "tab here"),
        ("[bold]markup[/bold] :smile:", "[bold]markup[/bold] :smile:"),
    ],
)
def test_builds_cannot_steer_the_terminal(text: str, shown: str) -> None:
    """Colours, titles, links and cursor movements in a log are not passed on."""
    assert printable(text) == shown


def test_the_table_shows_stages_actions_and_logs(tmp_path: Path) -> None:
    """Even at 40 columns, every name is there in full; of the logs' paths only the folder that has them all."""
    log = tmp_path / "a-rather-long-name-of-a-log-file.log"
    here, text = screen(width=40)

    here.table(execution(log))

    lines = text.getvalue().splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["Source", "Fetch", "✔", "Succeeded", "0.0s"],
        ["Build", "Build", "✘", "Failed", "1m05s"],
        ["prod", "Apply", "·"],
    ]
    assert lines[-1] == f"logs: below {tmp_path}"
    assert str(log) not in text.getvalue()


def test_a_failed_action_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """Its message, 25 lines, and where the rest is."""
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    here, text = screen(width=200)

    here.failure(list(execution(log, "exit status 1").actions)[1])

    lines = text.getvalue().splitlines()
    assert lines[0] == "Build/Build failed: exit status 1"
    assert [line.strip() for line in lines[1:-1]] == [f"line {number}" for number in range(75, 100)]
    assert lines[-1] == f"log: {log}"


def test_without_a_terminal_each_action_is_told_once(tmp_path: Path) -> None:
    """The same state shown twice is one line an action."""
    here, text = screen(width=200)

    with here:
        here.show(execution(tmp_path / "log"))
        here.show(execution(tmp_path / "log"))

    assert text.getvalue().splitlines() == ["Source/Fetch succeeded after 0.0s", "Build/Build failed after 1m05s"]


@pytest.mark.parametrize(("seconds", "lines"), [(5, 0), (40, 1)])
def test_without_a_terminal_an_action_that_runs_is_told_once_it_takes_long(seconds: int, lines: int) -> None:
    """Of the others one line is enough, when they end."""
    running = Action("Build", "Build", "InProgress", datetime.now(UTC) - timedelta(seconds=seconds))
    here, text = screen(width=200)

    for _ in range(3):
        here.show(Execution("0123456789", "InProgress", stages=(Stage("Build", "InProgress", (running,)),)))

    assert text.getvalue().count("Build/Build has been running for") == lines
    assert text.getvalue().count("\n") == lines


def lines_in_time(text: io.StringIO, number: int, act: Callable[[], None]) -> list[str]:
    """Do something again and again until that many lines are there."""
    deadline = time.monotonic() + 20
    while text.getvalue().count("\n") < number and time.monotonic() < deadline:
        act()
    return text.getvalue().splitlines()


def test_without_a_terminal_what_runs_on_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each half minute, of an action and of a command alike: a build server ends a job that is silent."""
    monkeypatch.setattr("rehearsal.screen.PATIENCE_SECONDS", 0.05)
    running = Action("Build", "Build", "InProgress", datetime.now(UTC))
    followed = Execution("0123456789", "InProgress", stages=(Stage("Build", "InProgress", (running,)),))
    (here, text), (there, more) = screen(width=200), screen(width=200)
    there.begin("bootstrap: make state")

    actions = lines_in_time(text, 3, lambda: here.show(followed))
    commands = lines_in_time(more, 3, lambda: there.detail(tmp_path / "log"))

    assert {line.rpartition(" for ")[0] for line in actions} == {"Build/Build has been running"}
    assert len(actions) == 3
    assert commands[0] == "bootstrap: make state ..."
    assert [line.rpartition(" for ")[0] for line in commands[1:]] == ["bootstrap: make state has been running"] * 2


def test_a_rejection_is_called_one() -> None:
    """An approval that failed is an answer, no failure."""
    rejected = Action("prod", "Approve", "Failed", BEGAN, BEGAN, category="Approval", message="too early")
    here, text = screen(width=80)

    here.table(Execution("0123456789", "Failed", stages=(Stage("prod", "Failed", (rejected,)),)))

    assert text.getvalue().splitlines()[1].split() == ["prod", "Approve", "✘", "Rejected", "0.0s"]


def test_without_colour_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR is respected on a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    here, text = screen(width=80, force_terminal=True)

    here.table(execution(tmp_path / "log"))

    assert "\x1b[3" not in text.getvalue()


@pytest.mark.parametrize("width", [10, 40, 200])
def test_progress_keeps_to_the_terminal(tmp_path: Path, width: int) -> None:
    """One line a stage, however narrow, and no more lines than there are rows."""
    running = Action("Build", "Build", "InProgress", datetime.now(UTC), log=tmp_path / "log")
    (tmp_path / "log").write_text("a very long line of a log " * 20)
    stages = (*(Stage(f"stage-{number}") for number in range(30)), Stage("Build", "InProgress", (running,)))
    here, text = screen(width=width)

    here.console.print(progress(Execution("0123456789", "InProgress", "fedcba98", stages=stages), rows=6))

    lines = text.getvalue().splitlines()
    assert len(lines) == 1 + 6 + 1
    assert all(len(line) <= width for line in lines)
    assert any("Build" in line for line in lines)


@pytest.mark.parametrize(("status", "word"), [("Succeeded", "approved"), ("Failed", "rejected")])
def test_without_a_terminal_an_answer_is_one_line(status: str, word: str) -> None:
    """With the approver's words."""
    ended = BEGAN + timedelta(seconds=2)
    approval = Action("prod", "Approve", status, BEGAN, ended, category="Approval", message="looks good")
    here, text = screen(width=200)

    here.show(Execution("0123456789", "InProgress", stages=(Stage("prod", status, (approval,)),)))

    assert text.getvalue() == f"prod/Approve {word} after 2.0s: looks good\n"


def test_of_jobs_side_by_side_the_first_that_failed_is_shown(tmp_path: Path) -> None:
    """Make waits for the others, and the build goes on with what it does in any case."""
    log = tmp_path / "log"
    reason = "main.py: the pipeline has 69 stages; CodePipeline allows 50: use fewer environments"
    others = [f"{number} passed" for number in range(60)]
    container = "[Container] 2026/11/26 03:16:35.416790 "
    after = [f"{container}Phase complete: BUILD State: FAILED", *(f"{container}Expanding {n}/**" for n in range(40))]
    log.write_text("\n".join([reason, "make: *** [Makefile:80: synth] Error 1", *others, *after]))

    assert cause(log)[0] == reason
    log.write_text("\n".join([*others, reason, *after]))
    assert reason in cause(log)
    log.write_text("\n".join([*others, reason]))
    assert cause(log)[-1] == reason
