"""EventBridge's default bus: events of AWS services, matched against moto's rules and delivered to what runs here."""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.backends import get_backend

from rehearsal.identity import trusts
from rehearsal.transform import transformed

LOG = logging.getLogger(__name__)
RUN_HERE = ("codepipeline", "codebuild")
"""Services whose targets need a role, and somebody who starts them."""


@dataclass(frozen=True)
class Match:
    """A rule that matched an event, the ARN of what it targets, and what the target is given."""

    rule: str
    target: str
    input: Any


Start = Callable[[Match], None]


def event(
    source: str, detail_type: str, *, account: str, region: str, resources: list[str], detail: dict[str, Any]
) -> dict[str, Any]:
    """Return an event as AWS's services send it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def deliver(event: dict[str, Any], starts: Mapping[str, Start]) -> None:
    """Give ``event`` to every enabled rule of its account and region that matches it.

    What runs here is started by ``starts``, by service; other targets are moto's, and what cannot be reached is logged
    by name. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    bus = get_backend("events")[event["account"]][event["region"]].event_buses["default"]
    for rule in list(bus.rules.values()):
        # Rules on a schedule have no pattern, and an empty pattern matches whatever it is shown.
        if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
            continue
        if not rule.event_pattern.matches_event(event):
            continue
        for target in rule.targets:
            service = target["Arn"].split(":")[2]
            if service in RUN_HERE:
                _start(Match(rule.arn, target["Arn"], transformed(target, event)), target, starts.get(service))
        _deliver_elsewhere(rule, event)


def _start(match: Match, target: dict[str, Any], start: Start | None) -> None:
    rule = match.rule.rpartition("/")[2]
    if start is None:
        LOG.warning("rule %s: the rehearsal does not start %s for such an event", rule, match.target)
    elif not trusts(target.get("RoleArn", ""), "events.amazonaws.com", source_arn=match.rule):
        LOG.warning("rule %s cannot start %s: its target needs a role that EventBridge may assume", rule, match.target)
    else:
        start(match)


def _deliver_elsewhere(rule: Any, event: dict[str, Any]) -> None:
    elsewhere = [target for target in rule.targets if target["Arn"].split(":")[2] not in RUN_HERE]
    if not elsewhere:
        return
    every, rule.targets = rule.targets, elsewhere
    try:
        rule.send_to_targets(event | {"time": time.time(), "ingestion-time": time.time()})
    except NotImplementedError as error:
        LOG.warning("rule %s: the rehearsal does not deliver to this target: %s", rule.name, error)
    finally:
        rule.targets = every
