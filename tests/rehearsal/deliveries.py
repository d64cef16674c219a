"""A project whose stacks are written by hand, in an emulated account: what a person types there runs for real."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests
from boto3.dynamodb.conditions import Key
from moto.core import DEFAULT_ACCOUNT_ID

from rehearsal.cloud import Cloud

ROOT = Path(__file__).parents[2]
BUCKET, LOCKS, LEDGER, REGION = "acme-state", "acme-locks", "acme-ledger", "eu-west-1"
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
    """The stack of the state bucket, the lock table and the ledger."""
    locks = {"name": LOCKS, "hash_key": "LockID", "billing_mode": "PAY_PER_REQUEST"}
    ledger = {"name": LEDGER, "hash_key": "environment", "range_key": "plan_sha256", "billing_mode": "PAY_PER_REQUEST"}
    names = ("environment", "plan_sha256", "created_at")
    by_time = {"name": "by-time", "range_key": "created_at", "projection_type": "ALL"}
    return stack(
        "state",
        {
            "aws_s3_bucket": {"bucket": {"bucket": BUCKET}},
            "aws_dynamodb_table": {
                "locks": locks | {"attribute": [{"name": "LockID", "type": "S"}]},
                "ledger": ledger
                | {"attribute": [{"name": name, "type": "S"} for name in names], "local_secondary_index": [by_time]},
            },
        },
        {"bucket": {"value": BUCKET}},
    )


def data_stack(name: str, value: str, **outputs: str) -> dict[str, Any]:
    """A stack with one resource that holds ``value``."""
    found = {output: {"value": text} for output, text in outputs.items()}
    return stack(name, {"terraform_data": {"greeting": {"input": value}}}, found)


def create_table(dynamodb: Any, name: str, *keys: str, index: str = "") -> None:
    """Create one of the tables of the state stack."""
    kinds = dict(zip(keys, ("HASH", "RANGE"), strict=False))
    by_time = {
        "IndexName": "by-time",
        "KeySchema": [
            {"AttributeName": keys[0], "KeyType": "HASH"},
            {"AttributeName": index, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (*keys, index) if key],
        BillingMode="PAY_PER_REQUEST",
        **({"LocalSecondaryIndexes": [by_time]} if index else {}),
    )


@dataclass(frozen=True)
class World:
    """A project folder, an emulated account, and what a person types."""

    folder: Path
    endpoint: str
    lock: Path | None = None
    """The provider lock, where stacks use the provider."""

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
        lock = self.lock.read_text() if self.lock and "provider" in configuration else NO_PROVIDER
        (folder / ".terraform.lock.hcl").write_text(lock)
        return folder

    def delivery(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in the project's folder."""
        command = [sys.executable, "-m", "delivery", *arguments]
        environment = self.environment | variables
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, **KEYS)

    def plan(self, name: str, *options: str) -> dict[str, str]:
        """Plan a stack and return what a shell gets by sourcing ``variables.env``."""
        command = ("plan", "--stack", name, "--out", f"plans/{name}", *options)
        done = self.delivery(*command)
        while done.stderr.endswith("is in the ledger already: plan again\n"):
            done = self.delivery(*command)  # two plans of the same second can be the same file
        assert done.returncode == 0, done.stderr
        return self.sourced(f"plans/{name}/variables.env")

    def records(self, environment: str) -> list[dict[str, Any]]:
        """Return what the ledger holds of an environment, the oldest first."""
        table = boto3.resource("dynamodb", endpoint_url=self.endpoint, **KEYS).Table(LEDGER)
        return list(
            table.query(IndexName="by-time", KeyConditionExpression=Key("environment").eq(environment))["Items"]
        )

    def outcome(self, environment: str, digest: str) -> tuple[str, str]:
        """Return status and words of what became of a plan, according to the ledger."""
        (found,) = (record for record in self.records(environment) if record["plan_sha256"] == digest)
        return found.get("apply", {}).get("status", "planned"), found.get("apply", {}).get("said", "")

    def locked(self) -> list[str]:
        """Return the ids of all locks that are held."""
        held = self.client("dynamodb").scan(TableName=LOCKS, FilterExpression="attribute_exists(Info)")["Items"]
        return [json.loads(item["Info"]["S"])["ID"] for item in held]

    def sourced(self, file: str) -> dict[str, str]:
        """Return what a shell has after sourcing ``file``."""
        script = (
            f'set -a; . ./{file}; exec "{sys.executable}" -c "import json, os; print(json.dumps(dict(os.environ)))"'
        )
        done = subprocess.run(["sh", "-c", script], cwd=self.folder, capture_output=True, text=True, check=True)
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def apply(self, name: str, digest: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Apply the plan of a stack."""
        arguments = ("--stack", name, "--plan", f"plans/{name}", "--sha256", digest, "--outputs", "outputs.env")
        return self.delivery("apply", *arguments, **{"PIPELINE_NAME": "acme"} | variables)

    def applying(self, name: str, digest: str) -> "subprocess.Popen[str]":
        """Begin to apply the plan of a stack, in a process group of its own."""
        command = [sys.executable, "-m", "delivery", "apply", "--stack", name, "--sha256", digest]
        return subprocess.Popen(
            [*command, "--plan", f"plans/{name}"],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def values(self, name: str) -> list[str]:
        """Return what the resources of a stack hold, according to its state; empty before the first apply."""
        try:
            content = self.client("s3").get_object(Bucket=BUCKET, Key=f"{name}/terraform.tfstate")["Body"].read()
        except self.client("s3").exceptions.NoSuchKey:
            return []
        instances = [item for entry in json.loads(content)["resources"] for item in entry["instances"]]
        inputs = [item["attributes"]["input"] for item in instances]
        return [given["value"] for given in inputs if given]


@contextmanager
def emulated_aws() -> Iterator[str]:
    """Run an emulated AWS and return its address."""
    with Cloud(account=DEFAULT_ACCOUNT_ID, region=REGION) as cloud:
        yield cloud.endpoint


def provider_lock(folder: Path) -> Path:
    """Return the provider lock that Terraform itself writes on this machine."""
    any_stack = folder / "cdktf.out" / "stacks" / "any"
    any_stack.mkdir(parents=True)
    (any_stack / "cdk.tf.json").write_text(json.dumps({"terraform": AWS}))
    command = [sys.executable, "-m", "delivery", "terraform", "any", "--", "init"]
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return any_stack / ".terraform.lock.hcl"


def empty(endpoint: str) -> None:
    """Forget what earlier tests left: moto keeps one AWS in a process."""
    requests.post(f"{endpoint}/moto-api/reset", timeout=10).raise_for_status()


def empty_account(folder: Path, endpoint: str, lock: Path | None = None) -> World:
    """An account with nothing in it, and a project with the two stacks that bootstrap makes."""
    world = World(folder, endpoint, lock)
    empty(endpoint)
    world.write("state", state_stack())
    world.write("pipeline", data_stack("pipeline", "one"))
    return world


def prepared_account(folder: Path, endpoint: str, lock: Path | None = None) -> World:
    """The same with the state bucket, the lock table and the ledger in the account."""
    world = empty_account(folder, endpoint, lock)
    dynamodb = world.client("dynamodb")
    world.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    create_table(dynamodb, LOCKS, "LockID")
    create_table(dynamodb, LEDGER, "environment", "plan_sha256", index="created_at")
    return world
