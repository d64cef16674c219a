"""Planning and applying in one go, for the stacks that a person or the pipeline brings up to date without a review."""

import tempfile
from pathlib import Path

from delivery.errors import DeliveryError
from delivery.plan import PLAN_FILE, Made, make_plan
from delivery.progress import say
from delivery.project import Project, Stack
from delivery.risk import Risk
from delivery.terraform import Terraform


def converge(project: Project, terraform: Terraform, stack: Stack, *, allow_destroy: bool = False) -> Made:
    """Bring ``stack`` to what its configuration says and return the plan of it; its state is untouched if it is there.

    Raises ``DeliveryError`` when that would lose data and ``allow_destroy`` is not given.
    """
    with tempfile.TemporaryDirectory(prefix="plan-") as name:
        made = make_plan(project, terraform, stack, Path(name))
        say(made.review.summary)
        if made.planned.risk is Risk.DESTRUCTIVE and not allow_destroy:
            say(made.review.markdown())
            raise DeliveryError(
                f"stack {stack.name} would lose data, see above: nothing was applied; allow it with --allow-destroy"
            )
        if made.planned.has_changes:
            terraform.apply(stack, Path(name) / PLAN_FILE)
    return made
