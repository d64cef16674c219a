"""Applying exactly the plan that was reviewed."""

import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from delivery.binding import check, read_binding
from delivery.diagnosis import is_stale
from delivery.errors import PlanRefusedError, TerraformError
from delivery.files import sha256, shell_lines, write_whole
from delivery.plan import BINDING_FILE, PLAN_FILE
from delivery.progress import say
from delivery.project import Project, Stack
from delivery.terraform import Terraform


def apply_plan(
    project: Project,
    terraform: Terraform,
    stack: Stack,
    folder: Path,
    digest: str,
    environment: Mapping[str, str] = os.environ,
) -> bool:
    """Apply the plan in ``folder`` if it is the one ``digest`` names; return whether it had anything to change.

    Raises ``PlanRefusedError`` for any other plan, one of another stack or commit, one whose files changed, and a stale
    one; ``TerraformError`` if applying it fails.
    """
    plan = folder / PLAN_FILE
    _check_digest(plan, digest)
    binding = read_binding(folder / BINDING_FILE)
    if binding.plan_sha256 != sha256(plan):
        raise PlanRefusedError(f"{folder / BINDING_FILE} belongs to another plan: nothing was applied")
    check(binding, stack, commit=project.commit())
    terraform.init(stack)
    if not binding.has_changes:
        say(f"{stack.name}: the plan is empty, nothing to apply")
        return False
    try:
        terraform.apply(stack, plan)
    except TerraformError as error:
        if is_stale(error.block):
            _refuse_stale(stack, environment)
        raise
    return True


def write_outputs(terraform: Terraform, stack: Stack, path: Path) -> None:
    """Write the stack's outputs as ``URL='…'`` lines, ready to be sourced by a shell."""
    found = terraform.outputs(stack)
    values = {name.upper(): value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
    write_whole(path, shell_lines(values))


def _check_digest(plan: Path, digest: str) -> None:
    if not plan.is_file():
        raise PlanRefusedError(f"there is no plan at {plan}: nothing was applied")
    found = sha256(plan)
    if not hmac.compare_digest(found, digest.strip().lower()):
        raise PlanRefusedError(
            f"{plan} is not the reviewed plan: its SHA-256 is {found}, not {digest}; nothing was applied"
        )


def _refuse_stale(stack: Stack, environment: Mapping[str, str]) -> NoReturn:
    name = environment.get("PIPELINE_NAME", "NAME")
    raise PlanRefusedError(
        f"the plan for {stack.name} is stale: its state changed after the plan was made; nothing was applied. "
        f"Start a new execution with: aws codepipeline start-pipeline-execution --name {name}"
    )
