"""EventBridge's default bus: events of AWS services, matched against moto's rules and delivered to pipelines."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend

from rehearsal.identity import trusts

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Match:
    """A rule that matched an event, and the ARN of a pipeline that it targets."""

    rule: str
    target: str


def deliver(event: dict[str, Any], start: Callable[[Match], None]) -> None:
    """Give ``event`` to every enabled rule of its account and region that matches it.

    Pipelines are started by ``start``; other targets are moto's, and what moto cannot reach is logged by name.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    bus = get_backend("events")[event["account"]][event["region"]].event_buses["default"]
    for rule in list(bus.rules.values()):
        # Rules on a schedule have no pattern, and an empty pattern matches whatever it is shown.
        if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
            continue
        if not rule.event_pattern.matches_event(event):
            continue
        for target in rule.targets:
            if target["Arn"].split(":")[2] == "codepipeline":
                _start(Match(rule.arn, target["Arn"]), target.get("RoleArn", ""), start)
        _deliver_elsewhere(rule, event)


def _start(match: Match, role: str, start: Callable[[Match], None]) -> None:
    if not role or not trusts(role, "events.amazonaws.com", source_arn=match.rule):
        LOG.warning("rule %s cannot start %s: its target needs a role that EventBridge may assume", *_names(match))
        return
    start(match)


def _names(match: Match) -> tuple[str, str]:
    return match.rule.rpartition("/")[2], match.target


def _deliver_elsewhere(rule: Any, event: dict[str, Any]) -> None:
    elsewhere = [target for target in rule.targets if target["Arn"].split(":")[2] != "codepipeline"]
    if not elsewhere:
        return
    every, rule.targets = rule.targets, elsewhere
    try:
        rule.send_to_targets(event)
    except NotImplementedError as error:
        LOG.warning("rule %s: the rehearsal does not deliver to this target: %s", rule.name, error)
    finally:
        rule.targets = every
