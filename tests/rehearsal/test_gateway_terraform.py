"""Real Terraform deploys a function behind a REST API from a document, and finds nothing left to change."""

import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from rehearsal.cloud import Cloud
from rehearsal.functions import Functions
from rehearsal.gateway import Gateway

ACCOUNT, REGION = "444455556666", "eu-west-1"
SOURCE = "def handler(event, context): return {'statusCode': 200, 'body': %r + event['resource']}"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with Cloud(account=ACCOUNT, region=REGION) as cloud:
        functions = Functions(cloud, tmp_path / "rehearsal")
        cloud.routes += [functions, Gateway(cloud, functions)]
        yield cloud
        functions.close()


class Project:
    """A folder with one Terraform configuration, applied to the cloud."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        folder.mkdir()
        self.write(paths=["/"], answer="one ")
        self.terraform("init")

    def terraform(self, *arguments: str) -> str:
        mirrors = [path.parents[2] for path in Path("/opt").glob("*/registry.terraform.io/hashicorp/aws")]
        settings = self.folder / "terraform.tfrc"
        mirror = "".join(f'filesystem_mirror {{\npath = "{path}"\n}}\n' for path in mirrors)
        settings.write_text(f"provider_installation {{\n{mirror or 'direct {}'}\n}}\n")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        own = {
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_REGION": REGION,
            "TF_CLI_CONFIG_FILE": str(settings),
            "NO_PROXY": "127.0.0.1",
        }
        command = ["terraform", f"-chdir={self.folder}", *arguments, "-no-color"]
        done = subprocess.run(command, env=inherited | own, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, *, paths: list[str], answer: str) -> None:
        with zipfile.ZipFile(self.folder / "code.zip", "w") as archive:
            archive.writestr("index.py", SOURCE % answer)
        (self.folder / "main.tf.json").write_text(json.dumps(stack(paths)))

    @property
    def url(self) -> str:
        id_ = json.loads(self.terraform("output", "-json"))["api"]["value"]
        return f"{self.cloud.endpoint}/execute-api/{id_}/dev"


def document(paths: list[str]) -> str:
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": "${aws_lambda_alias.live.invoke_arn}"}
    operation = {
        "x-amazon-apigateway-integration": integration,
        "responses": {"200": {"description": "fine"}},
        "parameters": [{"in": "header", "name": "X-Tenant", "required": True, "schema": {"type": "string"}}],
    }
    api = {
        "openapi": "3.0.1",
        "info": {"title": "greeter", "version": "1"},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {
            "DEFAULT_4XX": {
                "responseTemplates": {"application/json": '{"title": $context.error.messageString}'},
                "responseParameters": {"gatewayresponse.header.Content-Type": "'application/problem+json'"},
            }
        },
        "paths": {path: {"get": operation} for path in paths},
    }
    return json.dumps(api)


def stack(paths: list[str]) -> dict[str, Any]:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
    resources = {
        "aws_iam_role": {"greeter": {"name": "greeter", "assume_role_policy": json.dumps(trust)}},
        "aws_cloudwatch_log_group": {"greeter": {"name": "/aws/lambda/greeter", "retention_in_days": 7}},
        "aws_lambda_function": {
            "greeter": {
                "function_name": "greeter",
                "role": "${aws_iam_role.greeter.arn}",
                "runtime": "python3.13",
                "handler": "index.handler",
                "architectures": ["arm64"],
                "filename": "${path.module}/code.zip",
                "source_code_hash": '${filebase64sha256("${path.module}/code.zip")}',
                "publish": True,
            }
        },
        "aws_lambda_alias": {
            "live": {
                "name": "live",
                "function_name": "${aws_lambda_function.greeter.function_name}",
                "function_version": "${aws_lambda_function.greeter.version}",
            }
        },
        "aws_lambda_permission": {
            "api": {
                "function_name": "${aws_lambda_function.greeter.function_name}",
                "qualifier": "${aws_lambda_alias.live.name}",
                "action": "lambda:InvokeFunction",
                "principal": "apigateway.amazonaws.com",
                "source_arn": "${aws_api_gateway_rest_api.api.execution_arn}/*/*",
            }
        },
        "aws_api_gateway_rest_api": {"api": {"name": "greeter", "body": document(paths)}},
        "aws_api_gateway_deployment": {
            "api": {
                "rest_api_id": "${aws_api_gateway_rest_api.api.id}",
                "triggers": {"document": "${sha256(aws_api_gateway_rest_api.api.body)}"},
                "lifecycle": {"create_before_destroy": True},
            }
        },
        "aws_api_gateway_stage": {
            "dev": {
                "rest_api_id": "${aws_api_gateway_rest_api.api.id}",
                "deployment_id": "${aws_api_gateway_deployment.api.id}",
                "stage_name": "dev",
            }
        },
        "aws_api_gateway_method_settings": {
            "all": {
                "rest_api_id": "${aws_api_gateway_rest_api.api.id}",
                "stage_name": "${aws_api_gateway_stage.dev.stage_name}",
                "method_path": "*/*",
                "settings": {"throttling_rate_limit": 0.001, "throttling_burst_limit": 4, "metrics_enabled": True},
            }
        },
    }
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "provider": {"aws": {}},
        "resource": resources,
        "output": {"api": {"value": "${aws_api_gateway_rest_api.api.id}"}},
    }


def test_an_api_from_a_document_is_deployed_and_changed(cloud: Cloud, tmp_path: Path) -> None:
    """Applying, planning again, serving, throttling, changing code and document, and destroying all work."""
    project = Project(cloud, tmp_path / "project")
    project.terraform("apply", "-auto-approve")
    assert "No changes." in project.terraform("plan", "-detailed-exitcode")

    url, tenant = project.url, {"X-Tenant": "t"}
    assert requests.get(f"{url}/", headers=tenant, timeout=20).text == "one /"
    refused = requests.get(f"{url}/", timeout=20)
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")
    assert refused.json() == {"title": "Missing required request parameters: [X-Tenant]"}
    statuses = [requests.get(f"{url}/", headers=tenant, timeout=20).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]

    project.write(paths=["/", "/new"], answer="two ")
    project.terraform("apply", "-auto-approve")
    assert "No changes." in project.terraform("plan", "-detailed-exitcode")
    assert requests.get(f"{url}/new", headers=tenant, timeout=20).text == "two /new"

    project.terraform("destroy", "-auto-approve")
    assert requests.get(f"{url}/", headers=tenant, timeout=20).status_code == 403
