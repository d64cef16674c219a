"""The answers that a plan changes, against an emulated account: real Terraform, packages from the deployed function."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID

from delivery.answers import changed_answers
from delivery.project import Project
from rehearsal.cloud import Cloud
from rehearsal.functions import Functions, downloads
from tests.packaging.bots import AFTER, BEFORE, folder, learned, package
from tests.rehearsal.deliveries import KEYS, REGION, World, prepared_account, stack

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
HEADING = "## Answers that change"
ELSEWHERE = "999999999999"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulated AWS with functions."""
    with (
        Cloud(account=DEFAULT_ACCOUNT_ID, region=REGION) as cloud,
        closing(Functions(cloud, tmp_path_factory.mktemp("functions"))) as functions,
    ):
        cloud.routes.append(functions)
        yield cloud.endpoint


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Two packages of a bot that knows something else after than before."""
    base, made = tmp_path_factory.mktemp("packages"), []
    for name, text in (("before", BEFORE), ("after", AFTER)):
        index = learned(folder(base / name, text), base / f"{name}.index")
        made.append(package(index, base / f"{name}.zip").read_bytes())
    return made[0], made[1]


@pytest.fixture
def world(tmp_path: Path, endpoint: str, lock: Path) -> World:
    """An account that a bot can be deployed to."""
    return prepared_account(tmp_path, endpoint, lock)


def write(world: World, content: bytes, memory: int = 128) -> None:
    """Synthesize a stack that deploys a package."""
    function = {
        "function_name": "bot",
        "role": "${aws_iam_role.bot.arn}",
        "runtime": "python3.13",
        "handler": "chatbot.ask.main",
        "filename": "lambda.zip",
        "source_code_hash": '${filebase64sha256("lambda.zip")}',
        "memory_size": memory,
        "publish": True,
    }
    alias = {
        "name": "live",
        "function_name": "${aws_lambda_function.bot.function_name}",
        "function_version": "${aws_lambda_function.bot.version}",
    }
    resources = {
        "aws_iam_role": {"bot": {"name": "bot", "assume_role_policy": json.dumps(TRUST)}},
        "aws_lambda_function": {"bot": function},
        "aws_lambda_alias": {"live": alias},
    }
    (world.write("bot", stack("bot", resources)) / "lambda.zip").write_bytes(content)


def deploy(world: World, content: bytes, **keys: str) -> None:
    """Deploy a package without this project, as an earlier release of it may have been."""
    iam, functions = (
        boto3.client(service, endpoint_url=world.endpoint, **KEYS | keys) for service in ("iam", "lambda")
    )
    role = iam.create_role(RoleName="bot", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    functions.create_function(
        FunctionName="bot",
        Runtime="python3.13",
        Handler="chatbot.ask.main",
        Role=role,
        Code={"ZipFile": content},
        Publish=True,
    )
    functions.create_alias(FunctionName="bot", Name="live", FunctionVersion="1")


def review(world: World) -> str:
    """Plan the bot's stack, and return the review."""
    world.plan("bot", "--answers")
    return (world.folder / "plans" / "bot" / "review.md").read_text()


@pytest.fixture
def said(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What the review of the bot's plan is going to say of answers."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, world.environment[name])
    project = Project(world.folder)
    return lambda **variables: changed_answers(project, project.stack("bot"), variables)


def test_a_plan_says_which_answers_it_changes(world: World, packages: tuple[bytes, bytes]) -> None:
    """Against what the environment answers from; not for a first release, nor where the package stays the same."""
    write(world, packages[0])
    assert HEADING not in review(world)
    assert world.apply("bot", world.records("bot")[-1]["plan_sha256"]).returncode == 0

    write(world, packages[0], memory=256)
    same = review(world)
    assert "memory_size" in same
    assert HEADING not in same

    write(world, packages[1])
    other = review(world)
    assert HEADING in other
    assert "Sections: 1 reworded, 1 added, 1 removed." in other
    assert "> | mend my kettle | shop\\#do-you-repair-kettles | *no answer* |" in other
    assert "<td>mend my kettle</td>" in (world.folder / "plans" / "bot" / "review.html").read_text()


def test_what_is_deployed_elsewhere_is_asked_for_with_the_role_there(
    world: World, packages: tuple[bytes, bytes], said: Callable[..., str]
) -> None:
    """An environment in another account has its bot there, and none at home."""
    role = f"arn:aws:iam::{ELSEWHERE}:role/plan"
    keys = world.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    deploy(
        world,
        packages[0],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    write(world, packages[1])
    assert said() == ""
    assert "1 reworded, 1 added, 1 removed" in said(TF_VAR_deploy_role_arn=role)


def test_a_package_that_cannot_be_asked_is_said_to_be(
    world: World, packages: tuple[bytes, bytes], said: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line: an earlier release that knows no such questions, and a link that leads nowhere."""
    older = io.BytesIO()
    with zipfile.ZipFile(older, "w") as archive:
        archive.writestr("chatbot/handler.py", "")
    deploy(world, older.getvalue())
    write(world, packages[1])
    could_not = "They could not be compared with those of bot: "
    assert said() == (
        f"{could_not}the deployed package holds no chatbot/knowledge.index that can be asked: it is no package, or an "
        "older one"
    )

    monkeypatch.setattr(downloads, "LINK_SECONDS", -1)
    assert said() == f"{could_not}its package cannot be downloaded (HTTP 403)"
