"""ChatAlarms: what wakes someone up."""

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from constructs import Construct

from stacks.chatbot.function import ChatFunction

WINDOW_SECONDS = 300


class ChatAlarms(Construct):
    """An alarm on the function's errors."""

    def __init__(self, scope: Construct, id: str, *, name: str, function: ChatFunction) -> None:
        super().__init__(scope, id)
        CloudwatchMetricAlarm(
            self,
            "errors",
            alarm_name=name,
            alarm_description="The chatbot's function failed; its log group says why.",
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions={"FunctionName": function.name, "Resource": f"{function.name}:{function.alias.name}"},
            statistic="Sum",
            period=WINDOW_SECONDS,
            evaluation_periods=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            treat_missing_data="notBreaching",
        )
