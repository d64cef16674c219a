"""How a rehearsal stands: what serves, the newest executions, what waits for approval, and the URLs."""

import argparse
import shlex
from pathlib import Path

from rehearsal import approvals, facts
from rehearsal.addresses import addresses
from rehearsal.commands import tail
from rehearsal.configuration import Configuration
from rehearsal.execution import Execution
from rehearsal.follow import Pipeline
from rehearsal.journey import ending
from rehearsal.reach import reaching
from rehearsal.rendering import duration, mark
from rehearsal.screen import Screen
from rehearsal.serving import Serving, current, nothing_serves


def status(configuration: Configuration, _: argparse.Namespace) -> int:
    """Show what serves, the newest executions, the newest one's stages, what waits, and the URLs."""
    screen = Screen()
    serving = current(configuration.folder)
    if serving is None:
        screen.say(nothing_serves(configuration.project))
        return 1
    screen.say(f"{serving.state}: {serving.endpoint} (pid {serving.pid}, since {serving.started_at})", "bold")
    screen.say(f"account {serving.account}, region {serving.region}")
    if serving.state == "starting":
        _show_start(screen, serving)
        return 0
    for repository, path in serving.git.items():
        screen.say(f"git push {shlex.quote(path)}   delivers to {repository}", "dim")
    name = facts.pipeline(configuration)
    pipeline = Pipeline(serving.client("codepipeline"), name)
    with reaching(serving, name):
        _show_executions(screen, pipeline, configuration.project)
        client, order = serving.client("apigateway"), configuration.deployed_by(pipeline.stage_names())
        screen.urls(addresses(client, endpoint=serving.endpoint, tag=configuration.url_tag, order=order))
    return 0


def _show_start(screen: Screen, serving: Serving) -> None:
    """Show what a rehearsal that is starting does, and how far that is."""
    screen.say(serving.step or "the emulated AWS is up; the project's own commands come next")
    if serving.log:
        screen.block("".join(f"  {line}" for line in tail(Path(serving.log), 1)), "dim")
        screen.say(f"log: {serving.log}", "dim")
    screen.say("it delivers the working tree by itself once the pipeline is there; nothing has to be pushed")


def _show_executions(screen: Screen, pipeline: Pipeline, project: Path) -> None:
    executions = pipeline.executions()
    for execution in executions[:5]:
        screen.say(_headline(execution))
    if executions and not _of_creation(executions[0]):
        screen.say()
        newest = pipeline.execution(executions[0].identifier)
        screen.table(newest)
        screen.say()
        if newest.ended:
            screen.say(ending(newest).message)
    for approval in approvals.waiting(pipeline):
        approvals.describe(screen, approval)
        screen.say(f"answer it: {approvals.how_to_answer(project)}")


def _of_creation(execution: Execution) -> bool:
    """Tell the execution that creating the pipeline starts, before its source holds anything.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html
    """
    return execution.trigger == "CreatePipeline" and not execution.commit


def _headline(execution: Execution) -> str:
    started = execution.started.astimezone().strftime("%H:%M:%S") if execution.started else ""
    sign = mark(execution.status).plain
    why = "  (the pipeline's creation starts it; nothing had been pushed yet)" if _of_creation(execution) else ""
    took = f"{duration(execution.seconds):>7}"
    return f"{execution.identifier[:8]}  {execution.commit[:8]:8}  {started}  {took}  {sign}{why}"
