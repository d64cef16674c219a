"""Makes the greeter's pipeline: build, greet dev, ask, greet prod; run again, it changes nothing."""

import io
import json
import os
import zipfile
from pathlib import Path

import boto3

ENVIRONMENTS = ("dev", "prod")
INLINE = """\
version: 0.2
phases:
  build:
    commands:
      - sh deploy.sh
"""
HANDLER = """\
import os
def handler(event, context):
    return {"statusCode": 200, "body": os.environ["ENVIRONMENT"] + " is greeted"}
"""


def main():
    if os.environ.get("GREETER") == "absent":
        raise SystemExit("the greeter cannot come today")
    account = boto3.client("sts").get_caller_identity()["Account"]
    names = [pipeline["name"] for pipeline in boto3.client("codepipeline").list_pipelines()["pipelines"]]
    if "greeter" in names:
        print("nothing to do")
        return
    boto3.client("s3").create_bucket(
        Bucket="greeter-artifacts", CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_REGION"]}
    )
    roles = {service: role(service) for service in ("codebuild", "codepipeline", "lambda")}
    project("greeter-build", roles["codebuild"])
    project("greeter-deploy", roles["codebuild"], INLINE)
    for environment in ENVIRONMENTS:
        api(environment, account, roles["lambda"])
    connection = boto3.client("codeconnections").create_connection(ConnectionName="greeter", ProviderType="GitHub")
    definition = pipeline(roles["codepipeline"], connection["ConnectionArn"])
    boto3.client("codepipeline").create_pipeline(pipeline=definition)
    print("the greeter has a pipeline")


def role(service):
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client = boto3.client("iam")
    made = client.create_role(RoleName=f"greeter-{service}", AssumeRolePolicyDocument=json.dumps(policy))
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    client.put_role_policy(
        RoleName=f"greeter-{service}", PolicyName="everything", PolicyDocument=json.dumps(everything)
    )
    return made["Role"]["Arn"]


def project(name, role_arn, buildspec="buildspec.yml"):
    boto3.client("codebuild").create_project(
        name=name,
        serviceRole=role_arn,
        source={"type": "CODEPIPELINE", "buildspec": buildspec},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [{"name": "NOTE", "value": str(Path("../note").resolve())}],
        },
    )


def api(environment, account, role_arn):
    region = os.environ["AWS_REGION"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("greeter.py", HANDLER)
    function = boto3.client("lambda").create_function(
        FunctionName=f"greeter-{environment}",
        Runtime="python3.13",
        Role=role_arn,
        Handler="greeter.handler",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"ENVIRONMENT": environment}},
    )["FunctionArn"]
    boto3.client("lambda").add_permission(
        FunctionName=function, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    uri = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri}
    operation = {"responses": {"200": {"description": "a greeting"}}, "x-amazon-apigateway-integration": integration}
    info = {"title": "greeter", "version": "1", "description": "says who is greeted"}
    document = {"openapi": "3.0.1", "info": info, "paths": {"/": {"get": operation}}}
    client = boto3.client("apigateway")
    made = client.create_rest_api(name=f"greeter-{environment}", tags={"Environment": environment})
    client.put_rest_api(restApiId=made["id"], mode="overwrite", body=json.dumps(document))
    client.create_deployment(restApiId=made["id"], stageName=environment)


def action(name, category, provider, configuration, **further):
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, "configuration": configuration} | further


def deployment(environment):
    values = {"ENVIRONMENT": environment, "EXECUTION": "#{codepipeline.PipelineExecutionId}"}
    variables = [{"name": name, "value": value} for name, value in values.items()]
    configuration = {"ProjectName": "greeter-deploy", "EnvironmentVariables": json.dumps(variables)}
    deploy = action("Greet", "Build", "CodeBuild", configuration, inputArtifacts=[{"name": "built"}])
    return {"name": f"{environment}-deploy", "actions": [deploy]}


def unless_quiet():
    check = {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"}
    configuration = {"Variable": "#{build.GREETING}", "Operator": "NE", "Value": "Quiet"}
    return {"result": "SKIP", "rules": [{"name": "Loud", "ruleTypeId": check, "configuration": configuration}]}


def pipeline(role_arn, connection):
    source = {"ConnectionArn": connection, "FullRepositoryId": "acme/greeter", "BranchName": "main"}
    stages = {
        "Source": action("Fetch", "Source", "CodeStarSourceConnection", source, outputArtifacts=[{"name": "source"}]),
        "Build": action(
            "Build",
            "Build",
            "CodeBuild",
            {"ProjectName": "greeter-build"},
            namespace="build",
            inputArtifacts=[{"name": "source"}],
            outputArtifacts=[{"name": "built"}],
        ),
        "prod-approve": action(
            "Approve",
            "Approval",
            "Manual",
            {"CustomData": "Shall prod hear '#{build.GREETING}'?", "ExternalEntityLink": "https://example.com/review"},
        ),
    }
    single = {name: {"name": name, "actions": [action]} for name, action in stages.items()}
    single["prod-approve"]["beforeEntry"] = {"conditions": [unless_quiet()]}
    return {
        "name": "greeter",
        "roleArn": role_arn,
        "pipelineType": "V2",
        "executionMode": "SUPERSEDED",
        "artifactStore": {"type": "S3", "location": "greeter-artifacts"},
        "stages": [
            single["Source"],
            single["Build"],
            deployment("dev"),
            single["prod-approve"],
            deployment("prod"),
        ],
    }


if __name__ == "__main__":
    main()
