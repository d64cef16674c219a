"""What is measured of one environment's chatbot: by AWS, and by the function itself (`chatbot.telemetry`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.chatbot.api import ChatApi
from stacks.chatbot.function import ChatFunction

PERIOD_SECONDS = 300


@dataclass(frozen=True)
class Metric:
    """One metric, and how its values in a period become one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str


@dataclass(frozen=True)
class Metrics:
    """Every metric that an alarm or the dashboard looks at; ``namespace`` is that of the function's own."""

    namespace: str
    function: ChatFunction
    api: ChatApi

    def of_bot(self, name: str, statistic: str) -> Metric:
        """What the function says of its turns."""
        return Metric(self.namespace, name, {"service": self.function.name}, statistic)

    def of_function(self, name: str, statistic: str) -> Metric:
        """What Lambda says of the live function.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        """
        live = {"FunctionName": self.function.name, "Resource": f"{self.function.name}:{self.function.alias.name}"}
        return Metric("AWS/Lambda", name, live, statistic)

    def of_api(self, name: str, statistic: str) -> Metric:
        """What API Gateway says of the stage.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
        """
        return Metric("AWS/ApiGateway", name, {"ApiName": self.api.name, "Stage": self.api.stage}, statistic)
