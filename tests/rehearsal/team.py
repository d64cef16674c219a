"""A team on CodeCommit: its reviews, its drift and its chatbot deployed by real Terraform into a rehearsed AWS."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import main
from rehearsal.cloud import Cloud
from rehearsal.commands import cloud_environment, process_environment
from rehearsal.world import World, world
from stacks.package import Package
from stacks.project import Environment, Project, Provider, Source
from stacks.review import Review
from tests.rehearsal.deliveries import create_table, empty
from tests.rehearsal.pipelines import git

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
PROJECT = Project(
    name="acme",
    bot_name="Acme",
    account="111122223333",
    region="eu-west-1",
    source=Source(provider=Provider.CODECOMMIT, repository="bot"),
    environments=(Environment(name="dev", drift_schedule="rate(1 hour)"), Environment(name="prod")),
    review=Review(approval_rule=True),
)
DEPLOYED = r"\.(pull_requests|drift|store)_"
"""The parts of the pipeline's stack that no execution of the pipeline runs."""

MAKEFILE = "synth:\n\t@mkdir -p cdktf.out && cp -r stacks cdktf.out/\n"


@dataclass(frozen=True)
class Team:
    """The team's project as UpdatePipeline has it, and a checkout in which synthesis is a copy."""

    world: World
    project: Path
    checkout: Path
    deployed: str | None = None
    """The version of dev's state."""

    @property
    def cloud(self) -> Cloud:
        return self.world.cloud

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin to run the command line in the project's folder."""
        living = cloud_environment(self.cloud.endpoint, PROJECT.region) | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "delivery", *arguments],
            cwd=self.project,
            env=process_environment(living),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def delivery(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        with self.begin(*arguments) as process:
            printed, said = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, printed, said)

    def run(self, *arguments: str) -> str:
        """The same, which has to succeed; return what it printed."""
        done = self.delivery(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def push(self, branch: str, change: Callable[[Path], None] | None = None) -> str:
        """Commit a change on ``branch``, which begins where main is, and push it."""
        known = git(self.checkout, "branch", "--list", branch)
        git(self.checkout, "checkout", "-q", *([branch] if known else ["-b", branch, "main"]))
        if change:
            change(self.checkout)
        git(self.checkout, "add", "-A")
        git(self.checkout, "commit", "-q", "--allow-empty", "-m", "A change")
        git(self.checkout, "push", "-q", str(self.world.repositories.path("bot")), branch)
        return git(self.checkout, "rev-parse", "HEAD")

    def open(self, branch: str, title: str = "A change") -> str:
        """Open a pull request to main; return its number."""
        target = {"repositoryName": "bot", "sourceReference": branch, "destinationReference": "main"}
        made = self.client("codecommit").create_pull_request(title=title, targets=[target])
        return str(made["pullRequest"]["pullRequestId"])

    def builds(self, project: str, number: int) -> list[dict[str, Any]]:
        """Wait until ``project`` has built ``number`` times, and return those builds, oldest first."""
        codebuild = self.client("codebuild")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            ids = codebuild.list_builds_for_project(projectName=project, sortOrder="ASCENDING")["ids"]
            builds: list[dict[str, Any]] = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
            if len(builds) >= number and all(build["buildComplete"] for build in builds):
                return builds
            time.sleep(0.1)
        raise AssertionError(f"{project} has not built {number} times: {[build['buildStatus'] for build in builds]}")

    def log(self, build: dict[str, Any]) -> str:
        """What a build printed."""
        return Path(build["logs"]["deepLink"].removeprefix("file://")).read_text()

    def comments(self, number: str) -> list[str]:
        """The comments that readers of a pull request see."""
        pages = self.client("codecommit").get_paginator("get_comments_for_pull_request").paginate(pullRequestId=number)
        threads = [thread for page in pages for thread in page["commentsForPullRequestData"]]
        return [each["content"] for thread in threads for each in thread["comments"] if not each["deleted"]]

    def is_approved(self, number: str) -> bool:
        """Whether the approval rules of a pull request are satisfied as it stands; it has to have one."""
        codecommit = self.client("codecommit")
        pull = codecommit.get_pull_request(pullRequestId=number)["pullRequest"]
        assert [rule["approvalRuleName"] for rule in pull["approvalRules"]] == ["acme-review"]
        asked = {"pullRequestId": number, "revisionId": pull["revisionId"]}
        return bool(codecommit.evaluate_pull_request_approval_rules(**asked)["evaluation"]["approved"])

    @contextmanager
    def locked(self, stack: str) -> Iterator[None]:
        """Hold the lock of a stack's state, as somebody who applies does."""
        info = {"ID": "1", "Who": "somebody", "Operation": "apply", "Info": "", "Path": ""}
        key = {"LockID": {"S": f"{PROJECT.bucket_name('state')}/{stack}/terraform.tfstate"}}
        item = key | {"Info": {"S": json.dumps(info | {"Created": "2026-01-01T00:00:00Z"})}}
        dynamodb = self.client("dynamodb")
        dynamodb.put_item(TableName="acme-locks", Item=item)
        try:
            yield
        finally:
            dynamodb.delete_item(TableName="acme-locks", Key=key)

    def state(self, stack: str) -> str | None:
        """The version of a stack's state, ``None`` where it has none."""
        s3 = self.client("s3")
        try:
            found = s3.head_object(Bucket=PROJECT.bucket_name("state"), Key=f"{stack}/terraform.tfstate")
        except s3.exceptions.ClientError:
            return None
        return str(found["VersionId"])


def edit(stack: str, pattern: str, replacement: str) -> Callable[[Path], None]:
    """A change of what a stack's synthesis gives."""

    def change(checkout: Path) -> None:
        file = checkout / "stacks" / stack / "cdk.tf.json"
        before = file.read_text()
        file.write_text(re.sub(pattern, replacement, before))
        assert file.read_text() != before

    return change


def rewrite(stack: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """A change of a stack's configuration as data."""

    def apply(checkout: Path) -> None:
        file = checkout / "stacks" / stack / "cdk.tf.json"
        configuration = json.loads(file.read_text())
        change(configuration)
        file.write_text(json.dumps(configuration, indent=2))

    return apply


def _keep_states(found: Team) -> None:
    """Make what the state stack is; bootstrap has tests of its own."""
    key = found.client("kms").create_key()["KeyMetadata"]["KeyId"]
    found.client("kms").create_alias(AliasName=f"alias/{PROJECT.name}", TargetKeyId=key)
    s3, bucket = found.client("s3"), PROJECT.bucket_name("state")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": PROJECT.region})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    create_table(found.client("dynamodb"), PROJECT.resource_name("locks"), "LockID")


def _deploy(found: Team, stack: str, pattern: str) -> None:
    """Apply a stack, or those of its resources whose names ``pattern`` matches."""
    configuration = json.loads((found.project / "cdktf.out" / "stacks" / stack / "cdk.tf.json").read_text())
    names = [f"{type_}.{name}" for type_, group in configuration["resource"].items() for name in group]
    targets = [f"-target={name}" for name in names if pattern and re.search(pattern, name)]
    found.run("terraform", stack, "--", "init")
    found.run("terraform", stack, "--", "apply", "-auto-approve", *targets)


@contextmanager
def built(project: Project, folder: Path) -> Iterator[tuple[World, Path]]:
    """Synthesize ``project`` in an account with nothing in it; yield that and the folder of what Build hands on."""
    artifact = folder / "project"
    artifact.mkdir()
    main.synthesize(project, Package(), artifact / "cdktf.out")
    for name in ("delivery", "build"):
        (artifact / name).symlink_to(ROOT / name)
    with world(
        folder / "rehearsal",
        account=project.account,
        region=project.region,
        port=0,
        allowed_hosts=("releases.hashicorp.com", "registry.terraform.io"),
        hurry=threading.Event(),
    ) as running:
        yield running, artifact


@contextmanager
def team(folder: Path) -> Iterator[Team]:
    """Prepare the team's account, deploy dev, hand on the delivery, and push what is deployed to main."""
    checkout = folder / "checkout"
    checkout.mkdir()
    with built(PROJECT, folder) as (running, project):
        found = Team(running, project, checkout)
        empty(running.cloud.endpoint)
        found.client("codecommit").create_repository(repositoryName="bot")
        _keep_states(found)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda deployed: _deploy(found, *deployed), (("chatbot-dev", ""), ("pipeline", DEPLOYED))))
        found.run("keep", "--stack", "chatbot-dev")
        found.run("publish", "--to", f"s3://{PROJECT.bucket_name('state')}/delivery/main.zip")
        shutil.copytree(
            project / "cdktf.out" / "stacks", checkout / "stacks", ignore=shutil.ignore_patterns(".terraform*")
        )
        (checkout / "Makefile").write_text(MAKEFILE)
        git(checkout, "init", "-q", "-b", "main")
        git(checkout, "commit", "-q", "--allow-empty", "-m", "Begin")
        found.push("main")
        yield replace(found, deployed=found.state("chatbot-dev"))
