"""The peer of main.py: the same resources in three environments and a pipeline, as an AWS CDK application.

Run by the peer's own environment: ``python benchmarks/peer/app.py FOLDER``.
"""

# The AWS CDK is not installed where this project's own types are checked.
# mypy: disable-error-code="import-not-found, misc"

import json
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack, Stage, pipelines
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

BUILD = Path(__file__).parents[2] / "build"
WHERE = Environment(account="123456789012", region="eu-central-1")
CONNECTION = "arn:aws:codestar-connections:eu-central-1:123456789012:connection/00000000-0000-0000-0000-000000000000"
ENVIRONMENTS = ("dev", "staging", "prod")
APPROVED = frozenset({"prod"})


class ChatbotStack(Stack):
    """One environment's chatbot."""

    def __init__(self, scope: Construct, *, environment: str) -> None:
        super().__init__(scope, "chatbot", env=WHERE)
        function = self._function(self._table(), environment)
        alias = lambda_.Alias(self, "live", alias_name="live", version=function.current_version)
        self._api(alias, environment)
        alias.metric_errors(period=Duration.minutes(5)).create_alarm(
            self,
            "errors",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "conversations",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _function(self, table: dynamodb.Table, environment: str) -> lambda_.Function:
        function = lambda_.Function(
            self,
            "function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="chatbot.handler.lambda_handler",
            code=lambda_.Code.from_asset(str(BUILD / "lambda.zip")),
            memory_size=512,
            timeout=Duration.seconds(15),
            log_group=logs.LogGroup(self, "logs", retention=logs.RetentionDays.ONE_MONTH),
            environment={"TABLE_NAME": table.table_name, "ENVIRONMENT": environment, "BOT_NAME": "Parley"},
        )
        table.grant_read_write_data(function)
        return function

    def _api(self, alias: lambda_.Alias, environment: str) -> None:
        document = json.loads((BUILD / "openapi.json").read_text())
        uri = f"arn:aws:apigateway:{self.region}:lambda:path/2015-03-31/functions/{alias.function_arn}/invocations"
        api = apigateway.SpecRestApi(
            self,
            "api",
            api_definition=apigateway.ApiDefinition.from_inline(_integrated(document, uri)),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            deploy_options=apigateway.StageOptions(
                stage_name=environment, throttling_rate_limit=50, throttling_burst_limit=100, metrics_enabled=True
            ),
        )
        alias.add_permission(
            "api",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=api.arn_for_execute_api(),
        )


class ChatbotStage(Stage):
    """One environment, as the pipeline deploys it."""

    def __init__(self, scope: Construct, environment: str) -> None:
        super().__init__(scope, environment, env=WHERE)
        ChatbotStack(self, environment=environment)


class PipelineStack(Stack):
    """The pipeline that delivers every environment."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "pipeline", env=WHERE)
        source = pipelines.CodePipelineSource.connection("your-team/parley", "main", connection_arn=CONNECTION)
        synth = pipelines.ShellStep("synth", input=source, commands=["make synth"])
        pipeline = pipelines.CodePipeline(self, "pipeline", pipeline_name="parley", synth=synth)
        for environment in ENVIRONMENTS:
            before = [pipelines.ManualApprovalStep("approve")] if environment in APPROVED else []
            pipeline.add_stage(ChatbotStage(self, environment), pre=before)


def _integrated(document: dict[str, Any], uri: str) -> dict[str, Any]:
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri}
    for item in document["paths"].values():
        for method in item.keys() & {"get", "post"}:
            item[method]["x-amazon-apigateway-integration"] = integration
    return document


app = App(outdir=sys.argv[1])
PipelineStack(app)
app.synth()
