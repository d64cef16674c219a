"""The project's own commands: run in its folder, in a session of their own, seeing one cloud and no other."""

import os
import shlex
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from rehearsal import processes
from rehearsal.errors import RehearsalError, UserError
from rehearsal.guard import Guard

STEPS = ((signal.SIGINT, 60.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
MARKER = "REHEARSAL_COMMAND"
POLL_SECONDS = 0.1
TAIL_BYTES = 16_384
LOOPBACK = "127.0.0.1,localhost"


def cloud_environment(endpoint: str, region: str) -> dict[str, str]:
    """Return the variables that make a program live in the cloud at ``endpoint``.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def process_environment(cloud: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's environment without anything that leads to the real AWS, plus ``cloud``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    metadata = {"AWS_EC2_METADATA_DISABLED": "true"}
    direct = {name: ",".join(filter(None, (kept.get(name), LOOPBACK))) for name in ("NO_PROXY", "no_proxy")}
    return kept | direct | nowhere | metadata | dict(cloud)


def printed(command: str, *, project: Path, key: str, cloud: Mapping[str, str] | None = None) -> str:
    """Return what ``command``, the value of ``key`` in ``[tool.rehearsal]``, prints.

    Raises ``UserError`` when it cannot be run, fails or takes longer than a minute.
    """
    where = f"pyproject.toml: [tool.rehearsal] {key}: {command!r}"
    try:
        result = subprocess.run(
            _words(command, key),
            cwd=project,
            env=process_environment(cloud or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
        )
    except OSError as error:
        raise UserError(f"{where} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{where} did not end within a minute") from None
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip() or "it printed nothing").splitlines()[-1]
        raise UserError(f"{where} ended with {result.returncode}: {last}")
    return result.stdout.strip()


def run(
    command: str,
    *,
    key: str,
    project: Path,
    cloud: Mapping[str, str],
    log: Path,
    hurry: threading.Event,
    tick: Callable[[], None],
) -> None:
    """Run ``command`` to its end with its output in ``log``, calling ``tick`` a few times a second.

    Raises ``RehearsalError`` when it fails, and ``UserError`` when there is no such program.
    """
    marker = f"{MARKER}={uuid.uuid4()}"
    environment = process_environment(cloud) | dict([marker.split("=", 1)])
    guard, process = Guard(marker.encode()), None
    try:
        process = _started(_words(command, key), key, project, environment, log)
        guard.watch(process.pid)
        while process.poll() is None:
            tick()
            time.sleep(POLL_SECONDS)
    finally:
        _end(process, marker.encode(), hurry)
        guard.relieve()
    if process.returncode:
        lines = "\n".join(f"  {line}" for line in tail(log, 25))
        ended = f"{key} failed: {command!r} ended with {process.returncode}"
        raise RehearsalError(f"{ended}; its last lines:\n{lines}\nlog: {log}")


def _started(
    words: list[str], key: str, project: Path, environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            return subprocess.Popen(
                words,
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            where = f"pyproject.toml: [tool.rehearsal] {key}: {shlex.join(words)!r}"
            raise UserError(f"{where} cannot be run: {error.strerror}") from None


def _end(process: subprocess.Popen[bytes] | None, marker: bytes, hurry: threading.Event) -> None:
    """End ``process`` and what it started: politely first, because Terraform saves its state when interrupted."""
    if process is None:
        processes.end([], marker, steps=STEPS, hurry=hurry)
    else:
        processes.end([process.pid], marker, steps=STEPS, hurry=hurry, meanwhile=process.poll)
        process.wait()


def tail(file: Path, lines: int) -> list[str]:
    """Return the last ``lines`` lines of ``file`` that are not blank (none when there is no such file)."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def _words(command: str, key: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UserError(f"pyproject.toml: [tool.rehearsal] {key}: {command!r} is no command line: {error}") from None
