"""Reviews of real plans: nothing secret in anything that is written, no loss left out, the risk as the table has it."""

import html
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from delivery.plan import make_plan
from delivery.project import Project, Stack
from delivery.review import SUMMARY_LIMIT
from delivery.terraform import Terraform
from tests.rehearsal.aws_plan_pairs import AWS_PAIRS, BASE, policy, stack
from tests.rehearsal.deliveries import KEYS, NO_PROVIDER, World, emulated_aws
from tests.rehearsal.plan_pairs import PAIRS, SECRETS, Configuration, Pair


@dataclass(frozen=True)
class Watched(Terraform):
    """A Terraform that keeps what it showed of plans."""

    shown: list[dict[str, Any]] = field(default_factory=list)

    def show(self, stack: Stack, plan: Path) -> dict[str, Any]:
        """Show a plan, and keep that."""
        self.shown.append(super().show(stack, plan))
        return self.shown[-1]


@dataclass(frozen=True)
class Bench:
    """A stack with its state in a file, in which one pair after another is planned."""

    project: Project
    terraform: Watched
    states: dict[str, bytes] = field(default_factory=dict)
    """What was applied before, so that it need not be once more."""

    @property
    def stack(self) -> Stack:
        """The stack."""
        return Stack("web", self.project.root / "cdktf.out" / "stacks" / "web")

    def write(self, configuration: Configuration) -> None:
        """Synthesize the stack."""
        self.stack.folder.mkdir(parents=True, exist_ok=True)
        backend = {"terraform": {"backend": {"local": {}}} | configuration.get("terraform", {})}
        (self.stack.folder / "cdk.tf.json").write_text(json.dumps(configuration | backend))

    def apply(self, configuration: Configuration) -> None:
        """Make the state what ``configuration`` says, whatever it was."""
        state, known = self.stack.folder / "terraform.tfstate", json.dumps(configuration)
        state.unlink(missing_ok=True)
        if known not in self.states:
            self.write(configuration)
            self.terraform.run(self.stack, "apply", "-auto-approve", "-input=false", "-no-color")
            self.states[known] = state.read_bytes() if state.exists() else b""
        if self.states[known]:
            state.write_bytes(self.states[known])


def a_bench(project: Project, environment: Mapping[str, str]) -> Bench:
    """A bench whose Terraform is watched."""
    found = Terraform.of(project, environment)
    return Bench(project, Watched(found.program, found.version, found.environment))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A stack that needs no provider."""
    bench = a_bench(Project(tmp_path_factory.mktemp("bench")), os.environ)
    bench.write({})
    (bench.stack.folder / ".terraform.lock.hcl").write_text(NO_PROVIDER)
    bench.terraform.init(bench.stack)
    return bench


@pytest.mark.parametrize("name", PAIRS)
def test_a_plan_is_reviewed_whole_graded_and_without_its_secrets(
    bench: Bench, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of every kind of change there is; files, variables, record and log alike."""
    pair = PAIRS[name]
    bench.apply(pair.before)
    bench.write(pair.after)
    capfd.readouterr()

    check(bench, pair, tmp_path, capfd)


def check(bench: Bench, pair: Pair, out: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Plan, and check what came of it; return the review."""
    bench.terraform.shown.clear()
    made = make_plan(bench.project, bench.terraform, bench.stack, out)
    written = {path.name: path.read_text() for path in out.iterdir() if path.name != "tfplan"}
    review = written["review.md"]

    assert review.splitlines()[0].removeprefix("# web: ").partition(" (")[0] == pair.verdict
    assert (str(made.planned.risk), made.record.plan.risk, made.variables["RISK"]) == (pair.risk,) * 3
    assert [text for text in pair.shown if text not in review] == []
    everything = "".join(written.values()) + str(made) + "".join(capfd.readouterr())
    assert [secret for secret in SECRETS if secret in everything] == []
    lost = [each["address"] for shown in bench.terraform.shown for each in shown["resource_changes"] if gone(each)]
    assert missing(lost, written) == []
    assert len(made.variables["SUMMARY"]) <= SUMMARY_LIMIT
    return review


def gone(change: dict[str, Any]) -> bool:
    """Whether Terraform destroys something."""
    return "delete" in change["change"]["actions"]


def missing(lost: list[str], written: dict[str, str]) -> list[str]:
    """The addresses that are not listed as destroyed or replaced, in each of the files for people and programs."""
    _, _, section = written["review.md"].partition("## Destroyed or replaced")
    listed = {line.partition(" ")[2].partition(" — ")[0] for line in section.split("\n## ")[0].splitlines()}
    kept = {each["address"] for each in json.loads(written["plan.json"])["resource_changes"]}
    page = html.unescape(written["review.html"])
    plain = {address: address.replace("\u202e", "?") for address in lost}
    return [
        address for address in lost if plain[address] not in listed or address not in kept or plain[address] not in page
    ]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory, lock: Path) -> Iterator[Bench]:
    """A stack of AWS's resources, in an emulated account."""
    with emulated_aws() as endpoint:
        project = Project(tmp_path_factory.mktemp("aws"))
        bench = a_bench(project, World(project.root, endpoint).environment)
        bench.write(stack(BASE))
        (bench.stack.folder / ".terraform.lock.hcl").write_text(lock.read_text())
        bench.terraform.init(bench.stack)
        yield bench


@pytest.mark.parametrize("name", AWS_PAIRS)
def test_a_plan_of_awss_resources_is_graded_as_the_table_has_it(
    aws: Bench, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What holds data, who may do what, who is let in: called by name, in words."""
    pair = AWS_PAIRS[name]
    aws.apply(pair.before)
    aws.write(pair.after)
    capfd.readouterr()

    check(aws, pair, tmp_path, capfd)


def test_what_somebody_changed_by_hand_stands_apart(aws: Bench, tmp_path: Path) -> None:
    """The plan undoes it, and the review says that it was not the code that changed."""
    aws.apply(stack(BASE))
    aws.write(stack(BASE))
    iam = boto3.client("iam", endpoint_url=aws.terraform.environment["AWS_ENDPOINT_URL"], **KEYS)
    by_hand = policy("*", "*")
    iam.put_role_policy(RoleName="bot", PolicyName="bot", PolicyDocument=by_hand)

    review = make_plan(aws.project, aws.terraform, aws.stack, tmp_path).review.markdown()

    planned, _, drift = review.partition("## Changed outside Terraform")
    assert "-   Allow * on *" in planned
    assert "+   Allow * on *" in drift


def test_the_corpus_is_large_enough() -> None:
    """What it shows holds for as many kinds of plans as it has."""
    assert len({str(pair) for pair in PAIRS.values()}) == len(PAIRS) >= 40
