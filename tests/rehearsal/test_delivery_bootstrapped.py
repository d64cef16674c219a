"""A project on GitHub, bootstrapped by real Terraform: whose pull requests are built, and changes to its pipeline."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

import main
from delivery.errors import DeliveryError
from delivery.project import Stack
from delivery.webhook import set_policy
from rehearsal.codebuild import PullRequestEvent, webhooks
from rehearsal.commands import cloud_environment, process_environment
from rehearsal.protocol import Caller
from rehearsal.world import World
from stacks.package import Package
from stacks.project import Approval, Environment, Project, Provider, Source
from stacks.review import Review
from tests.rehearsal.team import built

ROOT = Path(__file__).parents[2]
SECRET = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:review/token-AbCdEf"
PROJECT = Project(
    name="acme",
    bot_name="Acme",
    account="444455556666",
    region="eu-west-1",
    source=Source(provider=Provider.GITHUB, repository="acme/bot"),
    environments=(Environment(name="dev", drift_schedule="never", approval=Approval.ON_CHANGE),),
    review=Review(allowed_actors=("583231",), token_secret_arn=SECRET),
)
FORKS_WAIT = {"requiresCommentApproval": "FORK_PULL_REQUESTS", "approverRoles": ["GITHUB_ADMIN"]}
OURS = PullRequestEvent("7", "583231", "GITHUB_WRITE", "refs/heads/main", "refs/heads/feature")
FORKED = replace(OURS, number="8", is_fork=True)


@dataclass(frozen=True)
class Account:
    """A home account whose pipeline was bootstrapped."""

    world: World
    project: Path

    def delivery(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as a person does, or the pipeline."""
        living = cloud_environment(self.world.cloud.endpoint, PROJECT.region) | {"PYTHONPATH": str(ROOT)} | variables
        return subprocess.run(
            [sys.executable, "-m", "delivery", *arguments],
            cwd=self.project,
            env=process_environment(living),
            capture_output=True,
            text=True,
        )

    def update(self) -> subprocess.CompletedProcess[str]:
        """Run what UpdatePipeline does, in the execution that began with the pipeline."""
        codepipeline = self.world.cloud.client("codepipeline")
        (execution,) = codepipeline.list_pipeline_executions(pipelineName="acme")["pipelineExecutionSummaries"]
        return self.delivery(
            *("update", "--stack", "pipeline"),
            PIPELINE_NAME="acme",
            PIPELINE_EXECUTION_ID=execution["pipelineExecutionId"],
            COMMIT_ID="c" * 40,
        )

    @property
    def codebuild(self) -> Any:
        return self.world.cloud.client("codebuild")

    @property
    def webhook(self) -> dict[str, Any]:
        (found,) = self.codebuild.batch_get_projects(names=["acme-review"])["projects"]
        return dict(found["webhook"])

    def starts(self, told: PullRequestEvent) -> bool:
        """Let the webhook hear of a pull request; tell whether a build began."""
        build = self.world.codebuild.hear(Caller(PROJECT.account, PROJECT.region, ""), "acme-review", told)
        if build:
            self.world.codebuild.wait(build)
        return build is not None


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Bootstrapped as a person would."""
    with built(PROJECT, tmp_path_factory.mktemp("account")) as (running, project):
        found = Account(running, project)
        done = found.delivery("bootstrap")
        assert done.returncode == 0, done.stdout + done.stderr
        yield found


def test_bootstrap_lets_forks_wait_and_changes_nothing_else_of_the_webhook(account: Account) -> None:
    """A second run finds it so, and says nothing of it."""
    before = account.webhook
    again = account.delivery("bootstrap")

    assert before["pullRequestBuildPolicy"] == FORKS_WAIT
    assert [each["type"] for each in before["filterGroups"][0]] == ["EVENT", "ACTOR_ACCOUNT_ID", "BASE_REF"]
    assert before["buildType"] == "BUILD"
    assert again.returncode == 0, again.stderr
    assert "comment approval" not in again.stderr
    assert account.webhook == before


@pytest.mark.parametrize(
    ("told", "starts"),
    [
        (OURS, True),
        (FORKED, False),
        (replace(FORKED, event="PULL_REQUEST_UPDATED"), False),
        (replace(FORKED, role="GITHUB_READ", approved_by="GITHUB_WRITE"), False),
        (replace(FORKED, approved_by="GITHUB_ADMIN"), True),
        (replace(OURS, actor="1583231"), False),
        (replace(OURS, base="refs/heads/other"), False),
        (replace(OURS, event="PULL_REQUEST_REOPENED"), False),
    ],
)
def test_an_allowed_actors_branch_is_built_and_their_fork_is_not(
    account: Account, told: PullRequestEvent, starts: bool
) -> None:
    """An administrator's comment is the one way in; nobody else's counts."""
    assert account.starts(told) is starts


def by_hand(account: Account) -> None:
    account.codebuild.update_webhook(
        projectName="acme-review", pullRequestBuildPolicy={"requiresCommentApproval": "DISABLED"}
    )


def anew(account: Account) -> None:
    """As Terraform makes it where it has to be replaced."""
    groups = account.webhook["filterGroups"]
    account.codebuild.delete_webhook(projectName="acme-review")
    account.codebuild.create_webhook(projectName="acme-review", filterGroups=groups)


@pytest.mark.parametrize("change", [by_hand, anew])
def test_updatepipeline_mends_a_policy_that_is_another(account: Account, change: Callable[[Account], None]) -> None:
    """Whether somebody changed it, or a new webhook has what AWS gives one; Terraform sees no difference."""
    change(account)
    assert account.starts(FORKED)

    done = account.update()

    assert done.returncode == 0, done.stderr
    assert "acme-review: comment approval of pull requests is FORK_PULL_REQUESTS now" in done.stderr.splitlines()
    assert "pipeline: unchanged, this execution goes on" in done.stderr.splitlines()
    assert account.webhook["pullRequestBuildPolicy"] == FORKS_WAIT
    assert not account.starts(FORKED)


def test_forks_are_let_in_where_settings_say_so(account: Account) -> None:
    """And out again; whose they may be stays as it was."""
    file = account.project / "cdktf.out" / "stacks" / "pipeline" / "cdk.tf.json"
    before = file.read_text()
    let_in = replace(PROJECT, review=Review(allowed_actors=("583231",), token_secret_arn=SECRET, allow_forks=True))
    other = main.synthesize(let_in, Package(), account.project.parent / "other")
    configuration = json.loads((other / "stacks" / "pipeline" / "cdk.tf.json").read_text())
    try:
        file.write_text(json.dumps(configuration))
        done = account.delivery("bootstrap")
        started = [account.starts(FORKED), account.starts(replace(FORKED, actor="1"))]
    finally:
        file.write_text(before)
        account.delivery("bootstrap")

    assert done.returncode == 0, done.stderr
    assert started == [True, False]
    assert not account.starts(FORKED)


def without_webhook(account: Account, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack that asks for the policy of a project without one."""
    for name, value in cloud_environment(account.world.cloud.endpoint, PROJECT.region).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    backend = {"s3": {"bucket": "b", "key": "k", "region": PROJECT.region}}
    output = {"pull_request_build_policy": {"value": {"project": "acme-comment", "policy": FORKS_WAIT}}}
    (account.project / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}, "output": output}))
    return Stack("pipeline", account.project)


def test_a_webhook_that_does_not_take_its_policy_or_is_gone_stops_the_command(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line: nobody takes forks for shut out that are not."""
    by_hand(account)
    open_to_all = {"pullRequestBuildPolicy": {"requiresCommentApproval": "DISABLED"}}
    with monkeypatch.context() as deaf:
        deaf.setattr(webhooks, "_policy", lambda *_: open_to_all)
        kept = account.update()
    with pytest.raises(DeliveryError, match=r"^which pull requests .* acme-comment .*: it has no webhook; apply stack"):
        set_policy(without_webhook(account, monkeypatch))

    assert kept.returncode == 1, kept.stderr
    assert kept.stderr.splitlines()[-1].startswith(
        "which pull requests start builds of acme-review cannot be said: CodeBuild keeps {'requiresCommentApproval'"
    )
    assert "Traceback" not in kept.stderr


def without_approval(configuration: dict[str, Any]) -> None:
    """Take the approvals out of the pipeline."""
    (pipeline,) = configuration["resource"]["aws_codepipeline"].values()
    pipeline["stage"] = [each for each in pipeline["stage"] if each["action"][0]["category"] != "Approval"]


def without_conditions(configuration: dict[str, Any]) -> None:
    """Let every stage begin whatever happened before."""
    (pipeline,) = configuration["resource"]["aws_codepipeline"].values()
    for each in pipeline["stage"]:
        each.pop("before_entry", None)


def privileged(configuration: dict[str, Any]) -> None:
    """Give a build the machine it runs on."""
    projects = configuration["resource"]["aws_codebuild_project"]
    next(one for one in projects.values() if one["name"] == "acme-review")["environment"]["privileged_mode"] = True


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_approval, "who approves what, and when"),
        (without_conditions, "what lets a stage begin"),
        (privileged, "what a build may do"),
    ],
)
def test_a_change_that_takes_away_a_safeguard_is_sensitive(
    account: Account, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    """As Terraform plans it on the pipeline that is deployed, with the reason beside it."""
    file = account.project / "cdktf.out" / "stacks" / "pipeline" / "cdk.tf.json"
    before = file.read_text()
    configuration = json.loads(before)
    change(configuration)
    try:
        file.write_text(json.dumps(configuration))
        done = account.delivery("review", "--stacks", "pipeline")
    finally:
        file.write_text(before)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# pipeline: 1 to change (sensitive)"), done.stdout
    assert reason in done.stdout
