"""Whether a plan changes what a pull request's review showed, and nothing else."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from delivery.aws import asking, client, code
from delivery.changes import read_plan

Json = dict[str, Any]

PREFIX: Final = "pull-requests/reviewed"
IDENTITY: Final = ("address", "type", "deposed", "previous_address")


@dataclass(frozen=True)
class Reviewed:
    """What is kept of a plan that a pull request's comment showed."""

    pull_request: str
    commit: str
    url: str
    at: str


def fingerprint(plan: Json) -> str:
    """Return a digest of what ``plan`` would change, the same for any plan that would change the same to the same.

    ``plan`` is Terraform's JSON without its secrets; a branch may have made one up. So all that decides what a review
    shows of a change is in it: its type, which grades it, what was there before, and what is marked as a secret.
    Attributes that stay are left out: another change may have gone first.
    """
    resources = sorted(
        json.dumps([*(item.get(key) for key in IDENTITY), _change(item["change"])], sort_keys=True)
        for item in plan.get("resource_changes", [])
        if item["change"]["actions"] not in (["no-op"], ["read"]) or "previous_address" in item
    )
    outputs = {
        name: _change(change)
        for name, change in plan.get("output_changes", {}).items()
        if change["actions"] != ["no-op"]
    }
    return hashlib.sha256(json.dumps([resources, outputs], sort_keys=True).encode()).hexdigest()


def _change(change: Json) -> list[Any]:
    """Return what happens, and what every attribute that differs was and becomes."""
    before, after = change.get("before"), change.get("after")
    if isinstance(after, dict) and isinstance(before, dict):
        after = {key: value for key, value in after.items() if before.get(key) != value}
        before = {key: before.get(key) for key in after}
    marks = [_marked(change.get(key)) for key in ("before_sensitive", "after_sensitive", "after_unknown")]
    imported = (change.get("importing") or {}).get("id")
    return [change["actions"], before, after, *marks, change.get("replace_paths", []), imported]


def _marked(unknown: Any) -> Any:
    """Return Terraform's marks without those that mark nothing."""
    if isinstance(unknown, dict):
        return {key: found for key, item in unknown.items() if (found := _marked(item))}
    if isinstance(unknown, list):
        return [_marked(item) for item in unknown] if any(map(_marked, unknown)) else []
    return unknown


def remember(bucket: str, stack: str, plan: Json, *, pull_request: str, commit: str, url: str) -> None:
    """Keep that a pull request's comment showed ``plan`` of ``stack``; raises ``DeliveryError``."""
    shown = Reviewed(pull_request, commit, url, datetime.now(UTC).isoformat(timespec="seconds"))
    with asking(f"cannot keep which plan of {stack} was reviewed"):
        client("s3").put_object(
            Bucket=bucket, Key=_key(stack, plan), Body=json.dumps(asdict(shown)), ContentType="application/json"
        )


def find(bucket: str, stack: str, plan: Json) -> Reviewed | None:
    """Return the review that showed what ``plan`` of ``stack`` changes, or ``None``; raises ``DeliveryError``."""
    from botocore.exceptions import ClientError

    with asking(f"cannot look up which plan of {stack} was reviewed"):
        try:
            content = client("s3").get_object(Bucket=bucket, Key=_key(stack, plan))["Body"].read()
        except ClientError as error:
            if code(error) in ("NoSuchKey", "404"):
                return None
            raise
    return Reviewed(**json.loads(content))


def sentence(bucket: str, stack: str, plan: Json) -> str:
    """Return one line that says whether a review of a pull request showed ``plan``; raises ``DeliveryError``."""
    if not read_plan(plan).has_changes:
        return "It changes nothing, so there was nothing to review."
    shown = find(bucket, stack, plan)
    if shown is None:
        return "No review of a pull request showed this plan."
    return f"It is the plan that was reviewed on pull request {shown.pull_request}, at {shown.commit[:12]}."


def _key(stack: str, plan: Json) -> str:
    return f"{PREFIX}/{stack}/{fingerprint(plan)}.json"
