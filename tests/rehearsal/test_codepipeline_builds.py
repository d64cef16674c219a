"""The whole way with real parts: a push, a real build of the pushed files, and its artifact in the next one."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

from rehearsal.codebuild import CodeBuild
from rehearsal.codepipeline import CodePipeline
from tests.rehearsal.pipelines import REGION, World, account, build, environment, pipelines, stage
from tests.rehearsal.workshop import Offline, trust

FIRST = """
version: 0.2
env: {exported-variables: [GREETING]}
phases: {build: {commands: ['GREETING="hello $VALUE"', 'echo "$GREETING" > greeting.txt', 'cat file.txt']}}
artifacts: {files: [greeting.txt]}
"""
SECOND = """
version: 0.2
env: {exported-variables: [READ]}
phases:
  build:
    commands:
      - READ="$(cat greeting.txt)/$VALUE/$CODEBUILD_INITIATOR/$CODEBUILD_RESOLVED_SOURCE_VERSION"
"""
MACHINE = {
    "type": "LINUX_CONTAINER",
    "image": "aws/codebuild/standard:7.0",
    "computeType": "BUILD_GENERAL1_SMALL",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("builds")
    with account("builds") as cloud:
        policy = trust("codebuild.amazonaws.com")
        role = cloud.client("iam").create_role(RoleName="builder-for-pipelines", AssumeRolePolicyDocument=policy)
        codebuild = CodeBuild(cloud, folder / "cloud", Offline())
        cloud.add([codebuild])
        for name, buildspec in (("first", FIRST), ("second", SECOND)):
            cloud.client("codebuild").create_project(
                name=name,
                source={"type": "CODEPIPELINE", "buildspec": buildspec},
                artifacts={"type": "CODEPIPELINE"},
                environment=MACHINE,
                serviceRole=role["Role"]["Arn"],
            )
        with pipelines(cloud, "builds", folder) as world:
            service = CodePipeline(cloud, codebuild, world.repositories)
            cloud.add([service])
            try:
                yield world
            finally:
                service.close()
                codebuild.close()


def test_a_push_is_built_and_the_artifact_is_used_by_the_next_build(world: World) -> None:
    """Files, exported variables, the commit and the log travel between real builds as on AWS."""
    commit = world.push("pushed text")
    branch = {"EnvironmentVariables": environment("#{source.BranchName}")}
    greeting = {"EnvironmentVariables": environment("#{first.GREETING}")}
    execution = world.create(
        stage("One", build("first", outputs=("made",), namespace="first", configuration=branch)),
        stage("Two", build("second", inputs=("made",), namespace="second", configuration=greeting)),
    )

    world.ends(execution, "Succeeded")
    actions = world.actions(execution)
    read = actions["second"]["output"]["outputVariables"]["READ"]
    assert read == f"hello main/hello main/codepipeline/shop/{commit}"
    result = actions["first"]["output"]["executionResult"]
    assert "pushed text" in Path(urlparse(result["externalExecutionUrl"]).path).read_text()
    found = world.cloud.client("codebuild", region=REGION).batch_get_builds(ids=[result["externalExecutionId"]])
    assert found["builds"][0]["buildStatus"] == "SUCCEEDED"


def test_a_project_that_does_not_exist_fails_the_action_by_name(world: World) -> None:
    """The error says which project CodeBuild does not know."""
    world.api.delete_pipeline(name="shop")
    world.push()
    execution = world.create(stage("One", build("missing")))

    world.ends(execution, "Failed")
    error = world.actions(execution)["missing"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "ConfigurationError"
    assert "missing" in error["message"]
