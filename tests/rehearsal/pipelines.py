"""An emulated account in which tests run pipelines, with builds that do what a test says."""

import json
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.codebuild import BuildRequest, BuildResult
from rehearsal.codepipeline import CodePipeline
from rehearsal.connections import Connections
from rehearsal.repositories import Repositories

ACCOUNT, REGION, REPOSITORY = "111122223333", "eu-central-1", "acme/parley"


def trust(**more: Any) -> str:
    """Return a trust policy that lets CodePipeline assume a role."""
    principal = {"Service": "codepipeline.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class ScriptedBuilds:
    """Builds that run nothing and end as scripted: it is the pipeline that these tests look at."""

    folder: Path
    requests: list[BuildRequest] = field(default_factory=list)
    scripts: dict[str, Callable[[BuildRequest], tuple[str, dict[str, str]]]] = field(default_factory=dict)
    held: dict[str, threading.Event] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    def start(self, request: BuildRequest) -> str:
        self.requests.append(request)
        return f"{request.project}:{len(self.requests)}"

    def wait(self, build_id: str) -> BuildResult:
        request = self.requests[int(build_id.rpartition(":")[2]) - 1]
        if hold := self.held.get(request.project):
            assert hold.wait(20)
        status, exported = self.scripts.get(request.project, lambda _: ("SUCCEEDED", {}))(request)
        status = "STOPPED" if build_id in self.stopped else status
        made = {name: self._zip(name) for name in request.artifact_names}
        message = "" if status == "SUCCEEDED" else "Phase: BUILD, exit status 1"
        return BuildResult(status, exported, made, self.folder / "log", message)

    def stop(self, build_id: str) -> None:
        self.stopped.add(build_id)
        self.release(build_id.rpartition(":")[0])

    def hold(self, project: str) -> None:
        self.held[project] = threading.Event()

    def release(self, project: str) -> None:
        self.held.pop(project, threading.Event()).set()

    def _zip(self, name: str) -> Path:
        path = self.folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("made-by-a-build.txt", name)
        return path


@dataclass
class World:
    """An emulated account with a repository, a role, a bucket and a connection."""

    cloud: Cloud
    name: str
    api: Any
    builds: ScriptedBuilds
    repositories: Repositories
    service: CodePipeline
    checkout: Path
    connection: str

    def push(self, message: str = "A change", branch: str = "main") -> str:
        (self.checkout / "file.txt").write_text(message)
        git(self.checkout, "checkout", "-q", "-B", branch)
        git(self.checkout, "add", "-A")
        git(self.checkout, "commit", "-q", "--allow-empty", "-m", message)
        git(self.checkout, "push", "-q", str(self.repositories.path(REPOSITORY)), f"HEAD:refs/heads/{branch}")
        return git(self.checkout, "rev-parse", "HEAD")

    def create(self, *stages: dict[str, Any], **more: Any) -> str:
        self.api.create_pipeline(pipeline=self.definition(*stages, **more))
        return self.latest()

    def definition(self, *stages: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "name": "shop",
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/pipeline-{self.name}",
            "artifactStore": {"type": "S3", "location": f"artifacts-{self.name}"},
            "pipelineType": "V2",
            "stages": [stage("Source", self.source()), *stages],
        } | more

    def source(self, **configuration: str) -> dict[str, Any]:
        return action(
            "Source",
            "Source/CodeStarSourceConnection",
            ConnectionArn=self.connection,
            FullRepositoryId=REPOSITORY,
            BranchName="main",
            **configuration,
        ) | {"outputArtifacts": [{"name": "source"}], "namespace": "source"}

    def latest(self) -> str:
        return str(
            self.api.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"][0][
                "pipelineExecutionId"
            ]
        )

    def status(self, execution: str) -> str:
        found = self.api.get_pipeline_execution(pipelineName="shop", pipelineExecutionId=execution)
        return str(found["pipelineExecution"]["status"])

    def stage(self, name: str) -> dict[str, Any]:
        states = self.api.get_pipeline_state(name="shop")["stageStates"]
        return next(state for state in states if state["stageName"] == name)

    def stage_status(self, name: str) -> str | None:
        status: str | None = self.stage(name).get("latestExecution", {}).get("status")
        return status

    def token(self, stage_name: str) -> str:
        def found() -> str:
            return str(self.stage(stage_name)["actionStates"][0].get("latestExecution", {}).get("token", ""))

        eventually(lambda: bool(found()))
        return found()

    def answer(self, stage_name: str, status: str = "Approved", **more: str) -> Any:
        return self.api.put_approval_result(
            pipelineName="shop",
            stageName=stage_name,
            actionName="approve",
            token=more.get("token") or self.token(stage_name),
            result={"status": status, "summary": more.get("summary", "looks good")},
        )

    def actions(self, execution: str) -> dict[str, dict[str, Any]]:
        found = self.api.list_action_executions(pipelineName="shop", filter={"pipelineExecutionId": execution})
        return {each["actionName"]: each for each in reversed(found["actionExecutionDetails"])}

    def ends(self, execution: str, status: str) -> None:
        eventually(lambda: self.status(execution) not in ("InProgress", "Stopping"))
        assert self.status(execution) == status, self.actions(execution)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def stage(name: str, *actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "actions": list(actions)} | more


def action(name: str, kind: str, **configuration: str) -> dict[str, Any]:
    category, provider = kind.split("/")
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration,
    }


def build(
    name: str, *, outputs: tuple[str, ...] = (), inputs: tuple[str, ...] = ("source",), **more: Any
) -> dict[str, Any]:
    configuration = {"ProjectName": name} | more.pop("configuration", {})
    artifacts = {
        "inputArtifacts": [{"name": each} for each in inputs],
        "outputArtifacts": [{"name": each} for each in outputs],
    }
    return action(name, "Build/CodeBuild", **configuration) | artifacts | more


def approval(**more: Any) -> dict[str, Any]:
    return action("approve", "Approval/Manual", **more.pop("configuration", {})) | more


def check(variable: str, operator: str, value: str, result: str = "SKIP") -> dict[str, Any]:
    rule = {
        "name": "check",
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
        "configuration": {"Variable": variable, "Operator": operator, "Value": value},
    }
    return {"conditions": [{"result": result, "rules": [rule]}]}


def environment(value: str) -> str:
    return json.dumps([{"name": "VALUE", "value": value, "type": "PLAINTEXT"}])


@contextmanager
def account(name: str) -> Iterator[Cloud]:
    """Run a cloud with the pipeline's role, a bucket for artifacts and connections."""
    with Cloud(account=ACCOUNT, region=REGION) as running:
        iam, s3 = running.client("iam"), running.client("s3")
        # moto keeps one world per process, whichever cloud it is asked through.
        iam.create_role(RoleName=f"pipeline-{name}", AssumeRolePolicyDocument=trust())
        s3.create_bucket(Bucket=f"artifacts-{name}", CreateBucketConfiguration={"LocationConstraint": REGION})
        running.add(Connections().under_both_names())
        yield running


@contextmanager
def pipelines(cloud: Cloud, name: str, folder: Path, **timing: float) -> Iterator[World]:
    """Run CodePipeline with a repository to push to, and leave nothing running."""
    routes = list(cloud.routes)
    builds = ScriptedBuilds(folder)
    repositories = Repositories(folder / "git")
    checkout = folder / "checkout"
    checkout.mkdir()
    git(checkout, "init", "-q", "-b", "main")
    connection = cloud.client("codeconnections").create_connection(ConnectionName="git", ProviderType="GitHub")
    arn = connection["ConnectionArn"]
    with CodePipeline(cloud, builds, repositories, **timing) as service:
        cloud.add([service])
        yield World(cloud, name, cloud.client("codepipeline"), builds, repositories, service, checkout, arn)
        for project in list(builds.held):
            builds.release(project)
    cloud.routes[:] = routes
