"""Which cloud serves a project: one lock and one file in the project's ``.rehearsal`` folder."""

import fcntl
import json
import os
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from rehearsal.errors import UserError
from rehearsal.typed import typed

IDENTITY = "/rehearsal/identity"
PATIENCE_SECONDS = 2.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Serving:
    """A cloud that serves: where, for which account and region, and which process does it."""

    endpoint: str
    pid: int
    account: str
    region: str
    started_at: str
    git: Mapping[str, str] = field(default_factory=dict)
    """Full repository id to the path that ``git push`` takes."""

    state: Literal["starting", "serving"] = "starting"
    step: str = ""
    """What it does while it is starting."""

    log: str = ""
    """The file that this step writes its output to."""

    def client(self, service: str) -> Any:
        """Return a boto3 client of this cloud."""
        # Imported here: asking whether something serves, or for help, should not wait for it.
        import boto3
        from botocore.config import Config

        return boto3.Session().client(
            service,
            aws_access_key_id="rehearsal",
            aws_secret_access_key="rehearsal",  # noqa: S106 (worth nothing elsewhere)
            region_name=self.region,
            endpoint_url=self.endpoint,
            config=Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=60, proxies={}),
        )


def write(folder: Path, serving: Serving) -> None:
    """Tell other processes of the project about ``serving``."""
    draft = folder / "cloud.json.draft"
    draft.write_text(json.dumps(asdict(serving), indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / "cloud.json")


def current(folder: Path) -> Serving | None:
    """Return the cloud that serves the project of ``folder``; what a dead one left behind is cleaned up.

    Raises ``UserError`` when there is one that does not answer.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while locked(folder):
        serving = _read(folder)
        if serving and _is_itself(serving):
            return serving
        if time.monotonic() > deadline:
            raise UserError(_unanswered(folder, serving))
        time.sleep(0.05)
    (folder / "cloud.json").unlink(missing_ok=True)
    return None


def nothing_serves(project: Path) -> str:
    """Return what is said where nothing serves ``project``."""
    return f"nothing is being rehearsed for {project}; start it: {typed(project=project)}"


def locked(folder: Path) -> bool:
    """Tell whether a process holds the project's lock; the system releases it when that process is gone."""
    try:
        with (folder / "lock").open("rb") as lock:
            return not _acquired(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Be the only process that serves the project of ``folder``.

    Raises ``UserError`` when another one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The folder ignores itself: nobody has to know of it to keep it out of commits.
    (folder / ".gitignore").write_text("*\n")
    with (folder / "lock").open("a+b") as held:
        deadline = time.monotonic() + PATIENCE_SECONDS  # readers hold it for an instant
        while not _acquired(held, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                see = typed("status", project=folder.parent)
                raise UserError(f"another rehearsal of {folder.parent} has just started; see: {see}")
            time.sleep(0.05)
        held.truncate(0)
        held.write(f"{os.getpid()}\n".encode())
        held.flush()
        try:
            yield
        finally:
            (folder / "cloud.json").unlink(missing_ok=True)


def _acquired(lock: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(folder: Path) -> Serving | None:
    try:
        return Serving(**json.loads((folder / "cloud.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is_itself(serving: Serving) -> bool:
    """Ask whoever answers at the endpoint for its pid: a port or a pid may have changed hands."""
    with (
        suppress(OSError, ValueError, TypeError, KeyError),
        DIRECT.open(serving.endpoint + IDENTITY, timeout=5) as answer,
    ):
        return bool(json.load(answer)["pid"] == serving.pid)
    return False


def _unanswered(folder: Path, serving: Serving | None) -> str:
    pid = serving.pid if serving else (folder / "lock").read_text().strip() or "unknown"
    return f"a rehearsal of {folder.parent} (pid {pid}) runs but does not answer; wait a moment, or end it: kill {pid}"
