"""What delivery adds to Terraform's own time, and how long a large plan takes to become a review."""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Sample, interleaved, seconds
from benchmarks.project import PYTHON, ROOT, inherited, run
from delivery.changes import read_plan
from delivery.page import page
from delivery.redaction import concealed, without_secrets
from delivery.review import Review

RESOURCES = 500
SECRET = "hunter2-hunter2"


def measure(repeat: int) -> list[Figure]:
    """Plan a stack of 500 resources, with delivery's command and with Terraform's own; then review that plan alone."""
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        stack = project / "cdktf.out" / "stacks" / "web"
        stack.mkdir(parents=True)
        (stack / ".terraform.lock.hcl").write_text("# No provider.\n")
        _write(stack, "one")
        own = {"PYTHONPATH": str(ROOT), "CHECKPOINT_DISABLE": "1"}
        delivery = partial(_delivery, folder=project, environment=inherited() | own)
        delivery("terraform", "web", "--", "apply", "-auto-approve", "-input=false")
        _write(stack, "two")
        plan = partial(delivery, "plan", "--stack", "web", "--out", "plan", "--no-record")
        plan()
        shown = _show(stack, project / "plan" / "tfplan")
        found = interleaved({"ours": seconds(plan), "peer": seconds(partial(_by_hand, stack))}, repeat)
        reviewed = interleaved({"review": seconds(partial(_review, shown))}, repeat)["review"]
    return [_planning(found), _reviewing(reviewed, shown)]


def _delivery(*arguments: str, folder: Path, environment: dict[str, str]) -> str:
    return run([PYTHON, "-m", "delivery", *arguments], folder=folder, environment=environment)


def _planning(found: dict[str, Sample]) -> Figure:
    return Figure(
        id="delivery.plan",
        what="plan of 500 changes, with its review",
        unit="s",
        ours=found["ours"],
        peer=found["peer"],
        peer_name="terraform init, plan, show",
    )


def _reviewing(found: Sample, shown: dict[str, Any]) -> Figure:
    size = len(json.dumps(shown)) / 1e6
    return Figure(
        id="delivery.review",
        what="review of 500 changes, secrets taken out",
        unit="s",
        ours=found,
        note=f"{size:.1f} MB of JSON",
    )


def _write(stack: Path, value: str) -> None:
    """Write a stack of 500 resources of a few kilobytes each, with a secret in every one of them."""
    secret = f'${{sensitive("{SECRET}-${{count.index}}")}}'
    many = {
        "count": RESOURCES,
        "input": {"value": value, "token": secret, "tags": {f"tag{number}": value * 9 for number in range(20)}},
    }
    configuration = {"terraform": {"backend": {"local": {}}}, "resource": {"terraform_data": {"many": many}}}
    (stack / "cdk.tf.json").write_text(json.dumps(configuration))


def _by_hand(stack: Path) -> None:
    """What somebody types who has no delivery: the same three processes."""
    run(["terraform", "init", "-input=false", "-reconfigure"], folder=stack)
    run(["terraform", "plan", "-input=false", "-out=by-hand"], folder=stack)
    _show(stack, stack / "by-hand")


def _show(stack: Path, plan: Path) -> dict[str, Any]:
    said = run(["terraform", "show", "-json", plan], folder=stack)
    found: dict[str, Any] = json.loads(said[said.index("{") :])
    return found


def _review(shown: dict[str, Any]) -> None:
    hidden = concealed(shown)
    review = Review("web", read_plan(hidden))
    page(review.markdown(), title=review.verdict, risk=review.planned.risk)
    json.dumps(without_secrets(hidden), indent=1)
