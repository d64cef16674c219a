"""Definitions that AWS would refuse are refused with AWS's error; what is not emulated is refused by name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud import Cloud
from tests.rehearsal.pipelines import ACCOUNT, World, account, action, approval, build, check, pipelines, stage

Definition = dict[str, Any]
Change = Callable[[Definition], object]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with account("definitions") as running:
        yield running


@pytest.fixture
def world(cloud: Cloud, tmp_path: Path) -> Iterator[World]:
    with pipelines(cloud, "definitions", tmp_path) as opened:
        yield opened


def first(definition: Definition, number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = definition["stages"][number]["actions"][0]
    return found


def rule(provider: str) -> dict[str, Any]:
    named = {"name": "r", "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"}}
    return {"conditions": [{"result": "FAIL", "rules": [named]}]}


REFUSALS: dict[str, tuple[Change, str, str]] = {
    "one stage": (lambda d: d["stages"].pop(), "InvalidStructureException", "minimum of 2 stages"),
    "51 stages": (
        lambda d: d["stages"].extend(stage(f"S{number}", approval()) for number in range(49)),
        "InvalidStructureException",
        "51 stage",
    ),
    "51 actions": (
        lambda d: d["stages"][1]["actions"].extend(approval() | {"name": f"a{n}"} for n in range(50)),
        "InvalidStageDeclarationException",
        "51 actions",
    ),
    "no action": (lambda d: d["stages"][1]["actions"].clear(), "InvalidStageDeclarationException", "0 actions"),
    "stage twice": (lambda d: d["stages"][1].update(name="Source"), "InvalidStageDeclarationException", "not unique"),
    "action twice": (
        lambda d: d["stages"][1]["actions"].append(approval() | {"name": "compile"}),
        "InvalidActionDeclarationException",
        "not unique: compile",
    ),
    "namespace twice": (
        lambda d: first(d).update(namespace="source"),
        "InvalidActionDeclarationException",
        "namespace is not unique",
    ),
    "reserved namespace": (
        lambda d: first(d).update(namespace="variables"),
        "InvalidActionDeclarationException",
        "reserved",
    ),
    "source later": (
        lambda d: d["stages"].append(stage("More", first(d, 0) | {"name": "again", "namespace": "x"})),
        "InvalidStructureException",
        "not contain source actions",
    ),
    "no source first": (lambda d: d["stages"].reverse(), "InvalidStructureException", "only contain source actions"),
    "unmade artifact": (
        lambda d: first(d).update(inputArtifacts=[{"name": "nowhere"}]),
        "InvalidStructureException",
        "nowhere",
    ),
    "artifact made at the same time": (
        lambda d: d["stages"][1]["actions"].append(build("test", inputs=("package",))),
        "InvalidStructureException",
        "no earlier action's output",
    ),
    "artifact made twice": (
        lambda d: d["stages"][1]["actions"].append(build("test", outputs=("package",))),
        "InvalidStructureException",
        "package is declared more than once",
    ),
    "missing configuration": (
        lambda d: first(d)["configuration"].pop("ProjectName"),
        "InvalidActionDeclarationException",
        "missing required configuration 'ProjectName'",
    ),
    "unknown configuration": (
        lambda d: first(d)["configuration"].update(Project="x"),
        "InvalidActionDeclarationException",
        "unknown configuration 'Project'",
    ),
    "no primary source": (
        lambda d: (
            d["stages"].append(stage("Two", build("two", inputs=("source", "package")))),
            d["stages"],
        ),
        "InvalidActionDeclarationException",
        "PrimarySource",
    ),
    "environment is no list": (
        lambda d: first(d)["configuration"].update(EnvironmentVariables="A=1"),
        "InvalidActionDeclarationException",
        "JSON list",
    ),
    "pipeline's name": (lambda d: d.update(name="a b"), "ValidationException", "regular expression pattern"),
    "execution mode": (lambda d: d.update(executionMode="FAST"), "ValidationException", "enum value set"),
    "time-out": (
        lambda d: first(d).update(timeoutInMinutes=86401),
        "ValidationException",
        "less than or equal to 86400",
    ),
    "V1 with variables": (
        lambda d: d.update(pipelineType="V1", variables=[{"name": "A"}]),
        "InvalidStructureException",
        "V1 have no variables",
    ),
    "untrusting role": (
        lambda d: d.update(roleArn=f"arn:aws:iam::{ACCOUNT}:role/untrusting"),
        "InvalidStructureException",
        "not authorized to perform AssumeRole",
    ),
    "other action type": (
        lambda d: d["stages"].append(stage("Deploy", action("ecs", "Deploy/ECS"))),
        "InvalidActionDeclarationException",
        "does not emulate action type Deploy/AWS/ECS/1",
    ),
    "full clone": (
        lambda d: first(d, 0)["configuration"].update(OutputArtifactFormat="CODEBUILD_CLONE_REF"),
        "InvalidActionDeclarationException",
        "does not emulate full clones",
    ),
    "batch build": (
        lambda d: first(d)["configuration"].update(BatchEnabled="true"),
        "InvalidActionDeclarationException",
        "does not emulate batch builds",
    ),
    "other region": (
        lambda d: first(d).update(region="us-east-1"),
        "InvalidActionDeclarationException",
        "does not emulate actions in another region",
    ),
    "rollback": (
        lambda d: d["stages"][1].update(onFailure={"result": "ROLLBACK"}),
        "InvalidStageDeclarationException",
        "does not emulate ROLLBACK",
    ),
    "skip after success": (
        lambda d: d["stages"][1].update(onSuccess=check("#{a.b}", "EQ", "1", "SKIP")),
        "InvalidStageDeclarationException",
        "SKIP is no possible result of onSuccess",
    ),
    "operator": (
        lambda d: d["stages"][1].update(beforeEntry=check("#{a.b}", "GT", "1")),
        "InvalidStageDeclarationException",
        "Operator must be one of",
    ),
    "pull request trigger": (
        lambda d: d.update(triggers=[trigger(pullRequest=[{"branches": {"includes": ["main"]}}])]),
        "InvalidStructureException",
        "does not emulate pull request triggers",
    ),
}


def trigger(**git: Any) -> dict[str, Any]:
    return {"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "Source"} | git}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_definition_that_cannot_be_is_refused_on_create_and_update(world: World, name: str) -> None:
    """The error is the one AWS documents, and its message says what to change."""
    change, code, message = REFUSALS[name]
    untrusting = {"Version": "2012-10-17", "Statement": []}
    iam = world.cloud.client("iam")
    if "untrusting" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.create_role(RoleName="untrusting", AssumeRolePolicyDocument=json.dumps(untrusting))
    good = world.definition(stage("Build", build("compile", outputs=("package",))))
    bad = json.loads(json.dumps(good))
    change(bad)

    with pytest.raises(ClientError, match=f"(?s){code}.*{message}"):
        world.api.create_pipeline(pipeline=bad)
    world.api.create_pipeline(pipeline=good)
    with pytest.raises(ClientError, match=f"(?s){code}.*{message}"):
        world.api.update_pipeline(pipeline=bad)
    assert world.api.get_pipeline(name="shop")["pipeline"]["version"] == 1


@pytest.mark.parametrize("provider", ["CloudWatchAlarm", "LambdaInvoke", "DeploymentWindow", "Commands", "CodeBuild"])
def test_rules_that_are_not_emulated_are_refused_by_name(world: World, provider: str) -> None:
    """A rule that is not evaluated must not be deployed as if it were."""
    definition = world.definition(stage("Build", build("compile"), beforeEntry=rule(provider)))
    with pytest.raises(ClientError, match=f"does not emulate rule type {provider}"):
        world.api.create_pipeline(pipeline=definition)


def test_defaults_and_times_come_back_as_on_aws(world: World) -> None:
    """runOrder, executionMode and empty lists are filled in; created and updated are times."""
    world.api.create_pipeline(
        pipeline=world.definition(stage("Approve", approval())), tags=[{"key": "a", "value": "b"}]
    )
    found = world.api.get_pipeline(name="shop")

    assert found["pipeline"]["executionMode"] == "SUPERSEDED"
    assert first(found["pipeline"])["runOrder"] == 1
    assert found["metadata"]["created"] <= found["metadata"]["updated"]
    arn = found["metadata"]["pipelineArn"]
    assert world.api.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    world.api.update_pipeline(pipeline=found["pipeline"])
    assert world.api.get_pipeline(name="shop", version=1)["pipeline"]["version"] == 1
    with pytest.raises(ClientError, match="PipelineVersionNotFoundException"):
        world.api.get_pipeline(name="shop", version=3)
    with pytest.raises(ClientError, match="PipelineNameInUseException"):
        world.api.create_pipeline(pipeline=world.definition(stage("Approve", approval())))
