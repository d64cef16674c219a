"""Real Terraform creates, re-plans, updates and destroys build projects in the emulated account."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.workshop import REGION, Workshop, trust, workshop

INLINE = "version: 0.2\nphases:\n  build:\n    commands:\n      - echo hello\n"


@pytest.fixture
def shop(tmp_path: Path):
    """A workshop of its own."""
    with workshop(tmp_path / "shop") as shop:
        yield shop


def terraform(shop: Workshop, folder: Path, *arguments: str, ok: bool = True) -> str:
    """Run Terraform against the workshop's cloud and return what it prints."""
    mirrors = [path.parents[2] for path in Path("/opt").glob("*/registry.terraform.io/hashicorp/aws")]
    settings = folder / "terraform.tfrc"
    mirror = "".join(f'filesystem_mirror {{\npath = "{path}"\n}}\n' for path in mirrors)
    settings.write_text(f"provider_installation {{\n{mirror or 'direct {}'}\n}}\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    own = {
        "AWS_ENDPOINT_URL": shop.cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": REGION,
        "TF_CLI_CONFIG_FILE": str(settings),
        "NO_PROXY": "127.0.0.1",
    }
    command = ["terraform", f"-chdir={folder}", *arguments, "-no-color"]
    done = subprocess.run(command, env=inherited | own, capture_output=True, text=True, timeout=300)
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout + done.stderr


def stack(**piped: Any) -> dict[str, Any]:
    """Return the configuration of a role, a project with everything, and one with hardly anything."""
    full = {
        "name": "full",
        "description": "builds everything",
        "service_role": "${aws_iam_role.build.arn}",
        "build_timeout": 20,
        "queued_timeout": 30,
        "concurrent_build_limit": 2,
        "encryption_key": "arn:aws:kms:eu-west-1:999988887777:key/11111111-2222-3333-4444-555555555555",
        "tags": {"Project": "demo"},
        "source": {"type": "CODEPIPELINE", "buildspec": "buildspec.yml"},
        "artifacts": {"type": "CODEPIPELINE"},
        "cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]},
        "environment": {
            "type": "ARM_CONTAINER",
            "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
            "compute_type": "BUILD_GENERAL1_SMALL",
            "environment_variable": [
                {"name": "PLAIN", "value": "1"},
                {"name": "SECRET", "value": "demo:key", "type": "SECRETS_MANAGER"},
            ],
        },
        "logs_config": {"cloudwatch_logs": {"group_name": "/demo/builds", "stream_name": "full"}},
    }
    small = {
        "name": "small",
        "service_role": "${aws_iam_role.build.arn}",
        "source": {"type": "NO_SOURCE", "buildspec": INLINE},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "compute_type": "BUILD_GENERAL1_SMALL",
        },
        "cache": {"type": "S3", "location": "bucket/cache"},
    }
    role = {"name": "build", "assume_role_policy": trust("codebuild.amazonaws.com")}
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "provider": {"aws": {"region": REGION}},
        "resource": {
            "aws_iam_role": {"build": role},
            "aws_codebuild_project": {"full": full | piped, "small": small},
        },
    }


def write(folder: Path, configuration: dict[str, Any]) -> None:
    """Write ``configuration`` as Terraform's JSON."""
    (folder / "main.tf.json").write_text(json.dumps(configuration))


def test_projects_live_their_whole_life(shop: Workshop, tmp_path: Path):
    """Created, planned again without changes, changed, planned again, built, destroyed."""
    write(tmp_path, stack())
    terraform(shop, tmp_path, "init", "-input=false")
    terraform(shop, tmp_path, "apply", "-auto-approve", "-input=false")
    assert "No changes" in terraform(shop, tmp_path, "plan", "-input=false")
    write(
        tmp_path,
        stack(
            description="builds more",
            concurrent_build_limit=None,
            build_timeout=25,
            cache={"type": "NO_CACHE"},
            tags={"Project": "more"},
        ),
    )
    assert "0 to add, 1 to change, 0 to destroy" in terraform(shop, tmp_path, "apply", "-auto-approve", "-input=false")
    assert "No changes" in terraform(shop, tmp_path, "plan", "-input=false")
    project = shop.client.batch_get_projects(names=["full"])["projects"][0]
    assert (project["description"], project["timeoutInMinutes"]) == ("builds more", 25)
    assert project["tags"] == [{"key": "Project", "value": "more"}]
    build = shop.client.start_build(projectName="small")["build"]
    assert shop.printed(shop.codebuild.wait(build["id"])) == ["hello"]
    terraform(shop, tmp_path, "destroy", "-auto-approve", "-input=false")
    assert shop.client.list_projects()["projects"] == []


def test_a_refusal_reaches_the_terminal_at_once(shop: Workshop, tmp_path: Path):
    """A project that could never build is refused by name, and Terraform does not keep trying."""
    configuration = stack(vpc_config={"vpc_id": "vpc-1", "subnets": ["s"], "security_group_ids": ["g"]})
    write(tmp_path, configuration)
    terraform(shop, tmp_path, "init", "-input=false")
    assert "project's vpcConfig" in terraform(shop, tmp_path, "apply", "-auto-approve", "-input=false", ok=False)
