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
from rehearsal.addresses import addresses
from rehearsal.approvals import Answer
from rehearsal.configuration import Configuration
from rehearsal.errors import RehearsalError, UserError
from rehearsal.execution import Action, Execution
from rehearsal.follow import Pipeline
from rehearsal.reach import reaching
from rehearsal.rendering import duration, mark
from rehearsal.screen import Screen, complain
from rehearsal.serving import Serving, current, locked

ENDING_SECONDS = 180.0
NOT_FOR_CHILDREN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


def _serving(configuration: Configuration) -> Serving:
    if (serving := current(configuration.folder)) is None:
        raise UserError(f"nothing is being rehearsed for {configuration.project}; start it: python -m rehearsal")
    return serving


def status(configuration: Configuration, _: argparse.Namespace) -> int:
    """Show what serves, the newest executions, the newest one's stages, what waits, and the URLs."""
    screen = Screen()
    serving = current(configuration.folder)
    if serving is None:
        screen.say(f"nothing is being rehearsed for {configuration.project}; start it: python -m rehearsal")
        return 1
    screen.say(f"{serving.state}: {serving.endpoint} (pid {serving.pid}, since {serving.started_at})", "bold")
    screen.say(f"account {serving.account}, region {serving.region}")
    for repository, path in serving.git.items():
        screen.say(f"git push {shlex.quote(path)}   delivers to {repository}", "dim")
    name = facts.pipeline(configuration)
    pipeline = Pipeline(serving.client("codepipeline"), name)
    with reaching(serving, name):
        _show_executions(screen, pipeline)
        client = serving.client("apigateway")
        screen.urls(addresses(client, endpoint=serving.endpoint, tag=configuration.url_tag))
    return 0


def _show_executions(screen: Screen, pipeline: Pipeline) -> None:
    executions = pipeline.executions()
    for execution in executions[:5]:
        screen.console.print(_headline(execution))
    if executions:
        screen.say()
        screen.table(pipeline.execution(executions[0].identifier))
        screen.say()
    for approval in approvals.waiting(pipeline):
        approvals.describe(screen, approval)
        screen.say(f"answer it: {approvals.HOW_TO_ANSWER}")


def _headline(execution: Execution) -> str:
    started = execution.started.astimezone().strftime("%H:%M:%S") if execution.started else ""
    sign = mark(execution.status).plain
    return f"{execution.identifier[:8]}  {execution.commit[:8]:8}  {started}  {duration(execution.seconds):>7}  {sign}"


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
        raise UserError("nothing waits for approval; see: python -m rehearsal status")
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
            pipeline.stop(execution.identifier, "python -m rehearsal stop")
        waiting = approvals.waiting(pipeline)
        for approval in waiting:
            approvals.answer(pipeline, approval, Answer(False, "the execution was stopped"))
    if not running:
        raise UserError("nothing is under way; see: python -m rehearsal status")
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
    log = _chosen(actions, options.action)
    with log.open("rb") as stream:
        sys.stdout.buffer.write(stream.read())
    sys.stdout.flush()
    return 0


def _chosen(actions: list[Action], wanted: str | None) -> Path:
    logged = {action.path: action for action in actions if action.log is not None and action.log.is_file()}
    if not logged:
        raise UserError("the newest execution has no log yet; see: python -m rehearsal status")
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
