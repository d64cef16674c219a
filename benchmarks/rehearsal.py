"""How long the whole pipeline takes on this machine: a first delivery, and the next change."""

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import checkout
from benchmarks.figure import Figure, Sample, single
from benchmarks.project import BenchmarkError, inherited

DELIVER = (".venv/bin/python", "-m", "rehearsal", "--approve", "all", "--json")
LONGEST_SECONDS = 900
ENDING_SECONDS = 120
POLL_SECONDS = 0.2
LAST_LINES = 12


def measure(_repeat: int) -> list[Figure]:
    """Deliver a copy of the working tree twice: into an empty cloud, then with one source changed."""
    with tempfile.TemporaryDirectory() as name:
        project, first, second = (Path(name) / part for part in ("project", "first.json", "second.json"))
        checkout.copy(project)
        started = time.perf_counter()
        with _serving(project, first) as process:
            before = _awaited(first, process)
            first_seconds = time.perf_counter() - started
            checkout.change(project)
            started = time.perf_counter()
            after = _delivered(project, second)
            second_seconds = time.perf_counter() - started
    return [
        _total(
            "rehearsal.first",
            "first delivery, to prod",
            first_seconds,
            before,
        ),
        _total("rehearsal.second", "second delivery, one answer changed", second_seconds, after),
        *_stages(before, after),
    ]


@contextmanager
def _serving(project: Path, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Rehearse ``project`` as long as the context lasts; it is interrupted, as by Ctrl-C, at its end."""
    with file.with_suffix(".log").open("wb") as output:
        process = subprocess.Popen(
            [*DELIVER, file],
            cwd=project,
            env=inherited(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # The terminal's Ctrl-C reaches this process alone, which then interrupts the rehearsal once.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _awaited(file: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not file.exists() and process.poll() is None:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"the rehearsal did not deliver within {LONGEST_SECONDS} s")
        time.sleep(POLL_SECONDS)
    return _result(file)


def _delivered(project: Path, file: Path) -> dict[str, Any]:
    """Deliver into the cloud that serves."""
    with _serving(project, file) as process:
        return _awaited(file, process)


def _result(file: Path) -> dict[str, Any]:
    """Read what a delivery reports; raises ``BenchmarkError`` unless it succeeded."""
    if not file.exists():
        lines = file.with_suffix(".log").read_text(errors="replace").strip().splitlines() or ["it printed nothing"]
        raise BenchmarkError(f"the rehearsal failed: {lines[-1][:300]}")
    result: dict[str, Any] = json.loads(file.read_text())
    if result["exit_code"] != 0:
        raise BenchmarkError(f"the rehearsal failed: {result['message'][:300]}{_last_words(result)}")
    return result


def _last_words(result: dict[str, Any]) -> str:
    """The end of the log of what failed, which goes with the copy."""
    actions = [action for stage in result["stages"] for action in stage["actions"] if action["status"] == "Failed"]
    logs = [Path(action["log"]) for action in actions if action["log"]]
    lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
    return "".join(f"\n    {line[:200]}" for line in lines[-LAST_LINES:])


def _total(id: str, what: str, seconds: float, result: dict[str, Any]) -> Figure:
    pipeline = result["seconds"]
    return Figure(
        id=id, what=what, unit="s", ours=single(seconds), peer=_sample(pipeline), peer_name="the pipeline alone"
    )


def _stages(first: dict[str, Any], second: dict[str, Any]) -> Iterator[Figure]:
    """Each stage in the second delivery, beside the same stage in the first."""
    before = {stage["name"]: stage["seconds"] for stage in first["stages"]}
    for stage in second["stages"]:
        yield Figure(
            id=f"rehearsal.stage.{stage['name']}",
            what=f"stage {stage['name']}, second delivery",
            unit="s",
            ours=_sample(stage["seconds"]),
            peer=_sample(before.get(stage["name"])),
            peer_name="first delivery",
        )


def _sample(seconds: float | None) -> Sample | None:
    return None if seconds is None else single(seconds)
