"""The pipeline's own update, with real Terraform, against a pipeline that keeps its executions in memory."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Pipeline:
    """A pipeline and its executions, newest first, as CodePipeline's API shows them."""

    version: int = 1
    executions: list[dict[str, Any]] = field(default_factory=list)
    failing: str = ""

    def begin(self, id_: str, *, updated_by: str = "none", revision: str = "c0ffee") -> None:
        """Start an execution."""
        execution = {"pipelineExecutionId": id_, "status": "InProgress", "pipelineVersion": self.version}
        variables = [{"name": "UPDATED_BY", "resolvedValue": updated_by}]
        self.executions.insert(0, execution | {"variables": variables, "revision": revision})

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Answer one API call; ``None`` is an internal failure."""
        if operation == self.failing:
            return None
        if operation == "GetPipeline":
            return {"pipeline": {"name": request["name"], "version": self.version, "roleArn": "r", "stages": []}}
        if operation == "ListPipelineExecutions":
            return {"pipelineExecutionSummaries": self.executions}
        if operation == "StartPipelineExecution":
            variables = {item["name"]: item["value"] for item in request["variables"]}
            (source,) = request["sourceRevisions"]
            id_ = f"restart-{len(self.executions)}"
            self.begin(id_, updated_by=variables["UPDATED_BY"], revision=source["revisionValue"])
            return {"pipelineExecutionId": id_}
        execution = next(
            item for item in self.executions if item["pipelineExecutionId"] == request["pipelineExecutionId"]
        )
        if operation == "StopPipelineExecution":
            execution["status"] = "Stopping"
            return {"pipelineExecutionId": execution["pipelineExecutionId"]}
        return {"pipelineExecution": execution}

    @property
    def statuses(self) -> dict[str, str]:
        return {item["pipelineExecutionId"]: item["status"] for item in self.executions}


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


@dataclass(frozen=True)
class World:
    """A project folder, and what the UpdatePipeline action runs in it."""

    folder: Path
    endpoint: str
    pipeline: Pipeline

    def write(self, value: str) -> None:
        """Synthesize a pipeline stack that holds ``value``."""
        stack = self.folder / "cdktf.out" / "stacks" / "pipeline"
        stack.mkdir(parents=True, exist_ok=True)
        resource = {"terraform_data": {"definition": {"input": value}}}
        (stack / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": {"local": {}}}, "resource": resource}))
        (stack / ".terraform.lock.hcl").write_text("# No provider.\n")

    def update(self, execution: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the action in ``execution``."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = mine | {
            "PYTHONPATH": str(ROOT),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_ENDPOINT_URL_CODEPIPELINE": self.endpoint,
            "PIPELINE_NAME": "acme",
            "PIPELINE_EXECUTION_ID": execution,
            "COMMIT_ID": "c0ffee",
            "UPDATED_BY": "none",
        }
        command = [sys.executable, "-m", "delivery", "update", "--stack", "pipeline"]
        return subprocess.run(
            command, cwd=self.folder, env=environment | variables, capture_output=True, text=True, check=False
        )


@pytest.fixture
def world(tmp_path: Path, pipeline: Pipeline) -> Iterator[World]:
    """A deployed pipeline in whose first execution this is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = pipeline.answer(self.headers["X-Amz-Target"].rpartition(".")[2], request)
            content = json.dumps(answer or {"__type": "InternalFailure", "message": "try again"}).encode()
            self.send_response(200 if answer else 500)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    world = World(tmp_path, f"http://127.0.0.1:{server.server_port}", pipeline)
    world.write("first")
    pipeline.begin("bootstrap")
    assert world.update("bootstrap").returncode == 0
    pipeline.executions.clear()
    pipeline.begin("mine")
    yield world
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_unchanged_pipeline_goes_on(world: World) -> None:
    """Nothing is restarted where nothing changed."""
    done = world.update("mine")

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "pipeline: unchanged, this execution goes on"
    assert world.pipeline.statuses == {"mine": "InProgress"}


def test_a_changed_pipeline_hands_the_commit_to_one_new_execution(world: World) -> None:
    """The new execution delivers the same commit, knows who started it, and finds nothing more to update."""
    world.write("second")
    done = world.update("mine")

    assert done.returncode == 0, done.stderr
    assert world.pipeline.statuses == {"restart-1": "InProgress", "mine": "Stopping"}
    assert world.pipeline.executions[0]["revision"] == "c0ffee"

    restarted = world.update("restart-1", UPDATED_BY="mine")
    assert restarted.returncode == 0, restarted.stderr
    assert world.pipeline.statuses["restart-1"] == "InProgress"


def test_a_pipeline_that_changes_on_every_synth_cannot_loop(world: World) -> None:
    """An execution that an update started fails, naming what changed, instead of starting the next."""
    world.write("different every time")
    done = world.update("mine", UPDATED_BY="the one before")

    assert done.returncode == 1
    assert "changes on every synth" in done.stderr.splitlines()[-1]
    assert "terraform_data.definition" in done.stderr.splitlines()[-1]
    assert world.pipeline.statuses == {"mine": "InProgress"}


@pytest.mark.parametrize("failing", ["StartPipelineExecution", "StopPipelineExecution"])
def test_a_broken_restart_is_made_up_for(world: World, failing: str) -> None:
    """Whatever fails after the stack was updated: retrying the stage ends with exactly one execution going on."""
    world.write("second")
    world.pipeline.failing = failing
    broken = world.update("mine")
    assert broken.returncode == 1
    assert "could not be restarted; retry the stage" in broken.stderr.splitlines()[-1]

    world.pipeline.failing, world.pipeline.version = "", 2
    retried = world.update("mine")

    assert retried.returncode == 0, retried.stderr
    assert sorted(world.pipeline.statuses.values()) == ["InProgress", "Stopping"]
    assert world.pipeline.statuses["mine"] == "Stopping"


def test_a_newer_commit_already_on_its_way_is_not_overtaken(world: World) -> None:
    """Restarting the older commit behind a newer one would deliver the older one last."""
    world.pipeline.begin("newer", revision="decade")
    world.write("second")
    done = world.update("mine")

    assert done.returncode == 0, done.stderr
    assert world.pipeline.statuses == {"newer": "InProgress", "mine": "Stopping"}


def test_outside_of_a_pipeline_it_says_what_is_missing(world: World) -> None:
    """Someone who runs it by hand gets one line."""
    done = world.update("mine", PIPELINE_NAME="")

    assert done.returncode == 2
    assert done.stderr == "update runs inside the pipeline: environment variable PIPELINE_NAME is missing\n"
