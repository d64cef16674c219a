"""ChatDashboard: one environment's chatbot at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_aws.cloudwatch_dashboard import CloudwatchDashboard
from constructs import Construct

from stacks import policies
from stacks.chatbot.metrics import PERIOD_SECONDS, Metric, Metrics

# A dashboard is 24 units wide.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
COLUMNS, WIDTH, HEIGHT = 3, 8, 6


@dataclass(frozen=True)
class Graph:
    """Some metrics in one picture."""

    title: str
    metrics: Sequence[Metric]
    is_share: bool = False


class ChatDashboard(Construct):
    """Traffic, errors, time, and what became of the questions."""

    def __init__(self, scope: Construct, id: str, *, name: str, region: str, metrics: Metrics) -> None:
        super().__init__(scope, id)
        graphs = enumerate(_graphs(metrics))
        body = {"widgets": [_widget(graph, position=position, region=region) for position, graph in graphs]}
        CloudwatchDashboard(self, "dashboard", dashboard_name=name, dashboard_body=policies.compact(body))


def _graphs(of: Metrics) -> tuple[Graph, ...]:
    return (
        Graph("Requests", [of.of_api("Count", "Sum"), of.of_api("4XXError", "Sum"), of.of_api("5XXError", "Sum")]),
        Graph("Time of an answer, ms", [of.of_api("Latency", each) for each in ("p50", "p95", "p99")]),
        Graph("Function", [of.of_function(name, "Sum") for name in ("Invocations", "Errors", "Throttles")]),
        Graph("Turns", [of.of_bot("Unanswered", "SampleCount"), of.of_bot("Unanswered", "Sum")]),
        Graph(
            "Share unanswered, and of fallbacks",
            [of.of_bot("Unanswered", "Average"), of.of_bot("Fallback", "Average")],
            is_share=True,
        ),
        Graph("Tokens", [of.of_bot("Tokens", "Sum"), of.of_bot("TokenCapReached", "Sum")]),
    )


def _widget(graph: Graph, *, position: int, region: str) -> dict[str, Any]:
    row, column = divmod(position, COLUMNS)
    return {
        "type": "metric",
        "x": column * WIDTH,
        "y": row * HEIGHT,
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": graph.title,
            "region": region,
            "period": PERIOD_SECONDS,
            "metrics": [_line(metric) for metric in graph.metrics],
            "yAxis": {"left": {"min": 0} | ({"max": 1} if graph.is_share else {})},
        },
    }


def _line(metric: Metric) -> list[Any]:
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *dimensions, {"stat": metric.statistic}]
