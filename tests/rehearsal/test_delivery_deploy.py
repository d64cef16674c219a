"""Delivery against an emulated account, with real Terraform: bootstrap, plan, apply."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[2]
BUCKET, LOCKS, REGION = "acme-state", "acme-locks", "eu-west-1"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
AWS = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}
NO_PROVIDER = '# This file is maintained automatically by "terraform init".\n'


def stack(name: str, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """A synthesized stack, written by hand; ``terraform_data`` is built into Terraform and needs no provider."""
    s3 = {"bucket": BUCKET, "key": f"{name}/terraform.tfstate", "region": REGION}
    uses_aws = any(kind.startswith("aws_") for kind in resources)
    return {
        "terraform": {
            "backend": {"s3": s3 | {"dynamodb_table": LOCKS, "use_path_style": True}},
            **(AWS if uses_aws else {}),
        },
        **({"provider": {"aws": [{"region": REGION}]}} if uses_aws else {}),
        "resource": resources,
        **({"output": outputs} if outputs else {}),
    }


def state_stack() -> dict[str, Any]:
    """The stack of the state bucket and the lock table."""
    table = {"name": LOCKS, "hash_key": "LockID", "billing_mode": "PAY_PER_REQUEST"}
    return stack(
        "state",
        {
            "aws_s3_bucket": {"bucket": {"bucket": BUCKET}},
            "aws_dynamodb_table": {"locks": table | {"attribute": [{"name": "LockID", "type": "S"}]}},
        },
        {"bucket": {"value": BUCKET}},
    )


def data_stack(name: str, value: str, **outputs: str) -> dict[str, Any]:
    """A stack with one resource that holds ``value``."""
    found = {output: {"value": text} for output, text in outputs.items()}
    return stack(name, {"terraform_data": {"greeting": {"input": value}}}, found)


@dataclass(frozen=True)
class World:
    """A project folder, an emulated account, and what a person types."""

    folder: Path
    endpoint: str
    lock: Path

    @property
    def environment(self) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CODEBUILD"))}
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
        return mine | keys | {"AWS_ENDPOINT_URL": self.endpoint, "PYTHONPATH": str(ROOT)}

    def write(self, name: str, configuration: dict[str, Any]) -> Path:
        """Put a synthesized stack where synthesis would."""
        folder = self.folder / "cdktf.out" / "stacks" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cdk.tf.json").write_text(json.dumps(configuration))
        lock = self.lock.read_text() if "provider" in configuration else NO_PROVIDER
        (folder / ".terraform.lock.hcl").write_text(lock)
        return folder

    def delivery(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in the project's folder."""
        command = [sys.executable, "-m", "delivery", *arguments]
        environment = self.environment | variables
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, **KEYS)

    def plan(self, name: str) -> dict[str, str]:
        """Plan a stack and return what a shell gets by sourcing ``variables.env``."""
        done = self.delivery("plan", "--stack", name, "--out", f"plans/{name}")
        assert done.returncode == 0, done.stderr
        return self.sourced(f"plans/{name}/variables.env")

    def sourced(self, file: str) -> dict[str, str]:
        """Return what a shell has after sourcing ``file``."""
        script = (
            f'set -a; . ./{file}; exec "{sys.executable}" -c "import json, os; print(json.dumps(dict(os.environ)))"'
        )
        done = subprocess.run(["sh", "-c", script], cwd=self.folder, capture_output=True, text=True, check=True)
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def apply(self, name: str, digest: str) -> subprocess.CompletedProcess[str]:
        """Apply the plan of a stack."""
        arguments = ("--stack", name, "--plan", f"plans/{name}", "--sha256", digest, "--outputs", "outputs.env")
        return self.delivery("apply", *arguments, PIPELINE_NAME="acme")

    def values(self, name: str) -> list[str]:
        """Return what the resources of a stack hold, according to its state; empty before the first apply."""
        try:
            content = self.client("s3").get_object(Bucket=BUCKET, Key=f"{name}/terraform.tfstate")["Body"].read()
        except self.client("s3").exceptions.NoSuchKey:
            return []
        resources = json.loads(content)["resources"]
        return [item["attributes"]["input"]["value"] for entry in resources for item in entry["instances"]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An emulated AWS."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider lock that Terraform itself writes on this machine."""
    folder = tmp_path_factory.mktemp("lock")
    any_stack = folder / "cdktf.out" / "stacks" / "any"
    any_stack.mkdir(parents=True)
    (any_stack / "cdk.tf.json").write_text(json.dumps({"terraform": AWS}))
    command = [sys.executable, "-m", "delivery", "terraform", "any", "--", "init"]
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return any_stack / ".terraform.lock.hcl"


@pytest.fixture
def empty(tmp_path: Path, endpoint: str, lock: Path) -> World:
    """An account with nothing in it, and a project with the two stacks that bootstrap makes."""
    world = World(tmp_path, endpoint, lock)
    requests.post(f"{endpoint}/moto-api/reset", timeout=10).raise_for_status()
    world.write("state", state_stack())
    world.write("pipeline", data_stack("pipeline", "one"))
    return world


@pytest.fixture
def world(empty: World) -> World:
    """The same with the state bucket and the lock table in the account."""
    empty.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    empty.client("dynamodb").create_table(
        TableName=LOCKS,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return empty


def test_bootstrap_moves_its_state_into_the_bucket_it_makes(empty: World) -> None:
    """Nothing local is left behind; a second run, in a fresh clone at that, changes nothing and touches no state."""
    first = empty.delivery("bootstrap", TF_CLI_ARGS_init="-backend-config=use_path_style=true")

    assert first.returncode == 0, first.stderr
    assert empty.values("pipeline") == ["one"]
    assert not list(empty.folder.rglob("*override*"))
    assert not list((empty.folder / ".tools" / "bootstrap").iterdir())

    written = {
        item["Key"]: item["LastModified"] for item in empty.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    }
    shutil.rmtree(empty.folder / ".tools")
    for data in empty.folder.rglob(".terraform"):
        shutil.rmtree(data)
    second = empty.delivery("bootstrap")

    assert second.returncode == 0, second.stderr
    assert "state: no changes" in second.stderr
    assert "pipeline: no changes" in second.stderr
    found = {
        item["Key"]: item["LastModified"] for item in empty.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    }
    assert found == written


def test_a_broken_bootstrap_goes_on_where_it_stopped(empty: World) -> None:
    """Where the bucket came into being but its state was not moved yet, the next run adopts it instead of failing."""
    table = {
        "TableName": LOCKS,
        "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
    }
    empty.client("dynamodb").create_table(**table, BillingMode="PAY_PER_REQUEST")
    broken = empty.delivery("bootstrap")
    assert broken.returncode == 1
    assert "terraform apply failed in stack state" in broken.stderr.splitlines()[-1]
    assert empty.client("s3").list_buckets()["Buckets"]

    empty.client("dynamodb").delete_table(TableName=LOCKS)
    mended = empty.delivery("bootstrap")

    assert mended.returncode == 0, mended.stderr
    assert empty.values("pipeline") == ["one"]
    assert not list((empty.folder / ".tools" / "bootstrap").iterdir())


def test_bootstrap_refuses_a_bucket_that_is_not_its_own_work(world: World) -> None:
    """A bucket of that name without state in it is neither adopted nor destroyed."""
    done = world.delivery("bootstrap")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"bucket {BUCKET} exists, but holds no state of stack state")


def test_the_reviewed_plan_is_applied_once(world: World) -> None:
    """Applying gives the outputs; after that every plan made when there was no state is stale, for good.

    Terraform used to apply such a plan again: https://github.com/hashicorp/terraform/issues/24078
    """
    world.write("once", data_stack("once", "one", url="https://example.org/it's"))
    rival = world.plan("once")["PLAN_SHA256"]
    (world.folder / "plans/once").rename(world.folder / "plans/rival")
    variables = world.plan("once")
    assert variables["HAS_CHANGES"] == "true"
    assert variables["SUMMARY"] == "once: 1 to add: terraform_data.greeting"

    done = world.apply("once", variables["PLAN_SHA256"])
    assert done.returncode == 0, done.stderr
    assert world.values("once") == ["one"]
    assert world.sourced("outputs.env")["URL"] == "https://example.org/it's"

    again = world.apply("once", variables["PLAN_SHA256"])
    world.delivery("terraform", "once", "--", "destroy", "-auto-approve")
    afterwards = world.apply("once", variables["PLAN_SHA256"])
    (world.folder / "plans/once").rename(world.folder / "plans/used")
    (world.folder / "plans/rival").rename(world.folder / "plans/once")
    overtaken = world.apply("once", rival)
    for refused in (again, afterwards, overtaken):
        assert refused.returncode == 3
        assert refused.stderr.splitlines()[-1].endswith("aws codepipeline start-pipeline-execution --name acme")
    assert world.values("once") == []


def test_a_plan_overtaken_by_another_is_stale(world: World) -> None:
    """A plan made before someone else applied theirs is refused, with the command that makes a new one."""
    world.write("race", data_stack("race", "one"))
    world.apply("race", world.plan("race")["PLAN_SHA256"])
    world.write("race", data_stack("race", "two"))
    digest = world.plan("race")["PLAN_SHA256"]
    world.delivery("terraform", "race", "--", "apply", "-auto-approve")
    assert world.values("race") == ["two"]

    done = world.apply("race", digest)

    assert done.returncode == 3
    assert "the plan for race is stale" in done.stderr.splitlines()[-1]


def test_an_empty_plan_changes_nothing_and_still_gives_the_outputs(world: World) -> None:
    """Later actions need the address whether or not anything changed."""
    world.write("same", data_stack("same", "one", url="https://example.org/"))
    world.apply("same", world.plan("same")["PLAN_SHA256"])
    (world.folder / "outputs.env").unlink()

    variables = world.plan("same")
    done = world.apply("same", variables["PLAN_SHA256"])

    assert (variables["HAS_CHANGES"], variables["RISK"]) == ("false", "none")
    assert done.returncode == 0, done.stderr
    assert world.sourced("outputs.env")["URL"] == "https://example.org/"


def test_a_change_of_outputs_alone_is_a_change(world: World) -> None:
    """Whoever reads the stack's outputs would otherwise keep the old ones for ever."""
    world.write("output", data_stack("output", "one", url="https://example.org/old"))
    world.apply("output", world.plan("output")["PLAN_SHA256"])
    world.write("output", data_stack("output", "one", url="https://example.org/new"))

    variables = world.plan("output")

    assert (variables["HAS_CHANGES"], variables["RISK"]) == ("true", "ordinary")
    assert world.apply("output", variables["PLAN_SHA256"]).returncode == 0
    assert world.sourced("outputs.env")["URL"] == "https://example.org/new"


def test_another_plan_than_the_reviewed_one_is_refused(world: World) -> None:
    """A tampered plan, one of another stack, and one whose stack changed since apply nothing."""
    folder = world.write("mine", data_stack("mine", "one"))
    world.write("other", data_stack("other", "one"))
    digest = world.plan("mine")["PLAN_SHA256"]

    shutil.copytree(world.folder / "plans/mine", world.folder / "plans/other")
    foreign = world.apply("other", digest)
    assert (foreign.returncode, "a plan for mine, not for other" in foreign.stderr) == (3, True)

    (folder / "assets").mkdir()
    (folder / "assets" / "function.zip").write_bytes(b"other code")
    changed = world.apply("mine", digest)
    assert (changed.returncode, "assets/function.zip of mine changed" in changed.stderr) == (3, True)
    shutil.rmtree(folder / "assets")

    plan = world.folder / "plans/mine/tfplan"
    plan.write_bytes(plan.read_bytes() + b"\0")
    tampered = world.apply("mine", digest)
    assert (tampered.returncode, "is not the reviewed plan" in tampered.stderr) == (3, True)
    assert world.values("mine") == world.values("other") == []


def test_secrets_stay_out_of_everything_but_the_plan_file(world: World) -> None:
    """What Terraform marks as sensitive is in no file that is shown or archived, and in no line of the log."""
    configuration = data_stack("secret", '${sensitive("hunter2")}')
    configuration["output"] = {"password": {"value": '${sensitive("hunter2")}', "sensitive": True}}
    world.write("secret", configuration)
    world.apply("secret", world.plan("secret")["PLAN_SHA256"])
    configuration["resource"]["terraform_data"]["greeting"]["input"] = '${sensitive("hunter3")}'
    world.write("secret", configuration)

    done = world.delivery("plan", "--stack", "secret", "--out", "plans/secret")

    written = [path.read_text() for path in (world.folder / "plans/secret").iterdir() if path.name != "tfplan"]
    assert len(written) == 4
    assert "hunter" not in "".join(written) + done.stdout + done.stderr + (world.folder / "outputs.env").read_text()
    assert "! input: (sensitive value) -> (sensitive value)" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_apply_saves_what_it_did(world: World, number: signal.Signals) -> None:
    """Terraform gets one request to stop, however many come: the state is saved, and the lock free."""
    greeting = {"first": {"input": "one"}}
    slow = {"input": "two", "depends_on": ["terraform_data.first"]}
    wait = {"provisioner": [{"local-exec": {"command": "touch started; exec sleep 60"}}]}
    folder = world.write("slow", stack("slow", {"terraform_data": greeting | {"slow": slow | wait}}))
    digest = world.plan("slow")["PLAN_SHA256"]
    command = [sys.executable, "-m", "delivery", "apply", "--stack", "slow", "--plan", "plans/slow", "--sha256", digest]
    process = subprocess.Popen(
        command, cwd=world.folder, env=world.environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    os.killpg(process.pid, number)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 130, said
    assert "one" in world.values("slow")
    assert world.client("dynamodb").scan(TableName=LOCKS, FilterExpression="attribute_exists(Info)")["Items"] == []


def test_a_locked_state_names_who_holds_it(world: World) -> None:
    """Someone waiting learns who else is at work, and how to free a lock that is surely dead."""
    world.write("locked", data_stack("locked", "one"))
    info = {"ID": "11111111-2222-3333-4444-555555555555", "Who": "ann@laptop", "Created": "2026-11-22T10:00:00Z"}
    world.client("dynamodb").put_item(
        TableName=LOCKS,
        Item={"LockID": {"S": f"{BUCKET}/locked/terraform.tfstate"}, "Info": {"S": json.dumps(info)}},
    )

    done = world.delivery("plan", "--stack", "locked", "--out", "plans/locked", TF_CLI_ARGS_plan="-lock-timeout=0s")

    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "locked by ann@laptop since 2026-11-22" in last
    assert last.endswith("python -m delivery terraform locked -- force-unlock 11111111-2222-3333-4444-555555555555")


def test_an_unknown_stack_is_answered_with_those_there_are(world: World) -> None:
    """A typo costs one line and no Terraform."""
    done = world.delivery("plan", "--stack", "../state", "--out", "plans/x")

    assert done.returncode == 2
    assert done.stderr == "no stack '../state' in cdktf.out/stacks: there are pipeline, state\n"
