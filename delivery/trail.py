"""Who changed a resource, as far as CloudTrail tells.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from delivery.aws import client_as, code
from delivery.project import Stack

Json = dict[str, Any]

NAMED_BY: Final = ("arn", "function_name", "alarm_name", "name", "bucket", "id")
"""Attributes that CloudTrail may know a resource by."""

MOST_EVENTS: Final = 3
MOST_LOOKUPS: Final = 20
"""LookupEvents takes two requests a second."""

READING: Final = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet")


@dataclass
class Trail:
    """CloudTrail's events since a point in time, in an environment's own account and region."""

    region: str
    since: datetime
    role: str = ""
    _client: Any = None
    _unavailable: str = ""
    _lookups: int = field(default=0)

    @classmethod
    def of(cls, stack: Stack, since: datetime, environment: Mapping[str, str] = os.environ) -> "Trail":
        """Return the trail of where ``stack`` is deployed."""
        (provider, *_) = stack.configuration["provider"]["aws"]
        return cls(provider["region"], since, environment.get("TF_VAR_deploy_role_arn", ""))

    def of_resource(self, change: Json) -> list[str]:
        """Return a line for each of the newest events that changed a resource; one line where there is none to tell."""
        events: dict[str, Json] = {}
        for name in _names(change):
            if self._unavailable or self._lookups >= MOST_LOOKUPS:
                break
            events |= {event["EventId"]: event for event in self._look_up(name)}
        if self._unavailable:
            return [f"who did it is not known: CloudTrail is unavailable here ({self._unavailable})"]
        newest = sorted(events.values(), key=lambda event: event["EventTime"], reverse=True)[:MOST_EVENTS]
        if not newest:
            return [f"who did it is not known: CloudTrail has no event since {self.since:%Y-%m-%d %H:%M}"]
        return [
            f"{event['EventTime']:%Y-%m-%d %H:%M} {event['EventName']} by {event.get('Username', 'an AWS service')}"
            for event in newest
        ]

    def _look_up(self, name: str) -> list[Json]:
        from botocore.exceptions import BotoCoreError, ClientError

        self._lookups += 1
        try:
            found = self._cloudtrail().lookup_events(
                LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}], StartTime=self.since
            )
        except ClientError as error:
            self._unavailable = code(error)
            return []
        except BotoCoreError as error:
            self._unavailable = type(error).__name__
            return []
        return [event for event in found["Events"] if not event["EventName"].startswith(READING)]

    def _cloudtrail(self) -> Any:
        if self._client is None:
            self._client = client_as(self.role, "cloudtrail", self.region, session="drift")
        return self._client


def _names(change: Json) -> list[str]:
    known = change.get("before") or change.get("after") or {}
    return list(dict.fromkeys(known[key] for key in NAMED_BY if isinstance(known.get(key), str) and known[key]))
