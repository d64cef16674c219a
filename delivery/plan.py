"""Making a plan: saved, reviewed, graded, and recorded with everything it was made from."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from delivery.changes import Planned, read_plan
from delivery.errors import UsageError
from delivery.files import make_writable, sha256, shell_lines, write_whole
from delivery.fit import PROVIDER_LOCK, digests, providers
from delivery.page import page
from delivery.project import Project, Stack
from delivery.publication import publish
from delivery.record import LIFETIME_DAYS, Plan, Record
from delivery.redaction import concealed, without_secrets
from delivery.review import Review
from delivery.state import planned_on
from delivery.terraform import Terraform

PLAN_FILE: Final = "tfplan"
RECORD_FILE: Final = "record.json"
WRITTEN: Final = (PLAN_FILE, "plan.json", "review.md", "review.html", "variables.env", RECORD_FILE)
EMPTY: Final[dict[str, Any]] = {"applyable": False, "resource_changes": [], "resource_drift": [], "output_changes": {}}
"""What an empty plan holds; asking Terraform for it would load the provider once more."""

PRIVATE: Final = 0o600
"""A saved plan holds configuration and state in the clear."""


@dataclass(frozen=True)
class Made:
    """A plan in its folder, and what it would do."""

    review: Review
    record: Record

    @property
    def planned(self) -> Planned:
        """What the plan would do."""
        return self.review.planned

    @property
    def variables(self) -> dict[str, str]:
        """What the pipeline's later actions decide by and show."""
        return {
            "HAS_CHANGES": "true" if self.planned.has_changes else "false",
            "RISK": str(self.planned.risk),
            "SUMMARY": self.review.summary,
            "PLAN_SHA256": self.record.plan_sha256,
            "REVIEW_URL": self.record.plan.review,
        }


Context = Callable[[dict[str, Any], Record], str]
"""What a plan without its secrets, and its record, let one say of where it comes from; as Markdown."""


def _nothing(_plan: dict[str, Any], _record: Record) -> str:
    return ""


def make_plan(
    project: Project,
    terraform: Terraform,
    stack: Stack,
    out: Path,
    *,
    behaviour: Callable[[], str] = str,
    review_bucket: str = "",
    context: Context = _nothing,
    days: int = LIFETIME_DAYS,
    variables: Mapping[str, str] = os.environ,
) -> Made:
    """Plan ``stack`` into the folder ``out``: ``tfplan``, ``plan.json``, its review, ``variables.env``, its record.

    ``behaviour`` gives what the review says of the bot's answers, once there is a plan, ``context`` what it says of
    where the plan comes from; ``review_bucket`` gets the review as a page, if given.
    Raises ``TerraformError``; then none of the files is there.
    """
    if not (stack.folder / PROVIDER_LOCK).is_file():
        raise UsageError(f"stack {stack.name} has no {PROVIDER_LOCK} in its folder: run `make synth` again")
    _make_room(out)
    terraform.init(stack)
    plan = out / PLAN_FILE
    changes = terraform.plan(stack, plan)
    plan.chmod(PRIVATE)
    shown = concealed(terraform.show(stack, plan)) if changes else EMPTY
    review = Review(stack.name, read_plan(shown, _guarded(project, stack)), behaviour())
    record = _record(project, terraform, stack, plan, review, days, variables)
    public = without_secrets(shown)
    review = replace(review, foot="\n\n".join(filter(None, (context(public, record), _foot(record)))))
    write_whole(out / "plan.json", json.dumps(public, indent=1) + "\n", mode=PRIVATE)
    write_whole(out / "review.md", review.markdown())
    write_whole(out / "review.html", page(review.markdown(), title=review.verdict, risk=review.planned.risk))
    if review_bucket:
        address = publish(out / "review.html", review_bucket, record.plan_sha256)
        record = replace(record, plan=replace(record.plan, review=address))
    made = Made(review, record)
    write_whole(out / "variables.env", shell_lines(made.variables))
    record.save(out / RECORD_FILE)
    return made


def _make_room(out: Path) -> None:
    """Make the folder, without what an earlier plan left; raises ``UsageError`` where nothing can be written."""
    try:
        make_writable(out)
        for name in WRITTEN:
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"no plan can be put into {out} ({error.strerror}): name another folder") from error


def _record(
    project: Project,
    terraform: Terraform,
    stack: Stack,
    plan: Path,
    review: Review,
    days: int,
    variables: Mapping[str, str],
) -> Record:
    begun = datetime.now(UTC)
    return Record(
        environment=stack.environment,
        plan_sha256=sha256(plan),
        created_at=begun.isoformat(timespec="seconds"),
        plan=Plan(
            stack=stack.name,
            release=project.release(),
            has_changes=review.planned.has_changes,
            risk=str(review.planned.risk),
            summary=review.summary,
            state=planned_on(plan),
            files=digests(stack),
            terraform_version=terraform.version,
            providers=providers(stack),
            expires_at=(begun + timedelta(days=days)).isoformat(timespec="seconds"),
            pipeline=variables.get("PIPELINE_NAME", ""),
            execution=variables.get("PIPELINE_EXECUTION_ID", ""),
        ),
    )


def _foot(record: Record) -> str:
    commit = f"commit `{record.commit}`" if record.commit else "an unknown commit"
    made = f"made at {record.created_at} from {commit} on {record.plan.state}"
    until = f"it may be applied until {record.plan.expires_at}"
    return f"Plan `{record.plan_sha256}` for {record.environment}, {made}; {until}."


def _guarded(project: Project, stack: Stack) -> frozenset[str]:
    """Return the names of what Terraform itself stands on, as far as they are known here."""
    s3 = stack.configuration.get("terraform", {}).get("backend", {}).get("s3", {})
    names = {s3.get("bucket"), s3.get("dynamodb_table")}
    if "state" in project.stack_names:
        tables = project.stack("state").configuration.get("resource", {}).get("aws_dynamodb_table", {})
        names |= {table.get("name") for table in tables.values()}
    return frozenset(name for name in names if name)
