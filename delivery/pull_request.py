"""What a branch would change in every environment: its configuration is data, all that reads it is ours."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from delivery.allowed import STACK, adopt, regular
from delivery.apart import apart
from delivery.errors import DeliveryError, TerraformError, UsageError
from delivery.plan import make_plan
from delivery.progress import say
from delivery.project import Project, Stack
from delivery.terraform import Terraform

Json = dict[str, Any]

SYNTHESIZE: Final = ("make", "--no-print-directory", "synth")
MOST_STACKS: Final = 40
PLAN_BYTES: Final = 8_000_000
"""More than a plan of 1,000 resources takes."""

WHOLE: Final = ""
"""The key of problems that no single stack has."""


@dataclass(frozen=True)
class Findings:
    """What planning a branch brought to light: plans without their secrets and what stood in the way, by stack."""

    commit: str
    plans: dict[str, Json] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self))


def review_branch(
    project: Project,
    branch: Path,
    work: Path,
    *,
    commit: str,
    stacks: str,
    roles: Mapping[str, str],
    synthesize: Sequence[str] = SYNTHESIZE,
    environment: Mapping[str, str] = os.environ,
) -> Findings:
    """Synthesize ``branch`` apart from us, then plan each of its stacks whose name matches ``stacks``, in ``work``.

    ``project`` is ours: its stacks say what a backend and a provider have to be. ``roles`` are those that stacks in
    other accounts are planned as. What goes wrong with the branch stands in the findings; raises ``UsageError`` where
    ours is not in order.
    """
    with apart(branch, environment) as place:
        if code := place.run(synthesize, environment):
            how = "took too long" if code == 124 else f"ended with {code}"
            return Findings(commit, problems={WHOLE: [f"the branch does not synthesize: {' '.join(synthesize)} {how}"]})
        return plan_branch(
            project, place.source, work, commit=commit, stacks=stacks, roles=roles, environment=environment
        )


def plan_branch(
    project: Project,
    branch: Path,
    work: Path,
    *,
    commit: str,
    stacks: str,
    roles: Mapping[str, str],
    environment: Mapping[str, str] = os.environ,
) -> Findings:
    """Plan the stacks that ``branch`` has synthesized, without taking their locks; see ``review_branch``."""
    ours = [name for name in project.stack_names if fnmatchcase(name, stacks)]
    if not ours:
        raise UsageError(f"no stack of {project.root / 'cdktf.out'} matches {stacks!r}")
    theirs = project.in_order(_stacks(branch, stacks))
    findings = Findings(commit, notes=_notes(project, branch, stacks, ours, theirs))
    if len(theirs) > MOST_STACKS:
        findings.problems[WHOLE] = [f"the branch has {len(theirs)} environments: at most {MOST_STACKS} are planned"]
        return findings
    terraform = Terraform.of(project, {**environment, "TF_CLI_ARGS_plan": "-lock=false"})
    for name in theirs:
        # A new environment shares all but the key of its state with the others.
        trusted = project.stack(name if name in ours else ours[0]).folder
        stack = Stack(name, work / "cdktf.out" / "stacks" / name)
        problems = adopt(name, branch / "cdktf.out" / "stacks" / name, trusted, stack.folder)
        if not problems:
            role = {"TF_VAR_deploy_role_arn": roles[name]} if name in roles else {}
            acting = replace(terraform, environment={**terraform.environment, **role})
            problems = _plan(Project(work), acting, stack, work / "plans" / name, findings)
        if problems:
            findings.problems[name] = problems
    return findings


def _plan(project: Project, terraform: Terraform, stack: Stack, out: Path, findings: Findings) -> list[str]:
    """Plan one stack into the findings; return what stood in the way."""
    try:
        made = make_plan(project, terraform, stack, out)
    except DeliveryError as error:
        if isinstance(error, TerraformError):
            say(error.block)
        return [str(error)]
    say(made.review.markdown())
    text = (out / "plan.json").read_text()
    if len(text) > PLAN_BYTES:
        return [f"{made.review.verdict}; the plan is too large to be shown, see the build's log"]
    findings.plans[stack.name] = json.loads(text)
    return []


def _stacks(branch: Path, pattern: str) -> list[str]:
    folder = branch / "cdktf.out" / "stacks"
    return [name for path in folder.glob("*/cdk.tf.json") if fnmatchcase(name := path.parent.name, pattern)]


def _notes(project: Project, branch: Path, pattern: str, ours: list[str], theirs: list[str]) -> list[str]:
    gone = [name for name in ours if name not in theirs]
    others = [name for name in project.stack_names if not fnmatchcase(name, pattern)]
    changed = [name for name in others if not _same(project.stack(name).folder, branch / "cdktf.out" / "stacks" / name)]
    return [
        *(f"{name} is no longer synthesized: what it deployed would stay, an orphan" for name in gone),
        *([f"the branch changes {_listed(changed)} too, which is planned after the merge only"] if changed else []),
    ]


def _same(ours: Path, theirs: Path) -> bool:
    try:
        return (ours / "cdk.tf.json").read_bytes() == regular(theirs / "cdk.tf.json").read_bytes()
    except OSError:
        return False


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"stack {name}" for name in names if STACK.fullmatch(name))
