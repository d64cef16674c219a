"""ChatApi: the REST API, made from the chatbot's own OpenAPI document."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cdktf import Fn, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.api_gateway_deployment import ApiGatewayDeployment
from cdktf_cdktf_provider_aws.api_gateway_method_settings import (
    ApiGatewayMethodSettings,
    ApiGatewayMethodSettingsSettings,
)
from cdktf_cdktf_provider_aws.api_gateway_rest_api import ApiGatewayRestApi, ApiGatewayRestApiEndpointConfiguration
from cdktf_cdktf_provider_aws.api_gateway_stage import ApiGatewayStage
from cdktf_cdktf_provider_aws.lambda_permission import LambdaPermission
from constructs import Construct

from stacks.chatbot.function import ChatFunction
from stacks.chatbot.openapi import with_integration
from stacks.project import Environment


class ChatApi(Construct):
    """A regional API whose every operation is answered by ``function``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        environment: Environment,
        document: Mapping[str, Any],
        function: ChatFunction,
    ) -> None:
        super().__init__(scope, id)
        api = ApiGatewayRestApi(
            self,
            "api",
            name=name,
            body=_body(document, environment, uri=function.alias.invoke_arn),
            endpoint_configuration=ApiGatewayRestApiEndpointConfiguration(types=["REGIONAL"]),
        )
        permission = LambdaPermission(
            self,
            "permission",
            action="lambda:InvokeFunction",
            function_name=function.name,
            qualifier=function.alias.name,
            principal="apigateway.amazonaws.com",
            source_arn=f"{api.execution_arn}/*",
        )
        deployment = ApiGatewayDeployment(
            self,
            "deployment",
            rest_api_id=api.id,
            # Of the document alone: until Terraform runs, the function's ARN is a token whose number may differ.
            triggers={"body": hashlib.sha256(_body(document, environment, uri="").encode()).hexdigest()},
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            depends_on=[permission],
        )
        self._stage = ApiGatewayStage(
            self, "stage", rest_api_id=api.id, deployment_id=deployment.id, stage_name=environment.name
        )
        self._throttle(api, environment)
        self.name = name
        self.stage = environment.name
        self.url = Fn.join("", [self._stage.invoke_url, "/"])

    def _throttle(self, api: ApiGatewayRestApi, environment: Environment) -> None:
        settings = ApiGatewayMethodSettingsSettings(
            throttling_rate_limit=environment.requests_per_second,
            throttling_burst_limit=environment.burst,
            metrics_enabled=True,
        )
        ApiGatewayMethodSettings(
            self,
            "throttling",
            rest_api_id=api.id,
            stage_name=self._stage.stage_name,
            method_path="*/*",
            settings=settings,
        )


def _body(document: Mapping[str, Any], environment: Environment, *, uri: str) -> str:
    return json.dumps(with_integration(document, uri=uri, origins=environment.allowed_origins), sort_keys=True)
