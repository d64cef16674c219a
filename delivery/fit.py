"""Whether a plan is one of what stands here: each way in which it is not has its own refusal."""

import re
from datetime import UTC, datetime
from typing import Final

from delivery.errors import PlanRefusedError, Refusal
from delivery.files import sha256
from delivery.project import Project, Stack
from delivery.record import Record, StateVersion
from delivery.terraform import Terraform

PROVIDER_LOCK: Final = ".terraform.lock.hcl"
READ_BY_PLAN: Final = ("*.tf.json", PROVIDER_LOCK, "assets/**/*")
PROVIDER: Final = re.compile(
    r'^provider "(?:registry\.terraform\.io/)?([^"]+)" \{\s+version\s+= "([^"]+)"', re.MULTILINE
)


def digests(stack: Stack) -> dict[str, str]:
    """Return the SHA-256 of all in the stack's folder that a plan reads: configuration, provider lock, assets."""
    paths = {path for pattern in READ_BY_PLAN for path in stack.folder.glob(pattern) if path.is_file()}
    return {path.relative_to(stack.folder).as_posix(): sha256(path) for path in sorted(paths)}


def providers(stack: Stack) -> dict[str, str]:
    """Return the version of every provider that the stack's lock names."""
    return dict(PROVIDER.findall((stack.folder / PROVIDER_LOCK).read_text()))


def check_origin(record: Record, stack: Stack, environment: str) -> None:
    """Raise ``PlanRefusedError`` for a plan of another stack or environment."""
    if record.plan.stack != stack.name:
        raise PlanRefusedError(Refusal.STACK, f"this is a plan for stack {record.plan.stack}, not for {stack.name}")
    if record.environment != environment:
        raise PlanRefusedError(
            Refusal.ENVIRONMENT, f"this is a plan for environment {record.environment}, not for {environment}"
        )


def check_inputs(record: Record, project: Project, stack: Stack, terraform: Terraform) -> None:
    """Raise ``PlanRefusedError`` unless the plan was made from this commit and these files, by this Terraform."""
    commit = project.commit()
    if record.commit != commit:
        what = f"this plan for {stack.name} was made from commit {record.commit or 'unknown'}, but this is"
        raise PlanRefusedError(Refusal.COMMIT, f"{what} {commit or 'one that is unknown'}")
    if record.plan.terraform_version != terraform.version:
        what = f"this plan for {stack.name} was made by Terraform {record.plan.terraform_version}, but this is"
        raise PlanRefusedError(Refusal.TERRAFORM, f"{what} {terraform.version}")
    here, planned = digests(stack), record.plan.files
    changed = sorted(name for name in {**planned, **here} if planned.get(name) != here.get(name))
    if changed:
        refusal = Refusal.PROVIDER if PROVIDER_LOCK in changed else Refusal.FILES
        names = PROVIDER_LOCK if PROVIDER_LOCK in changed else ", ".join(changed[:5])
        raise PlanRefusedError(refusal, f"{names} of {stack.name} changed after the plan was made")


def check_age(record: Record, anew: str) -> None:
    """Raise ``PlanRefusedError`` for a plan that was made too long ago."""
    if datetime.now(UTC) >= datetime.fromisoformat(record.plan.expires_at):
        what = f"the plan for {record.plan.stack} expired at {record.plan.expires_at}"
        raise PlanRefusedError(Refusal.EXPIRED, what, anew)


def check_state(record: Record, current: StateVersion, anew: str) -> None:
    """Raise ``PlanRefusedError`` unless the plan was made on the ``current`` version of the state.

    Terraform compares the serial alone where a plan was made on no state.
    https://github.com/hashicorp/terraform/issues/24078
    """
    planned, stack = record.plan.state, record.plan.stack
    if planned == current:
        return
    if not planned.lineage:
        what = f"the plan for {stack} was made when it had no state, and now it has one ({current})"
        raise PlanRefusedError(Refusal.NOT_EMPTY, what, anew)
    what = f"the plan for {stack} is stale: it was made on {planned}, and its state has become {current}"
    raise PlanRefusedError(Refusal.STALE, what, anew)
