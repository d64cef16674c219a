"""One emulated AWS with everything that executes in it, composed, started and ended together."""

import json
import logging
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.codebuild import CodeBuild
from rehearsal.codecommit import CodeCommit
from rehearsal.codepipeline import CodePipeline
from rehearsal.connections import Connections
from rehearsal.dynamodb import DynamoDB
from rehearsal.errors import UserError
from rehearsal.functions import Functions
from rehearsal.gateway import Gateway
from rehearsal.protocol import Caller
from rehearsal.proxy import Proxy
from rehearsal.repositories import Repositories
from rehearsal.scratch import scratch, sweep
from rehearsal.serving import IDENTITY

FRESH = ("logs", "git", "functions", "proxy")
"""Folders that do not outlive a cloud; ``cache`` does, as a cache in S3 would."""


@dataclass(frozen=True)
class World:
    """The parts of a running cloud that its owner needs."""

    cloud: Cloud
    repositories: Repositories
    codebuild: CodeBuild


class Identity:
    """Says which process serves, so that nobody trusts a pid or a port that changed hands."""

    def route(self, request: Request, _caller: Caller, _service: str) -> Response | None:
        """Answer the one path that is ours."""
        if request.path != IDENTITY:
            return None
        return Response(json.dumps({"pid": os.getpid()}), content_type="application/json")


@contextmanager
def world(
    folder: Path, *, account: str, region: str, port: int, allowed_hosts: tuple[str, ...], hurry: threading.Event
) -> Iterator[World]:
    """Run a fresh cloud whose files lie in ``folder``; when the block ends, everything in it is stopped and gone.

    ``hurry`` shortens the time that interrupted builds have.

    Raises ``UserError`` when ``port`` is taken.
    """
    _require_free(port)
    _clear(folder)
    sweep()
    _log_to(folder / "logs" / "cloud.log")
    with ExitStack() as stack:
        # Outside the project, whose .gitignore and repository its own tools would otherwise find above a build.
        builds = stack.enter_context(scratch())
        cloud = stack.enter_context(Cloud(account=account, region=region, port=port))
        cloud.routes.append(Identity())
        proxy = stack.enter_context(closing(Proxy(cloud, folder, allowed_hosts)))
        functions = stack.enter_context(closing(Functions(cloud, folder)))
        cloud.routes += [functions, Gateway(cloud, functions), DynamoDB(cloud)]
        repositories = Repositories(folder / "git")
        codebuild = stack.enter_context(
            closing(CodeBuild(cloud, folder, proxy, hurry=hurry, builds=builds, repositories=repositories))
        )
        codepipeline = stack.enter_context(closing(CodePipeline(cloud, codebuild, repositories)))
        codecommit = CodeCommit(cloud, repositories, codepipeline, codebuild.target)
        cloud.add([codebuild, codepipeline, codecommit, *Connections().under_both_names()])
        yield World(cloud, repositories, codebuild)


def _require_free(port: int) -> None:
    # The server itself would print two lines of its own and exit.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(
                f"--port {port}: {os.strerror(error.errno or 0).lower()}; name another one, or none for a free one"
            ) from None


def _clear(folder: Path) -> None:
    for name in FRESH:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True, exist_ok=True)


def _log_to(file: Path) -> None:
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    threading.excepthook = _log_thread
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


def _log_thread(failure: threading.ExceptHookArgs) -> None:
    """Keep what a thread died of in the log instead of on somebody's terminal."""
    if failure.exc_value is not None:
        logging.getLogger(__name__).error("a thread died", exc_info=failure.exc_value)
