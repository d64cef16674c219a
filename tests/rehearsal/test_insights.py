"""``python -m delivery insights`` as a person runs it: Terraform's state leads to the table."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.unit.chatbot import emulated

ROOT = Path(__file__).parents[2]
REGION, TABLE, BUCKET = "eu-central-1", "acme-dev-conversations", "acme-insights-state"
AWS = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with emulated.server() as address:
        place = {"LocationConstraint": REGION}
        boto3.client(
            "s3", REGION, endpoint_url=address, aws_access_key_id="test", aws_secret_access_key="test"
        ).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        yield address


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two environments, of which dev is deployed."""
    found = tmp_path_factory.mktemp("project")
    for name in ("dev", "prod"):
        stack = found / "cdktf.out" / "stacks" / f"chatbot-{name}"
        stack.mkdir(parents=True)
        s3 = {"bucket": BUCKET, "key": f"chatbot-{name}/terraform.tfstate", "region": REGION, "use_path_style": True}
        configuration = {
            "terraform": AWS | {"backend": {"s3": s3}},
            "provider": {"aws": [{"region": REGION}]},
            "output": {"table_name": {"value": TABLE}},
        }
        (stack / "cdk.tf.json").write_text(json.dumps(configuration))
    return found


def delivery(folder: Path, endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CODEBUILD"))}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint}
    command = [sys.executable, "-m", "delivery", *arguments]
    environment = mine | keys | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def unanswered(text: str) -> dict[str, Any]:
    """A turn as the bot keeps it."""
    now = datetime.now(UTC).replace(microsecond=0)
    strings = {"pk": "C#1", "sk": "T#00000001", "text": text, "review": "open", "created_at": now.isoformat()}
    expiry = int((now + timedelta(days=1)).timestamp())
    return {
        **{name: {"S": value} for name, value in strings.items()},
        "answered": {"BOOL": False},
        "expires_at": {"N": str(expiry)},
    }


def test_what_went_unanswered_is_shown(folder: Path, endpoint: str) -> None:
    """As tables for a person, as JSON for a program."""
    client = emulated.client(endpoint)
    emulated.create_table(client, TABLE)
    client.put_item(TableName=TABLE, Item=unanswered("Can it fly?"))
    applied = delivery(folder, endpoint, "terraform", "chatbot-dev", "--", "apply", "-auto-approve")
    assert applied.returncode == 0, applied.stderr

    shown = delivery(folder, endpoint, "insights", "--environment", "dev")
    data = delivery(folder, endpoint, "insights", "--environment", "dev", "--json")

    assert shown.returncode == 0, shown.stderr
    assert "Can it fly?" in shown.stdout
    assert "Thumbs down" in shown.stdout
    assert [each["question"] for each in json.loads(data.stdout)["unanswered"]] == ["Can it fly?"]


def test_an_environment_without_a_bot_is_told_in_one_line(folder: Path, endpoint: str) -> None:
    """Nothing is deployed to prod yet."""
    done = delivery(folder, endpoint, "insights", "--environment", "prod")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("nothing is deployed to prod yet")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--environment", "stage"), "no environment 'stage': there are dev, prod"),
        (("--environment", "dev", "--days", "0"), "'0' is no number of days, from 1 to 3650"),
        ((), "--environment"),
    ],
)
def test_a_mistake_is_told_in_one_line(folder: Path, endpoint: str, arguments: tuple[str, ...], said: str) -> None:
    """With exit code 2."""
    done = delivery(folder, endpoint, "insights", *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_project_that_was_never_synthesized_is_told_what_to_do(tmp_path: Path, endpoint: str) -> None:
    """Without stacks there is nothing to look into."""
    done = delivery(tmp_path, endpoint, "insights", "--environment", "dev")

    assert done.returncode == 2
    assert "run `make synth` first" in done.stderr


def test_a_table_that_cannot_be_read_is_told_in_one_line(folder: Path, endpoint: str) -> None:
    """It may be in another account than the credentials."""
    emulated.client(endpoint).delete_table(TableName=TABLE)
    done = delivery(folder, endpoint, "insights", "--environment", "dev")

    assert done.returncode == 1
    assert TABLE in done.stderr
    assert "Traceback" not in done.stderr
