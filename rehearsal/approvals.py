"""Manual approvals: what waits, what a person should see of it, and how it is answered."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rehearsal.errors import UserError
from rehearsal.follow import Pipeline
from rehearsal.screen import Screen
from rehearsal.typed import typed

Policy = Literal["ask", "all", "none"]
POLICIES: tuple[Policy, ...] = ("ask", "all", "none")
COMMENT_LIMIT = 512


@dataclass(frozen=True)
class Approval:
    """An approval action that waits for an answer."""

    execution: str
    stage: str
    action: str
    token: str
    text: str
    """The action's CustomData, variables resolved."""

    link: str

    @property
    def path(self) -> str:
        """``STAGE/ACTION``."""
        return f"{self.stage}/{self.action}"


@dataclass(frozen=True)
class Answer:
    """Whether to approve, and the approver's words."""

    approved: bool
    comment: str


def how_to_answer(project: Path) -> str:
    """Return what a person types to answer an approval of ``project``."""
    return f"{typed('approve', project=project)}, or the same with reject"


def policy(flag: str | None) -> Policy:
    """Return who answers approvals: ``--approve``, else the variable ``APPROVE``, else a person is asked.

    Raises ``UserError`` for another word.
    """
    name, word = ("--approve", flag) if flag is not None else ("APPROVE", os.environ.get("APPROVE") or "ask")
    for known in POLICIES:
        if word == known:
            return known
    raise UserError(f"{name}={word}: expected one of {', '.join(POLICIES)}")


def waiting(pipeline: Pipeline) -> list[Approval]:
    """Return the approvals that wait for an answer.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-approve-or-reject.html
    """
    found = []
    for stage, action in _with_token(pipeline.client.get_pipeline_state(name=pipeline.name)):
        latest = action["latestExecution"]
        execution = stage["latestExecution"]["pipelineExecutionId"]
        shown = _configuration(pipeline, execution, latest.get("actionExecutionId", ""))
        found.append(
            Approval(
                execution=execution,
                stage=stage["stageName"],
                action=action["actionName"],
                token=latest["token"],
                text=shown.get("CustomData", ""),
                link=shown.get("ExternalEntityLink", "") or latest.get("externalExecutionUrl", ""),
            )
        )
    return found


def answer(pipeline: Pipeline, approval: Approval, decision: Answer) -> bool:
    """Give ``decision``; ``False`` when somebody else was faster.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html
    """
    errors = pipeline.client.exceptions
    try:
        pipeline.client.put_approval_result(
            pipelineName=pipeline.name,
            stageName=approval.stage,
            actionName=approval.action,
            token=approval.token,
            result={
                "status": "Approved" if decision.approved else "Rejected",
                "summary": decision.comment[:COMMENT_LIMIT],
            },
        )
    except (errors.ApprovalAlreadyCompletedException, errors.InvalidApprovalTokenException):
        return False
    return True


def decide(screen: Screen, approval: Approval, who: Policy, still_waits: Callable[[], bool]) -> Answer | None:
    """Return the answer that ``who`` gives; ``None`` when the question was settled elsewhere meanwhile."""
    if who != "ask":
        return Answer(who == "all", f"answered by --approve {who}")
    describe(screen, approval)
    if not sys.stdin.isatty() or not screen.console.is_terminal:
        screen.say("nobody can be asked here, so it is rejected; to have it approved: --approve all, or APPROVE=all")
        return Answer(False, "nobody could be asked: no terminal")
    with screen.paused():
        line = _ask(screen, "approve? [y/N, then a comment if you like] ", still_waits)
    if line is None:
        return None
    word, _, comment = line.strip().partition(" ")
    return Answer(word.lower() in {"y", "yes"}, comment.strip() or f"answered by {os.environ.get('USER', 'a person')}")


def describe(screen: Screen, approval: Approval) -> None:
    """Print what the approver should know."""
    screen.say(f"{approval.path} waits for approval", "bold")
    screen.block(approval.text)
    if approval.link:
        screen.say(approval.link)


def _ask(screen: Screen, question: str, still_waits: Callable[[], bool]) -> str | None:
    screen.console.print(question, end="")
    while still_waits():
        ready, _, _ = select.select([sys.stdin], [], [], 1.0)
        if ready:
            return sys.stdin.readline()
    screen.say()
    screen.say("answered elsewhere")
    return None


def _with_token(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for stage in state.get("stageStates", []):
        for action in stage.get("actionStates", []):
            latest = action.get("latestExecution", {})
            if latest.get("token") and latest.get("status") == "InProgress":
                yield stage, action


def _configuration(pipeline: Pipeline, execution: str, action_execution: str) -> dict[str, str]:
    for detail in pipeline.action_details(execution):
        if detail["actionExecutionId"] == action_execution:
            return dict(detail.get("input", {}).get("resolvedConfiguration", {}))
    return {}
