"""Making a plan: saved, reviewed, graded, and tied to what it was made from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delivery.binding import Binding, digests
from delivery.changes import Planned, read_plan
from delivery.errors import UsageError
from delivery.files import sha256, shell_lines, write_whole
from delivery.project import Project, Stack
from delivery.redaction import concealed, without_secrets
from delivery.review import Review
from delivery.terraform import Terraform

PLAN_FILE: Final = "tfplan"
BINDING_FILE: Final = "binding.json"
WRITTEN: Final = (PLAN_FILE, "plan.json", "review.md", "variables.env", BINDING_FILE)
EMPTY: Final[dict[str, Any]] = {"applyable": False, "resource_changes": [], "resource_drift": [], "output_changes": {}}
"""What an empty plan holds; asking Terraform for it would load the provider once more."""

PRIVATE: Final = 0o600
"""A saved plan holds configuration and state in the clear."""


@dataclass(frozen=True)
class Made:
    """A plan in its folder, and what it would do."""

    review: Review
    plan_sha256: str

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
            "PLAN_SHA256": self.plan_sha256,
        }


def make_plan(project: Project, terraform: Terraform, stack: Stack, out: Path) -> Made:
    """Plan ``stack`` into the folder ``out``: ``tfplan``, ``plan.json``, ``review.md``, ``variables.env``, binding.

    Raises ``TerraformError``; then none of the files is there.
    """
    if not (stack.folder / ".terraform.lock.hcl").is_file():
        raise UsageError(f"stack {stack.name} has no .terraform.lock.hcl in its folder: run `make synth` again")
    out.mkdir(parents=True, exist_ok=True)
    for name in WRITTEN:
        (out / name).unlink(missing_ok=True)
    terraform.init(stack)
    plan = out / PLAN_FILE
    changes = terraform.plan(stack, plan)
    plan.chmod(PRIVATE)
    shown = concealed(terraform.show(stack, plan)) if changes else EMPTY
    made = Made(Review(stack.name, read_plan(shown)), sha256(plan))
    Binding(
        stack=stack.name,
        commit=project.commit(),
        plan_sha256=made.plan_sha256,
        has_changes=made.planned.has_changes,
        files=digests(stack),
    ).write(out / BINDING_FILE)
    write_whole(out / "plan.json", json.dumps(without_secrets(shown), indent=1) + "\n", mode=PRIVATE)
    write_whole(out / "review.md", made.review.markdown())
    write_whole(out / "variables.env", shell_lines(made.variables))
    return made
