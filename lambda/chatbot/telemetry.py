"""What is told of every request, as one line of the log and as metrics: never what was said, by whom, or a token.

Metrics are in the embedded metric format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.metrics import EphemeralMetrics

    from chatbot.errors import Problem
    from chatbot.responses import Response
    from chatbot.sending import Sent

HASH_LENGTH = 16


@dataclass(frozen=True)
class Telemetry:
    """Writes the log and, unless there are none, the metrics."""

    logger: Logger
    metrics: EphemeralMetrics | None = None
    log_content: bool = False

    def answered(self, response: Response, *, seconds: float, **facts: object) -> None:
        """Tell that a request was answered."""
        milliseconds = round(seconds * 1000, 1)
        content = response.content if self.log_content else {}
        told = {"status": response.status, "duration_ms": milliseconds, **facts, **response.facts, **content}
        self.logger.info("request", extra=told)
        if self.metrics:
            self._measure(self.metrics, response.facts, milliseconds)

    def failed(self, message: str, error: Exception, **facts: object) -> None:
        """Tell of an exception: of what kind it was and where; what it says may quote what a person wrote."""
        frames = traceback.extract_tb(error.__traceback__)
        stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        self.logger.error(message, extra={"error": type(error).__name__, "stack": stack, **facts})

    def _measure(self, metrics: EphemeralMetrics, facts: Mapping[str, Any], milliseconds: float) -> None:
        if facts.get("problem") == "token_cap_reached":
            metrics.add_metric("TokenCapReached", MetricUnit.Count, 1)
        elif "responder" in facts and not facts["replayed"]:
            # Of what is 0 or 1, the average is the share of turns.
            metrics.add_metric("Unanswered", MetricUnit.Count, int(not facts["answered"]))
            metrics.add_metric("Fallback", MetricUnit.Count, int(facts["fallback"]))
            metrics.add_metric("Tokens", MetricUnit.Count, facts["tokens"])
            metrics.add_metric("TurnTime", MetricUnit.Milliseconds, milliseconds)
        else:
            return
        metrics.flush_metrics()


def hash_of(conversation_id: str) -> str:
    """Return what stands for a conversation where its id must not."""
    return sha256(conversation_id.encode(errors="replace")).hexdigest()[:HASH_LENGTH]


def facts_of(sent: Sent) -> dict[str, object]:
    """Return what is told of a turn."""
    turn = sent.turn
    return {
        "turn": turn.number,
        "responder": turn.responder,
        "answered": turn.answered,
        "fallback": turn.fallback,
        "tokens": sent.tokens,
        "replayed": sent.is_replay,
    }


def facts_of_problem(problem: Problem) -> dict[str, object]:
    """Return what is told of a refusal."""
    return {"problem": problem.code}
