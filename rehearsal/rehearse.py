"""The rehearsal itself: start a cloud for the project, or join the one that serves, and deliver the working tree."""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rehearsal import approvals, beforehand, commands, facts, report, serving
from rehearsal.approvals import Policy
from rehearsal.configuration import Configuration
from rehearsal.deliver import Delivery
from rehearsal.errors import RehearsalError, UserError
from rehearsal.screen import Screen
from rehearsal.serving import Serving
from rehearsal.signals import Interrupted, Signals
from rehearsal.typed import typed
from rehearsal.watch import watch
from rehearsal.workingtree import WorkingTree


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    port: int
    policy: Policy
    serve_on: bool
    to: str | None
    file: Path | None


def wishes(options: argparse.Namespace) -> Wishes:
    """Read the parsed command line. Raises ``UserError``."""
    return Wishes(
        port=options.port,
        policy=approvals.policy(options.approve),
        serve_on=not options.exit_when_done,
        to=options.to,
        file=report.checked(options.json) if options.json else None,
    )


def rehearse(configuration: Configuration, wishes: Wishes) -> int:
    """Deliver the working tree, in a cloud of its own unless one serves already. Returns the exit code."""
    with Signals() as signals, _reporting(wishes.file):
        with WorkingTree(configuration.project) as tree:
            beforehand.check_buildspec(configuration, tree)
        running = serving.current(configuration.folder)
        if running is None:
            return _start(configuration, wishes, signals)
        if running.state == "starting":
            what = f"a rehearsal of this project (pid {running.pid}) is starting"
            raise UserError(f"{what}; run this again once it serves")
        return _join(configuration, wishes, running)


@contextmanager
def _reporting(file: Path | None) -> Iterator[None]:
    """Leave a result behind even if there is no execution to tell of."""
    before = file.stat().st_mtime_ns if file and file.exists() else None
    try:
        yield
    except (UserError, RehearsalError, Interrupted) as error:
        message = "interrupted" if isinstance(error, Interrupted) else str(error)
        if file and (not file.exists() or file.stat().st_mtime_ns == before):
            report.write(file, None, urls={}, message=message, exit_code=2 if isinstance(error, UserError) else 1)
        raise


def _join(configuration: Configuration, wishes: Wishes, running: Serving) -> int:
    screen, project = Screen(), configuration.project
    screen.say(f"{running.endpoint} serves already (pid {running.pid}); delivering there")
    if wishes.port:
        screen.say("--port is not used: a cloud keeps the port it started with", "yellow")
    delivery = Delivery(configuration, running, screen)
    try:
        return delivery.deliver(policy=wishes.policy, to=wishes.to, file=wishes.file)
    except Interrupted:
        if delivery.execution:
            screen.say(f"detached; execution {delivery.execution[:8]} goes on: {typed('status', project=project)}")
            screen.say(f"to stop it: {typed('stop', project=project)}")
        raise


def _start(configuration: Configuration, wishes: Wishes, signals: Signals) -> int:
    beforehand.check_environment(configuration, wishes.to)
    # Imported here: only the process that serves needs the emulator, which takes a while to load.
    from rehearsal.world import world

    screen = Screen()
    account, region = facts.account(configuration), facts.region(configuration)
    repository, _ = facts.repository(configuration)
    with (
        serving.lock(configuration.folder),
        ExitStack() as at_the_end,
        world(
            configuration.folder,
            account=account,
            region=region,
            port=wishes.port,
            allowed_hosts=configuration.allowed_hosts,
            hurry=signals.hurry,
        ) as here,
        _stopping(screen),
    ):
        at_the_end.callback(screen.say, "everything that was started has ended")
        me = Serving(
            endpoint=here.cloud.endpoint,
            pid=os.getpid(),
            account=account,
            region=region,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            git={repository: str(here.repositories.path(repository))},
        )
        serving.write(configuration.folder, me)
        screen.say(f"emulated AWS: {me.endpoint} (account {account}, region {region})", "bold")
        _prepare(configuration, me, screen, signals)
        me = replace(me, state="serving")
        serving.write(configuration.folder, me)
        code = Delivery(configuration, me, screen).deliver(policy=wishes.policy, to=wishes.to, file=wishes.file)
        if wishes.serve_on:
            _serve(configuration, me, screen)
    return code


def _prepare(configuration: Configuration, me: Serving, screen: Screen, signals: Signals) -> None:
    """Run the project's own commands that put the pipeline into the cloud."""
    cloud = commands.cloud_environment(me.endpoint, me.region)
    for key, command in (("synthesize", configuration.synthesize), ("bootstrap", configuration.bootstrap)):
        if not command:
            continue
        log = configuration.folder / "logs" / f"{key}.log"
        serving.write(configuration.folder, replace(me, step=f"{key}: {command}", log=str(log)))
        begun = time.monotonic()
        with screen:
            screen.begin(f"{key}: {command}")
            commands.run(
                command,
                key=key,
                project=configuration.project,
                cloud=cloud,
                log=log,
                hurry=signals.hurry,
                tick=partial(screen.detail, log),
            )
        screen.done(key, time.monotonic() - begun, log)


def _serve(configuration: Configuration, me: Serving, screen: Screen) -> None:
    screen.say()
    again = typed(project=configuration.project)
    screen.say(f"serving {me.endpoint} until Ctrl-C; the next change, in another terminal: {again}", "bold")
    try:
        watch(configuration, me, screen)
    except Interrupted:
        screen.say("ending", "yellow")


@contextmanager
def _stopping(screen: Screen) -> Iterator[None]:
    try:
        yield
    except Interrupted:
        screen.say("ending: builds under way are interrupted and may save their state; Ctrl-C hurries them", "yellow")
        raise
