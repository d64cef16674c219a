"""Whether a function's resource policy lets a REST API call it."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

from moto.backends import get_backend

from rehearsal.gateway.call import Call

PRINCIPAL = "apigateway.amazonaws.com"


def permitted(function_arn: str, call: Call) -> bool:
    """Tell whether a statement of the policy of exactly this function, version or alias allows ``call``.

    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    """
    _, _, _, region, account, _, name = function_arn.split(":")[:7]
    versions = get_backend("lambda")[account][region]._lambdas._functions.get(name)
    statements = versions["latest"].policy.statements if versions else []
    context = {"aws:sourcearn": source_arn(call), "aws:sourceaccount": call.stage.account}
    effects = [each["Effect"] for each in list(statements) if _applies(each, function_arn, context)]
    return "Allow" in effects and "Deny" not in effects


def source_arn(call: Call) -> str:
    """Return the ARN of the called method, in which a placeholder of the resource's path stands for itself as ``*``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
    """
    stage, resource = call.stage, re.sub(r"\{[^}]*\}", "*", call.resource)
    return f"arn:aws:execute-api:{stage.region}:{stage.account}:{stage.api_id}/{stage.name}/{call.method}{resource}"


def _applies(statement: Mapping[str, Any], function_arn: str, context: Mapping[str, str]) -> bool:
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else _listed(principal.get("Service", []) if principal else [])
    return (
        bool({"*", PRINCIPAL} & set(services))
        and any(fnmatch.fnmatchcase("lambda:InvokeFunction", action) for action in _listed(statement.get("Action", [])))
        and statement.get("Resource") == function_arn
        and all(_holds(operator, keys, context) for operator, keys in (statement.get("Condition") or {}).items())
    )


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    exact = operator == "StringEquals"
    return all(
        any(
            given == value if exact else fnmatch.fnmatchcase(given, value.replace("[", "[[]"))
            for value in _listed(values)
        )
        for key, values in keys.items()
        for given in [context.get(key.lower(), "")]
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | dict) else [value]
