"""Who calls: the ARN behind an access key, and which services a role trusts."""

import fnmatch
import json
from collections.abc import Iterable
from typing import Any

from moto.backends import get_backend

from rehearsal.protocol import Caller

ASSUME_ROLE = ("sts:AssumeRole", "sts:*", "*")


def caller_arn(caller: Caller) -> str:
    """Return the ARN that CloudTrail would show for ``caller``.

    Keys that IAM never issued are the emulated account's administrator, whose name is the key itself.
    """
    for assumed in get_backend("sts")[caller.account]["global"].assumed_roles:
        if assumed.access_key_id == caller.access_key:
            return str(assumed.arn)
    if user := get_backend("iam")[caller.account]["global"].get_user_from_access_key_id(caller.access_key):
        return str(user.arn)
    return f"arn:aws:iam::{caller.account}:user/{caller.access_key or 'anonymous'}"


def trusts(role_arn: str, service: str, *, source_arn: str) -> bool:
    """Tell whether the role exists and ``service`` may assume it on behalf of ``source_arn``.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services
    """
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    roles = list(get_backend("iam")[account]["global"].roles.values())
    role = next((role for role in roles if role.arn == role_arn or role.name == name), None)
    if role is None:
        return False
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
    statements = _listed(json.loads(role.assume_role_policy_document).get("Statement", []))
    matching = [each["Effect"] for each in statements if _applies(each, service, context)]
    return "Allow" in matching and "Deny" not in matching


def _applies(statement: dict[str, Any], service: str, context: dict[str, str]) -> bool:
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else _listed(principal.get("Service", []))
    actions = _listed(statement.get("Action", []))
    return (
        ("*" in services or service in services)
        and any(action in ASSUME_ROLE for action in actions)
        and all(_holds(operator, keys, context) for operator, keys in statement.get("Condition", {}).items())
    )


def _holds(operator: str, keys: dict[str, Any], context: dict[str, str]) -> bool:
    base = operator.removesuffix("IfExists")
    if base not in ("StringEquals", "StringLike", "ArnEquals", "ArnLike"):
        return False
    exact = base == "StringEquals"
    return all(
        any(given == value if exact else fnmatch.fnmatchcase(given, value) for value in _listed(values))
        for key, values in keys.items()
        for given in [context.get(key.lower(), "")]
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, (str, dict)) else [value]
