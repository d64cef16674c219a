"""What to do about an apply that broke off: what is known of it, and each step in the order to take it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from delivery.aws import asking, client
from delivery.errors import COMMAND, DeliveryError
from delivery.ledger import Ledger, TakenError
from delivery.project import Project
from delivery.record import Apply, Record, StateVersion, Status, now
from delivery.state import Backend, Lock


@dataclass(frozen=True)
class Broken:
    """A plan that was taken and never closed, and how things stand by now."""

    record: Record
    apply: Apply
    lock: Lock | None
    state: StateVersion
    progress: str
    """How far CodePipeline says the execution is; empty for an apply outside of a pipeline."""

    @property
    def runs(self) -> bool:
        """Whether the execution goes on, and with it the apply, as far as anyone can tell."""
        return self.progress in ("InProgress", "Stopping")

    @property
    def heading(self) -> str:
        """One line: which plan, taken by whom."""
        record = self.record
        plan = f"plan {record.plan_sha256[:12]} of commit {record.commit[:12] or 'unknown'}"
        taken = f"was taken at {self.apply.started_at} by {self.apply.by}, and is not closed"
        return f"{record.environment}: {plan} {taken} ({record.plan.summary})"

    @property
    def facts(self) -> Iterator[str]:
        """What is known, a line each."""
        if self.progress:
            yield f"execution {self.apply.execution} of pipeline {self.apply.pipeline}: {self.progress}"
        if self.lock:
            holder = f"{self.lock.who} since {self.lock.created} ({self.lock.operation}, id {self.lock.id})"
            yield f"the state of {self.record.plan.stack} is locked by {holder}"
        else:
            yield f"the state of {self.record.plan.stack} is not locked: no Terraform is at work on it"
        if self.state == self.record.plan.state:
            yield f"its state is as it was planned on ({self.state}): nothing that Terraform did is saved"
        else:
            yield f"its state is {self.state}, planned on {self.record.plan.state}: Terraform saved what it had done"

    @property
    def steps(self) -> Iterator[str]:
        """What to do, in this order."""
        name, environment = self.record.plan.stack, self.record.environment
        if self.runs:
            yield (
                "it may be at work: wait for its end, or stop it with: aws codepipeline stop-pipeline-execution "
                f"--pipeline-name {self.apply.pipeline} --pipeline-execution-id {self.apply.execution}"
            )
        if self.lock:
            yield (
                "only if that run is surely dead, free the lock with: "
                f"{COMMAND} terraform {name} -- force-unlock {self.lock.id}"
            )
        yield f"close the record with: {COMMAND} recover --environment {environment} --close"
        anew = f"aws codepipeline start-pipeline-execution --name {self.apply.pipeline}"
        by_hand = f"{COMMAND} plan --stack {name} --out DIR"
        yield f"plan what is left with: {anew if self.apply.pipeline else by_hand}"
        yield (
            "if that says that something exists already, Terraform made it without saving so: "
            f"{COMMAND} terraform {name} -- import ADDRESS ID"
        )


def broken(project: Project, ledger: Ledger, environment: str) -> list[Broken]:
    """Return every apply of ``environment`` that was begun and not closed, the latest first."""
    return [
        _look(project, record, record.apply)
        for record in ledger.plans(environment)
        if record.apply and record.status is Status.APPLYING
    ]


def close(ledger: Ledger, found: Broken) -> None:
    """Close the record of an apply that is surely over; raises ``DeliveryError`` for one that may not be."""
    record = found.record
    if found.runs:
        raise DeliveryError(
            f"execution {found.apply.execution} is {found.progress}: stop it, or wait for its end first"
        )
    if found.lock:
        raise DeliveryError(
            f"the state of {record.plan.stack} is locked by {found.lock.who}: wait for that run's end; only if it is "
            f"surely dead, free it with: {COMMAND} terraform {record.plan.stack} -- force-unlock "
            f"{found.lock.id}"
        )
    with asking("cannot see as whom this runs"):
        by = client("sts").get_caller_identity()["Arn"]
    said = f"broke off; closed by {by}"
    ended = replace(found.apply, status=Status.INTERRUPTED, ended_at=now(), said=said, state=found.state)
    try:
        ledger.close(record, ended)
    except TakenError:
        raise DeliveryError(f"plan {record.plan_sha256[:12]} was closed by its own run just now") from None


def _look(project: Project, record: Record, apply: Apply) -> Broken:
    backend = Backend.of(project.stack(record.plan.stack))
    return Broken(record, apply, backend.lock(), backend.version(), _progress(apply))


def _progress(apply: Apply) -> str:
    if not apply.execution:
        return ""
    with asking(f"cannot see how far execution {apply.execution} is"):
        found = client("codepipeline").get_pipeline_execution(
            pipelineName=apply.pipeline, pipelineExecutionId=apply.execution
        )
        return str(found["pipelineExecution"]["status"])
