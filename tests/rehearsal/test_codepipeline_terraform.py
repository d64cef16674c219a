"""Real Terraform creates, re-plans, updates and destroys pipelines and connections in the emulated account."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud import Cloud
from rehearsal.codebuild import BuildRequest, BuildResult
from rehearsal.codecommit import CodeCommit
from rehearsal.codepipeline import CodePipeline
from rehearsal.connections import Connections
from rehearsal.repositories import Repositories

ACCOUNT, REGION = "222233334444", "eu-central-1"


class NoBuilds:
    """Refuses every build: Terraform is to deploy pipelines here, not to run them."""

    def start(self, request: BuildRequest) -> str:
        raise NotImplementedError(request.project)

    def wait(self, build_id: str) -> BuildResult:
        raise NotImplementedError(build_id)

    def stop(self, build_id: str) -> None:
        raise NotImplementedError(build_id)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with Cloud(account=ACCOUNT, region=REGION) as running:
        repositories = Repositories(tmp_path / "git")
        with CodePipeline(running, NoBuilds(), repositories) as codepipeline:
            codecommit = CodeCommit(running, repositories, codepipeline)
            running.add([codepipeline, codecommit, *Connections().under_both_names()])
            yield running


def terraform(cloud: Cloud, folder: Path, *arguments: str) -> str:
    mirrors = [path.parents[2] for path in Path("/opt").glob("*/registry.terraform.io/hashicorp/aws")]
    settings = folder / "terraform.tfrc"
    mirror = "".join(f'filesystem_mirror {{\npath = "{path}"\n}}\n' for path in mirrors)
    settings.write_text(f"provider_installation {{\n{mirror or 'direct {}'}\n}}\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    own = {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": REGION,
        "TF_CLI_CONFIG_FILE": str(settings),
        "NO_PROXY": "127.0.0.1",
    }
    command = ["terraform", f"-chdir={folder}", *arguments, "-no-color"]
    done = subprocess.run(command, env=inherited | own, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rule(variable: str) -> dict[str, Any]:
    return {
        "name": "changes",
        "rule_type_id": {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
        "configuration": {"Variable": variable, "Operator": "EQ", "Value": "true"},
    }


def action(name: str, category: str, provider: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "category": category, "owner": "AWS", "provider": provider, "version": "1"} | more


def stack(*, custom_data: str = "plan #{plan.SUMMARY}", mode: str = "SUPERSEDED") -> dict[str, Any]:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["codepipeline.amazonaws.com"]}}
        ],
    }
    source = {
        "ConnectionArn": "${aws_codestarconnections_connection.git.arn}",
        "FullRepositoryId": "acme/parley",
        "BranchName": "main",
        "OutputArtifactFormat": "CODE_ZIP",
        "DetectChanges": "true",
    }
    plan = action(
        "plan",
        "Build",
        "CodeBuild",
        input_artifacts=["source"],
        output_artifacts=["plan"],
        namespace="plan",
        timeout_in_minutes=30,
        configuration={
            "ProjectName": "plan",
            "EnvironmentVariables": json.dumps(
                [{"name": "WHO", "value": "#{variables.UPDATED_BY}", "type": "PLAINTEXT"}]
            ),
        },
    )
    approve = action("approve", "Approval", "Manual", configuration={"CustomData": custom_data}, timeout_in_minutes=60)
    pipeline = {
        "name": "shop",
        "role_arn": "${aws_iam_role.pipeline.arn}",
        "pipeline_type": "V2",
        "execution_mode": mode,
        "artifact_store": {"location": "${aws_s3_bucket.artifacts.bucket}", "type": "S3"},
        "variable": [{"name": "UPDATED_BY", "default_value": "none", "description": "Who updated"}],
        "stage": [
            {
                "name": "Source",
                "action": action(
                    "Source",
                    "Source",
                    "CodeStarSourceConnection",
                    output_artifacts=["source"],
                    namespace="source",
                    configuration=source,
                ),
            },
            {
                "name": "Plan",
                "action": plan,
                "on_failure": {"result": "RETRY", "retry_configuration": {"retry_mode": "ALL_ACTIONS"}},
            },
            {
                "name": "Approve",
                "before_entry": {"condition": {"result": "SKIP", "rule": rule("#{plan.HAS_CHANGES}")}},
                "action": approve,
            },
        ],
        "tags": {"Project": "shop"},
    }
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "provider": {"aws": {"region": REGION}},
        "resource": {
            "aws_codestarconnections_connection": {
                "git": {"name": "git", "provider_type": "GitHub", "tags": {"a": "b"}}
            },
            "aws_codeconnections_connection": {"newer": {"name": "newer", "provider_type": "GitLab"}},
            "aws_codecommit_repository": {
                "code": {"repository_name": "code", "description": "Code", "tags": {"a": "b"}}
            },
            "aws_iam_role": {"pipeline": {"name": "pipeline", "assume_role_policy": json.dumps(trust)}},
            "aws_s3_bucket": {"artifacts": {"bucket": "artifacts-terraform"}},
            "aws_codepipeline": {"shop": pipeline},
        },
    }


def test_terraform_applies_replans_updates_and_destroys_a_pipeline(cloud: Cloud, tmp_path: Path) -> None:
    """A V2 pipeline with variables, conditions, retry and approval round-trips: its second plan has no changes."""
    folder = tmp_path / "stack"
    folder.mkdir()
    main = folder / "main.tf.json"
    main.write_text(json.dumps(stack()))
    terraform(cloud, folder, "init")
    terraform(cloud, folder, "apply", "-auto-approve")
    assert "No changes" in terraform(cloud, folder, "plan")
    api = cloud.client("codepipeline")
    stages = api.get_pipeline(name="shop")["pipeline"]["stages"]
    assert stages[2]["beforeEntry"]["conditions"][0]["result"] == "SKIP"
    assert len(api.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]) == 1

    main.write_text(json.dumps(stack(custom_data="read #{plan.SUMMARY}", mode="QUEUED")))
    terraform(cloud, folder, "apply", "-auto-approve")
    assert "No changes" in terraform(cloud, folder, "plan")
    assert api.get_pipeline(name="shop")["pipeline"]["version"] == 2

    terraform(cloud, folder, "destroy", "-auto-approve")
    assert api.list_pipelines()["pipelines"] == []
    assert cloud.client("codestar-connections").list_connections()["Connections"] == []
