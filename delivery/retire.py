"""Destroying what an orphan holds: planned, reviewed, recorded and applied like any other change."""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from delivery.allowed import STACK
from delivery.apply import Place, apply_plan
from delivery.deployed import fetch
from delivery.errors import COMMAND, UsageError
from delivery.files import write_whole
from delivery.fit import PROVIDER_LOCK
from delivery.ledger import Ledger
from delivery.plan import RECORD_FILE, Made, make_plan
from delivery.project import Project, Stack
from delivery.record import Record
from delivery.risk import Risk
from delivery.state import Backend
from delivery.terraform import Terraform

FOLDER: Final = "stack"
KEPT: Final = ("terraform", "provider", "variable")
"""The parts of a configuration that say where its resources are; without any resource, all are to be destroyed."""


def plan_retirement(project: Project, terraform: Terraform, name: str, out: Path, like: str = "") -> Made:
    """Plan the destruction of all that the state of stack ``name`` holds, into the folder ``out``; enter the plan.

    Its provider is that of its last release or, where none is kept, that of stack ``like``. Raises ``UsageError`` for a
    stack that is synthesized, has no state, or whose provider is not known.
    """
    if not STACK.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a stack: `{COMMAND} orphans` lists those to retire")
    if name in project.stack_names:
        raise UsageError(f"stack {name} is synthesized: take its environment out of stacks/settings.py first")
    any_stack = project.stack("state")
    backend = replace(Backend.of(any_stack), key=f"{name}/terraform.tfstate")
    if not backend.version().lineage:
        raise UsageError(f"there is no state s3://{backend.bucket}/{backend.key}: nothing to retire")
    stack = Stack(name, out / FOLDER)
    shutil.rmtree(stack.folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="retire-") as folder:
        deployed = fetch(name, backend, Path(folder))
        if deployed is None and not like:
            raise UsageError(
                f"no release of stack {name} is kept, so its account and region are not known: name a stack that is "
                f"in the same with --like, one of {', '.join(project.stack_names)}"
            )
        _reconstruct(deployed.stack if deployed else project.stack(like), backend, stack)
    made = make_plan(project, terraform, stack, out)
    Ledger.of(project).enter(made.record)
    return made


def retire(project: Project, terraform: Terraform, name: str, folder: Path, sha256: str, *, approved: bool) -> None:
    """Apply the plan that ``plan_retirement`` left in ``folder``; one that loses data only if that is ``approved``.

    Raises what ``apply_plan`` does, and ``UsageError`` without the approval.
    """
    try:
        record = Record.load(folder / RECORD_FILE)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} holds no plan ({error}): run `retire --out` first") from error
    if record.plan.risk == str(Risk.DESTRUCTIVE) and not approved:
        raise UsageError(
            f"this plan loses data for good ({record.plan.summary[:300]}): when that was approved, add "
            f"--approve {Risk.DESTRUCTIVE}"
        )
    stack = Stack(name, folder / FOLDER)
    apply_plan(Place.of(project, terraform, stack, record.environment), folder, sha256)


def _reconstruct(source: Stack, backend: Backend, target: Stack) -> None:
    """Write a stack that has the state at ``backend``, the provider of ``source``, and no resource."""
    configuration: dict[str, Any] = {key: part for key, part in source.configuration.items() if key in KEPT}
    configuration["terraform"]["backend"]["s3"]["key"] = backend.key
    write_whole(target.folder / "cdk.tf.json", json.dumps(configuration, indent=2) + "\n")
    shutil.copyfile(source.folder / PROVIDER_LOCK, target.folder / PROVIDER_LOCK)
