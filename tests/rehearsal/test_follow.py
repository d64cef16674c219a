"""Executions are followed through CodePipeline's API, also while others overtake them."""

import io
import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rehearsal import approvals, journey
from rehearsal.approvals import Answer
from rehearsal.cloud import Cloud
from rehearsal.codepipeline import CodePipeline
from rehearsal.connections import Connections
from rehearsal.execution import Execution
from rehearsal.follow import Pipeline, started_by, successor
from rehearsal.repositories import Repositories
from rehearsal.screen import Screen

DEADLINE_SECONDS = 30


class NoBuilds:
    """The pipeline of these tests builds nothing."""

    def start(self, request: object) -> str:
        """Nothing to start."""
        raise AssertionError(request)

    wait = stop = start


@dataclass
class Followed:
    """A pipeline of a source and two approvals, and how to push to it."""

    pipeline: Pipeline
    repository: Path

    def push(self, content: str) -> str:
        """Push a commit and return it."""
        words = ("-c", "user.name=a", "-c", "user.email=a@b")
        tree = self._git("hash-object", "-w", "--stdin", content=content)
        tree = self._git("mktree", content=f"100644 blob {tree}\tfile\n")
        commit = self._git(*words, "commit-tree", tree, "-m", content)
        self._git("push", "--quiet", "--force", str(self.repository), f"{commit}:refs/heads/main")
        return commit

    def _git(self, *arguments: str, content: str = "") -> str:
        command = ["git", f"--git-dir={self.repository}", *arguments]
        return subprocess.run(command, input=content, check=True, capture_output=True, text=True).stdout.strip()

    def begun(self, content: str) -> str:
        """Push, and return the id of the execution that this starts."""
        known = frozenset(each.identifier for each in self.pipeline.executions())
        return journey.begun(self.pipeline, self.push(content), known)

    def until(self, identifier: str, stage: str, status: str, before: Execution | None = None) -> Execution:
        """Observe the execution until ``stage`` has ``status``."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            before = self.pipeline.execution(identifier, before)
            found = before.stage(stage)
            if found is not None and found.status == status:
                return before
            assert time.monotonic() < deadline, before
            time.sleep(0.05)

    def approve(self, stage: str) -> None:
        """Approve what waits in ``stage``, once something does."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (found := [each for each in approvals.waiting(self.pipeline) if each.stage == stage]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert approvals.answer(self.pipeline, found[0], Answer(True, "fine"))


def definition(cloud: Cloud) -> dict[str, Any]:
    """Return a pipeline of a source and two approvals."""
    statement = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = cloud.client("iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    bucket = f"artifacts-{cloud.account}"
    location = {"LocationConstraint": cloud.region}
    cloud.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    connected = cloud.client("codeconnections").create_connection(ConnectionName="c", ProviderType="GitHub")
    source = {
        "ConnectionArn": connected["ConnectionArn"],
        "FullRepositoryId": "acme/followed",
        "BranchName": "main",
    }
    kinds = {
        "Source": ("Source", "CodeStarSourceConnection"),
        "one": ("Approval", "Manual"),
        "two": ("Approval", "Manual"),
    }
    stages = []
    for name, (category, provider) in kinds.items():
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        action = {"name": "Act", "actionTypeId": kind, "configuration": source if name == "Source" else {}}
        if name == "Source":
            action["outputArtifacts"] = [{"name": "source"}]
        stages.append({"name": name, "actions": [action]})
    store = {"type": "S3", "location": bucket}
    return {"name": "followed", "roleArn": role, "pipelineType": "V2", "artifactStore": store, "stages": stages}


def wait_for_creation(pipeline: Pipeline) -> None:
    """Wait for the end of the execution that creating the pipeline starts: its source is empty yet."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not all(execution.ended for execution in pipeline.executions()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    """A pipeline in a cloud with an account of its own, because moto remembers earlier clouds of this process."""
    account = str(secrets.randbelow(9 * 10**11) + 10**11)
    repositories = Repositories(tmp_path / "git")
    with (
        Cloud(account=account, region="eu-west-1") as cloud,
        closing(CodePipeline(cloud, NoBuilds(), repositories)) as codepipeline,  # type: ignore[arg-type]
    ):
        cloud.add([codepipeline, *Connections().under_both_names()])
        client = cloud.client("codepipeline")
        client.create_pipeline(pipeline=definition(cloud))
        pipeline = Pipeline(client, "followed")
        wait_for_creation(pipeline)
        yield Followed(pipeline, repositories.path("acme/followed"))


def test_what_overtakes_an_execution_does_not_change_what_is_known_of_it(followed: Followed) -> None:
    """A stage that it left keeps its status when a newer execution is in it."""
    first = followed.begun("first")
    followed.approve("one")
    seen = followed.until(first, "two", "InProgress")
    second = followed.begun("second")
    followed.until(second, "one", "InProgress")

    seen = followed.pipeline.execution(first, seen)

    assert [(stage.name, stage.status) for stage in seen.stages] == [
        ("Source", "Succeeded"),
        ("one", "Succeeded"),
        ("two", "InProgress"),
    ]
    assert seen.commit != followed.pipeline.execution(second).commit


def test_a_superseded_execution_is_no_success(followed: Followed) -> None:
    """While one waits in a stage, the next but one takes the place of the next."""
    followed.begun("first")
    followed.approve("one")
    second = followed.begun("second")
    followed.approve("one")
    followed.begun("third")
    followed.approve("one")

    screen = Screen(Console(file=io.StringIO()))
    ending = journey.accompany(followed.pipeline, second, screen, policy="all")

    assert not ending.succeeded
    assert "superseded" in ending.message


def test_a_push_is_followed_by_the_execution_it_started(followed: Followed) -> None:
    """Not by a later one of the same commit, which is its successor once it was stopped."""
    commit = followed.push("first")
    started = journey.begun(followed.pipeline, commit, frozenset())
    followed.until(started, "one", "InProgress")
    later = followed.pipeline.start()
    followed.until(later, "Source", "Succeeded")

    found = started_by(followed.pipeline, commit, frozenset())
    assert found is not None
    assert found.identifier == started

    followed.pipeline.stop(started, "tested")
    followed.approve("one")
    followed.until(later, "one", "InProgress")
    stopped = followed.pipeline.execution(started)
    assert stopped.status == "Stopped"
    heir = successor(followed.pipeline, stopped)
    assert heir is not None
    assert heir.identifier == later


def test_an_answer_comes_too_late(followed: Followed) -> None:
    """Two who answer the same approval: the second one is told that it is settled."""
    followed.begun("first")
    followed.approve("one")
    followed.approve("two")
    execution = followed.pipeline.executions()[0].identifier
    followed.until(execution, "two", "Succeeded")
    gone = approvals.Approval(execution, "two", "Act", "00000000-0000-0000-0000-000000000000", "", "")

    assert not approvals.answer(followed.pipeline, gone, Answer(True, "too late"))
