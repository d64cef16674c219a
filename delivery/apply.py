"""Applying exactly the plan that was reviewed, once."""

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from delivery.aws import asking, client
from delivery.diagnosis import is_stale
from delivery.errors import (
    COMMAND,
    DeliveryError,
    InterruptedRunError,
    PlanRefusedError,
    Refusal,
    TerraformError,
    UsageError,
)
from delivery.files import make_writable, sha256, shell_lines, write_whole
from delivery.fit import check_age, check_inputs, check_origin, check_state
from delivery.ledger import Ledger, TakenError
from delivery.plan import PLAN_FILE, RECORD_FILE
from delivery.printable import one_line
from delivery.progress import say
from delivery.project import Project, Stack
from delivery.record import Apply, Record, Status, now
from delivery.run import Run
from delivery.state import Backend
from delivery.terraform import Terraform

FOR_GOOD = frozenset({Refusal.EXPIRED, Refusal.SUPERSEDED, Refusal.STALE, Refusal.NOT_EMPTY})
"""Refusals that nothing can lift again: the ledger keeps them."""


@dataclass(frozen=True)
class Place:
    """What a plan is applied to, and from where."""

    project: Project
    terraform: Terraform
    stack: Stack
    environment: str
    ledger: Ledger
    run: Run | None
    anew: str

    @classmethod
    def of(
        cls,
        project: Project,
        terraform: Terraform,
        stack: Stack,
        environment: str,
        variables: Mapping[str, str] = os.environ,
    ) -> "Place":
        """Return the place that a build's environment variables tell of."""
        name = variables.get("PIPELINE_NAME", "NAME")
        anew = f"Start a new execution with: aws codepipeline start-pipeline-execution --name {name}"
        return cls(project, terraform, stack, environment, Ledger.of(project), Run.of(variables), anew)


def apply_plan(place: Place, folder: Path, digest: str) -> bool:
    """Apply the plan in ``folder`` if it is the one ``digest`` names; return whether it had anything to change.

    Raises ``PlanRefusedError`` for a plan that is not to be applied (see ``Refusal``), ``TerraformError`` when applying
    it fails. The ledger keeps what became of it, and that it is being applied if this process dies meanwhile.
    """
    record = _reviewed(place, folder, digest)
    backend = Backend.of(place.stack)
    try:
        if place.run:
            place.run.check(record.plan_sha256, place.anew)
        check_age(record, place.anew)
        check_state(record, backend.version(), place.anew)
    except PlanRefusedError as refused:
        if refused.refusal in FOR_GOOD:
            _refuse(place, record, refused)
        raise
    place.terraform.init(place.stack)
    apply = _take(place, record)
    try:
        _run(place, record, folder / PLAN_FILE)
    except BaseException as error:
        _close(place, record, replace(apply, status=_status(error), said=str(error)), backend)
        raise
    _close(place, record, replace(apply, status=Status.APPLIED), backend)
    return record.plan.has_changes


def check_outputs(path: Path) -> None:
    """Raise ``UsageError`` where ``write_outputs`` could not write: once a plan is applied, it is too late for that."""
    try:
        make_writable(path.parent)
    except OSError as error:
        raise UsageError(f"no outputs can be put into {path.parent} ({error.strerror}); nothing was applied") from error
    if path.is_dir():
        raise UsageError(f"no outputs can be put into {path}, which is a folder; nothing was applied")


def write_outputs(stack: Stack, path: Path) -> None:
    """Write the stack's outputs as ``URL='…'`` lines, ready to be sourced by a shell."""
    found = Backend.of(stack).outputs()
    # Of what a name may be made of in Terraform, a shell takes all but the dash.
    names = {name: name.upper().replace("-", "_") for name in found}
    values = {names[name]: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
    write_whole(path, shell_lines(values))


def _reviewed(place: Place, folder: Path, digest: str) -> Record:
    """Return the ledger's record of the plan in ``folder``, if that is the plan and this is the place it is for."""
    plan = folder / PLAN_FILE
    if not plan.is_file():
        raise PlanRefusedError(Refusal.ALTERED, f"there is no plan at {plan}")
    found = sha256(plan)
    if not hmac.compare_digest(found.encode(), digest.strip().lower().encode(errors="replace")):
        what = f"{plan} is not the reviewed plan: its SHA-256 is {found}, not {one_line(digest) or 'an empty one'}"
        raise PlanRefusedError(Refusal.ALTERED, what)
    path = folder / RECORD_FILE
    try:
        beside = Record.load(path)
    except (OSError, ValueError) as error:
        raise PlanRefusedError(Refusal.UNRECORDED, f"{path} does not tell what the plan is ({error})") from error
    check_origin(beside, place.stack, place.environment)
    record = place.ledger.find(place.environment, found)
    if record is None:
        raise PlanRefusedError(Refusal.UNRECORDED, f"the ledger of {place.environment} knows no plan {found}")
    if replace(record, apply=None) != beside:
        raise PlanRefusedError(Refusal.UNRECORDED, f"{path} is not the record that the ledger holds of the plan")
    _check_unused(place, record)
    check_inputs(record, place.project, place.stack, place.terraform)
    return record


def _check_unused(place: Place, record: Record) -> None:
    if record.apply is None:
        return
    said = f"since {record.apply.started_at} by {record.apply.by}"
    if record.status is Status.APPLYING:
        what = f"this plan for {record.plan.stack} is being applied {said}, or that broke off"
        recover = f"See: {COMMAND} recover --environment {record.environment}"
        raise PlanRefusedError(Refusal.OPEN, what, recover)
    what = f"this plan for {record.plan.stack} is used up: {record.status} {said}"
    raise PlanRefusedError(Refusal.USED, what, place.anew)


def _take(place: Place, record: Record) -> Apply:
    approvals = place.run.approvals(record.plan_sha256) if place.run else ()
    apply = replace(_begin(place, Status.APPLYING), approvals=approvals)
    try:
        place.ledger.take(record, apply)
    except TakenError:
        what = f"another run took this plan for {record.plan.stack} just now"
        recover = f"See: {COMMAND} recover --environment {record.environment}"
        raise PlanRefusedError(Refusal.OPEN, what, recover) from None
    return apply


def _begin(place: Place, status: Status) -> Apply:
    with asking("cannot see as whom this runs"):
        by = client("sts").get_caller_identity()["Arn"]
    run = place.run
    return Apply(
        status=status,
        by=by,
        started_at=now(),
        pipeline=run.pipeline if run else "",
        execution=run.execution if run else "",
    )


def _run(place: Place, record: Record, plan: Path) -> None:
    if not record.plan.has_changes:
        say(f"{place.stack.name}: the plan is empty, nothing to apply")
        return
    try:
        place.terraform.apply(place.stack, plan)
    except TerraformError as error:
        if is_stale(error.block):
            what = f"the plan for {place.stack.name} is stale: its state changed just now"
            raise PlanRefusedError(Refusal.STALE, what, place.anew) from error
        raise


def _status(error: BaseException) -> Status:
    if isinstance(error, PlanRefusedError):
        return Status.REFUSED
    if isinstance(error, InterruptedRunError | KeyboardInterrupt):
        return Status.INTERRUPTED
    return Status.FAILED


def _close(place: Place, record: Record, apply: Apply, backend: Backend) -> None:
    """Write the outcome; where that fails after an error, that error is what ends the command."""
    try:
        place.ledger.close(record, replace(apply, ended_at=now(), state=backend.version()))
    except (DeliveryError, TakenError) as failure:
        what = f"the plan was {apply.status}, but the ledger could not be closed ({failure or 'somebody else did'})"
        message = f"{what}: see {COMMAND} recover --environment {record.environment}"
        if apply.status == Status.APPLIED:
            raise DeliveryError(message) from failure
        say(message)


def _refuse(place: Place, record: Record, refused: PlanRefusedError) -> None:
    """Keep in the ledger why the plan was refused, if that can be done."""
    try:
        apply = replace(_begin(place, Status.REFUSED), ended_at=now(), said=str(refused))
        place.ledger.take(record, apply)
    except (DeliveryError, TakenError) as failure:
        say(f"the ledger does not keep this refusal: {failure or 'someone took the plan meanwhile'}")
