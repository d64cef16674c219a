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

REQUESTS_PER_SECOND = 50
BURST = 100


class ChatApi(Construct):
    """A regional API whose every operation is answered by ``function``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        stage: str,
        document: Mapping[str, Any],
        function: ChatFunction,
    ) -> None:
        super().__init__(scope, id)
        body = json.dumps(with_integration(document, uri=function.alias.invoke_arn), sort_keys=True)
        api = ApiGatewayRestApi(
            self,
            "api",
            name=name,
            body=body,
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
            triggers={"body": hashlib.sha256(body.encode()).hexdigest()},
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            depends_on=[permission],
        )
        self._stage = ApiGatewayStage(self, "stage", rest_api_id=api.id, deployment_id=deployment.id, stage_name=stage)
        self._throttle(api)
        self.url = Fn.join("", [self._stage.invoke_url, "/"])

    def _throttle(self, api: ApiGatewayRestApi) -> None:
        settings = ApiGatewayMethodSettingsSettings(
            throttling_rate_limit=REQUESTS_PER_SECOND, throttling_burst_limit=BURST, metrics_enabled=True
        )
        ApiGatewayMethodSettings(
            self,
            "throttling",
            rest_api_id=api.id,
            stage_name=self._stage.stage_name,
            method_path="*/*",
            settings=settings,
        )
