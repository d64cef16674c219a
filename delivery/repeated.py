"""What a provider tells twice: an IAM role lists its inline policies, which are resources of their own."""

import json
from typing import Any, Final

Json = dict[str, Any]

ROLE: Final = "aws_iam_role"
POLICY: Final = "aws_iam_role_policy"
LIST: Final = "inline_policy"


def drift_told_once(plan: Json) -> list[Json]:
    """Return what ``plan`` tells as drift, without the policies that its own resources made a role list.

    The provider finds them at the first look after the apply that made them. A policy of someone else's stays.
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role_policy
    """
    policies = (item["change"].get("before") for item in plan.get("resource_changes", []) if item["type"] == POLICY)
    own = [_policy(values) for values in policies if values]
    return [_without(item, own) if item["type"] == ROLE else item for item in plan.get("resource_drift", [])]


def _without(item: Json, own: list[tuple[object, ...]]) -> Json:
    change = item["change"]
    after = change.get("after")
    if not isinstance(after, dict) or not isinstance(after.get(LIST), list):
        return item
    role = after.get("name")
    others = [each for each in after[LIST] if _policy(each | {"role": role}) not in own]
    return item | {"change": change | {"after": after | {LIST: others}}}


def _policy(values: Json) -> tuple[object, ...]:
    """Return whose policy it is, what it is called and what it says."""
    try:
        says = json.loads(values.get("policy") or "null")
    except ValueError:
        says = values.get("policy")
    return values.get("role"), values.get("name"), says
