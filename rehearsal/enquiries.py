"""The short commands: questions to, and answers for, a cloud that serves already."""

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rehearsal import approvals, commands, facts
from rehearsal.approvals import Answer
from rehearsal.configuration import Configuration
from rehearsal.errors import RehearsalError, UserError
from rehearsal.execution import Action
from rehearsal.follow import Pipeline
from rehearsal.reach import reaching
from rehearsal.screen import Screen, complain
from rehearsal.serving import Serving, current, locked, nothing_serves
from rehearsal.status import status
from rehearsal.typed import typed

ENDING_SECONDS = 180.0
NOT_FOR_CHILDREN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


def _serving(configuration: Configuration) -> Serving:
    if (serving := current(configuration.folder)) is None:
        raise UserError(nothing_serves(configuration.project))
    return serving


def down(configuration: Configuration, _: argparse.Namespace) -> int:
    """End the serving process, and wait until it has ended everything it started."""
    screen = Screen()
    serving = current(configuration.folder)
    if serving is None:
        screen.say(f"nothing is being rehearsed for {configuration.project}")
        return 0
    os.kill(serving.pid, signal.SIGTERM)
    screen.say(f"ending {serving.endpoint} (pid {serving.pid}); builds may save their state first")
    deadline = time.monotonic() + ENDING_SECONDS
    while locked(configuration.folder):
        if time.monotonic() > deadline:
            raise RehearsalError(f"pid {serving.pid} has not ended yet; run this again to hurry it")
        time.sleep(0.1)
    screen.say("gone")
    return 0


def env(configuration: Configuration, _: argparse.Namespace) -> int:
    """Print shell lines for ``eval``."""
    serving = _serving(configuration)
    variables = commands.cloud_environment(serving.endpoint, serving.region)
    if configuration.environment:
        output = commands.printed(
            configuration.environment, project=configuration.project, key="environment", cloud=variables
        )
        variables |= dict(_assignment(line) for line in output.splitlines() if line.strip())
    print(f"unset {' '.join(NOT_FOR_CHILDREN)}")
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _assignment(line: str) -> tuple[str, str]:
    name, separator, value = line.partition("=")
    if not separator or not name.isidentifier() or not name.isascii():
        raise UserError(f"pyproject.toml: [tool.rehearsal] environment: expected NAME=VALUE lines, it printed {line!r}")
    return name, value


def approve(configuration: Configuration, options: argparse.Namespace) -> int:
    """Approve what waits."""
    return _answer(configuration, Answer(True, options.comment or _somebody()))


def reject(configuration: Configuration, options: argparse.Namespace) -> int:
    """Reject what waits."""
    return _answer(configuration, Answer(False, options.comment or _somebody()))


def _somebody() -> str:
    return f"answered by {os.environ.get('USER') or 'a person'}"


def _answer(configuration: Configuration, decision: Answer) -> int:
    serving = _serving(configuration)
    if len(decision.comment) > approvals.COMMENT_LIMIT:
        raise UserError(f"--comment: {len(decision.comment)} characters, AWS keeps {approvals.COMMENT_LIMIT} at most")
    name = facts.pipeline(configuration)
    pipeline = Pipeline(serving.client("codepipeline"), name)
    with reaching(serving, name):
        waiting = approvals.waiting(pipeline)
        answered = [approval for approval in waiting if approvals.answer(pipeline, approval, decision)]
    if not answered:
        raise UserError(f"nothing waits for approval; see: {typed('status', project=configuration.project)}")
    for approval in answered:
        word = "approved" if decision.approved else "rejected"
        Screen().say(f"{approval.path} of execution {approval.execution[:8]} {word}")
    return 0


def stop(configuration: Configuration, _: argparse.Namespace) -> int:
    """Have the executions that are under way end after their running actions."""
    serving = _serving(configuration)
    name = facts.pipeline(configuration)
    pipeline = Pipeline(serving.client("codepipeline"), name)
    with reaching(serving, name):
        running = [each for each in pipeline.executions() if each.status == "InProgress"]
        for execution in running:
            pipeline.stop(execution.identifier, "asked to stop by hand")
        waiting = approvals.waiting(pipeline)
        for approval in waiting:
            approvals.answer(pipeline, approval, Answer(False, "the execution was stopped"))
    if not running:
        raise UserError(f"nothing is under way; see: {typed('status', project=configuration.project)}")
    for execution in running:
        Screen().say(f"execution {execution.identifier[:8]} stops after the actions that are running")
    return 0


def logs(configuration: Configuration, options: argparse.Namespace) -> int:
    """Print an action's log."""
    serving = _serving(configuration)
    name = facts.pipeline(configuration)
    pipeline = Pipeline(serving.client("codepipeline"), name)
    with reaching(serving, name):
        executions = pipeline.executions()
        actions = list(pipeline.execution(executions[0].identifier).actions) if executions else []
    log = _chosen(actions, options.action, typed("status", project=configuration.project))
    with log.open("rb") as stream:
        sys.stdout.buffer.write(stream.read())
    sys.stdout.flush()
    return 0


def _chosen(actions: list[Action], wanted: str | None, see: str) -> Path:
    logged = {action.path: action for action in actions if action.log is not None and action.log.is_file()}
    if not logged:
        raise UserError(f"the newest execution has no log yet; see: {see}")
    if wanted is None:
        by_interest = [a for status in ("Failed", "InProgress") for a in logged.values() if a.status == status]
        action = by_interest[0] if by_interest else list(logged.values())[-1]
        complain(f"{action.path}: {action.log}")
    elif wanted in logged:
        action = logged[wanted]
    else:
        raise UserError(f"{wanted}: no log of that name; there are {', '.join(logged)}")
    if action.log is None:
        raise UserError(f"{action.path} keeps no log")
    return action.log


COMMANDS: dict[str, Callable[[Configuration, argparse.Namespace], int]] = {
    "status": status,
    "down": down,
    "env": env,
    "approve": approve,
    "reject": reject,
    "stop": stop,
    "logs": logs,
}
