"""ChatAlarms: what wakes someone up."""

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from constructs import Construct

from stacks.chatbot.metrics import PERIOD_SECONDS, Metric, Metrics
from stacks.project import Environment, Project

SLOW_MILLISECONDS = 2_000
SLOW_MODEL_MILLISECONDS = 15_000
FALLBACK_SHARE = 0.2


@dataclass(frozen=True)
class Alarm:
    """A metric that must stay below a threshold, for so many of so many periods."""

    what: str
    metric: Metric
    threshold: float
    periods: int = 1


class ChatAlarms(Construct):
    """Alarms on errors, slowness, refusals for load, and what a model costs or fails at; each has its own name."""

    def __init__(
        self, scope: Construct, id: str, *, project: Project, environment: Environment, metrics: Metrics
    ) -> None:
        super().__init__(scope, id)
        for part, alarm in _alarms(metrics, environment).items():
            percentile = alarm.metric.statistic.startswith("p")
            CloudwatchMetricAlarm(
                self,
                part,
                alarm_name=project.resource_name(part, environment),
                alarm_description=alarm.what,
                namespace=alarm.metric.namespace,
                metric_name=alarm.metric.name,
                dimensions=dict(alarm.metric.dimensions),
                statistic=None if percentile else alarm.metric.statistic,
                extended_statistic=alarm.metric.statistic if percentile else None,
                period=PERIOD_SECONDS,
                evaluation_periods=alarm.periods,
                comparison_operator="GreaterThanOrEqualToThreshold",
                threshold=alarm.threshold,
                treat_missing_data="notBreaching",
                alarm_actions=list(environment.alarm_topics) or None,
                ok_actions=list(environment.alarm_topics) or None,
            )


def _alarms(metrics: Metrics, environment: Environment) -> dict[str, Alarm]:
    slow = SLOW_MODEL_MILLISECONDS if environment.model else SLOW_MILLISECONDS
    found = {
        "errors": Alarm(
            "The chatbot's function failed; its log group says why.", metrics.of_function("Errors", "Sum"), 1
        ),
        "faults": Alarm(
            "The API answered 5xx; the log's lines with that status say why.", metrics.of_api("5XXError", "Sum"), 1
        ),
        "latency": Alarm(
            f"One answer in twenty takes {slow / 1000:g} s or more.", metrics.of_api("Latency", "p95"), slow, periods=3
        ),
        "throttles": Alarm(
            "Lambda turned invocations away: raise the account's concurrency, or lower requests_per_second.",
            metrics.of_function("Throttles", "Sum"),
            1,
        ),
    }
    if environment.model is None:
        return found
    return found | {
        "fallback": Alarm(
            f"The model failed for {FALLBACK_SHARE:.0%} of the turns, and the knowledge answered instead.",
            metrics.of_bot("Fallback", "Average"),
            FALLBACK_SHARE,
            periods=3,
        ),
        "tokens": Alarm(
            "The day's tokens are spent: the bot refuses messages until midnight (UTC), or daily_tokens is raised.",
            metrics.of_bot("TokenCapReached", "Sum"),
            1,
        ),
    }
