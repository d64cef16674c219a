"""What starts a pipeline: pushes that its source or its triggers watch, and EventBridge's rules for CodeCommit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud import Cloud
from rehearsal.codecommit import CodeCommit
from tests.rehearsal.pipelines import ACCOUNT, REGION, World, account, action, approval, git, pipelines, stage

PIPELINE_ARN = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:shop"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with account("triggers") as running:
        iam = running.client("iam")
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName="events", AssumeRolePolicyDocument=trust)
        yield running


@pytest.fixture
def world(cloud: Cloud, tmp_path: Path) -> Iterator[World]:
    with pipelines(cloud, "triggers", tmp_path) as opened:
        cloud.add([CodeCommit(cloud, opened.repositories, opened.service)])
        yield opened


def started(world: World) -> list[dict[str, Any]]:
    """Return the executions since the one that creating the pipeline started."""
    summaries: list[dict[str, Any]] = world.api.list_pipeline_executions(pipelineName="shop")[
        "pipelineExecutionSummaries"
    ]
    return [each for each in summaries if each["trigger"]["triggerType"] != "CreatePipeline"]


def push_filter(**filters: Any) -> list[dict[str, Any]]:
    configuration = {"sourceActionName": "Source", "push": [filters]}
    return [{"providerType": "CodeStarSourceConnection", "gitConfiguration": configuration}]


@pytest.mark.parametrize(
    ("filters", "branch", "starts"),
    [
        ({"branches": {"includes": ["release/*"]}}, "release/1", True),
        ({"branches": {"includes": ["release/*"]}}, "release/1/a", False),
        ({"branches": {"includes": ["release/**"]}}, "release/1/a", True),
        ({"branches": {"includes": ["{main,dev}"]}}, "dev", True),
        ({"branches": {"includes": ["**"], "excludes": ["wip-*"]}}, "wip-1", False),
        ({"branches": {"includes": ["a.c"]}}, "abc", False),
        ({"filePaths": {"includes": ["file.txt"]}}, "main", True),
        ({"filePaths": {"includes": ["docs/**"]}}, "main", False),
        ({"branches": {"includes": ["main"]}, "filePaths": {"excludes": ["file.txt"]}}, "main", False),
    ],
)
def test_push_filters_decide_what_starts_the_pipeline(
    world: World, filters: dict[str, Any], branch: str, starts: bool
) -> None:
    """Branches and file paths are globs; * stays within a part of the path, ** does not; excludes win."""
    world.create(stage("Approve", approval()), triggers=push_filter(**filters))
    commit = world.push("A change", branch=branch)

    assert [json.loads(each["trigger"]["triggerDetail"])["commit"] for each in started(world)] == [commit] * starts


def test_without_change_detection_a_push_starts_nothing(world: World) -> None:
    """DetectChanges=false leaves starting to whoever calls StartPipelineExecution."""
    source = world.source(DetectChanges="false")
    world.create(stages=[stage("Source", source), stage("Approve", approval())])
    world.push()

    assert started(world) == []


def code_source(**configuration: str) -> dict[str, Any]:
    declared = action("Source", "Source/CodeCommit", RepositoryName="code", BranchName="main", **configuration)
    return declared | {"outputArtifacts": [{"name": "source"}], "namespace": "source"}


def rule(cloud: Cloud, branch: str, role: str = "events") -> str:
    events = cloud.client("events")
    pattern = {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": [f"arn:aws:codecommit:{REGION}:{ACCOUNT}:code"],
        "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceName": [branch]},
    }
    arn: str = events.put_rule(Name="push", EventPattern=json.dumps(pattern))["RuleArn"]
    target = {"Id": "pipeline", "Arn": PIPELINE_ARN, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}"}
    events.put_targets(Rule="push", Targets=[target])
    return arn


def push_to_codecommit(world: World, branch: str = "main") -> str:
    git(world.checkout, "commit", "-q", "--allow-empty", "-m", "A change")
    address = world.cloud.client("codecommit").get_repository(repositoryName="code")["repositoryMetadata"][
        "cloneUrlHttp"
    ]
    git(world.checkout, "push", "-q", address, f"HEAD:refs/heads/{branch}")
    return git(world.checkout, "rev-parse", "HEAD")


@pytest.fixture
def repository(world: World) -> World:
    world.cloud.client("codecommit").create_repository(repositoryName="code")
    return world


def test_eventbridge_starts_the_pipeline_of_a_codecommit_push(repository: World) -> None:
    """The rule that matches the push starts its target, for the pushed commit, and is named as the trigger."""
    world = repository
    arn = rule(world.cloud, "main")
    source = code_source(PollForSourceChanges="false")
    world.create(stages=[stage("Source", source), stage("Approve", approval())])
    push_to_codecommit(world, "other")
    commit = push_to_codecommit(world)

    assert [each["trigger"] for each in started(world)] == [{"triggerType": "CloudWatchEvent", "triggerDetail": arn}]
    world.token("Approve")
    variables = world.actions(world.latest())["Source"]["output"]["outputVariables"]
    assert (variables["CommitId"], variables["RepositoryName"]) == (commit, "code")
    branch = world.cloud.client("codecommit").get_branch(repositoryName="code", branchName="main")["branch"]
    assert branch["commitId"] == commit


def test_a_rule_whose_role_eventbridge_may_not_assume_starts_nothing(repository: World) -> None:
    """A target's role has to trust EventBridge, on AWS as here."""
    world = repository
    rule(world.cloud, "main", role="pipeline-triggers")
    source = code_source(PollForSourceChanges="false")
    world.create(stages=[stage("Source", source), stage("Approve", approval())])
    push_to_codecommit(world)

    assert started(world) == []


def test_a_polling_source_notices_by_itself(repository: World) -> None:
    """Without PollForSourceChanges=false a CodeCommit source polls, rule or not."""
    world = repository
    rule(world.cloud, "main")
    world.cloud.client("events").disable_rule(Name="push")
    world.create(stages=[stage("Source", code_source()), stage("Approve", approval())])
    push_to_codecommit(world)

    assert [each["trigger"]["triggerType"] for each in started(world)] == ["PollForSourceChanges"]


def test_a_pipeline_whose_variable_has_no_value_fails_when_a_push_starts_it(world: World) -> None:
    """A push brings no values, so a variable without default fails the execution and is named."""
    world.create(stage("Approve", approval()), variables=[{"name": "TICKET"}])
    world.push()

    execution = started(world)[0]
    assert execution["status"] == "Failed"
    assert "TICKET" in execution["statusSummary"]
