"""Which version of which function is meant, read from what was deployed."""

import random
import re
import sys
from dataclasses import dataclass, field
from typing import Any

from moto.backends import get_backend

from rehearsal.protocol import ServiceError

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-FunctionName
FUNCTION_NAME = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)


@dataclass(frozen=True)
class Deployed:
    """One version of a function; equal ones may share warm workers."""

    account: str
    region: str
    name: str
    version: str
    role: str
    handler: str
    timeout: int
    memory: int
    variables: tuple[tuple[str, str], ...] = field(repr=False)
    code_sha256: str
    layers: tuple[str, ...]
    code: bytes = field(repr=False, compare=False)
    invoked_arn: str = field(compare=False)
    reserved: int | None = field(compare=False)
    """How many may run at once by the function's own reservation, of all its versions together."""

    retries: int = field(compare=False)
    """How often a failed asynchronous invocation is tried again."""

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"


def resolve(account: str, region: str, function: str, qualifier: str | None) -> Deployed:
    """Return what ``function`` (a name, partial ARN or ARN) and ``qualifier`` (version, alias or None) mean now.

    An alias with a routing configuration picks one of its versions by weight, anew at every call:
    https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    Raises ``ServiceError`` as Invoke documents, and for what the rehearsal cannot run.
    """
    match = FUNCTION_NAME.fullmatch(function)
    if match is None:
        raise ServiceError("ValidationException", f"'{function[:80]}' is no function name or ARN")
    if qualifier and match["qualifier"] and qualifier != match["qualifier"]:
        message = "The derived qualifier from the function name does not match the specified qualifier."
        raise ServiceError("InvalidParameterValueException", message)
    qualifier = match["qualifier"] or qualifier
    account, region, name = match["account"] or account, match["region"] or region, match["name"]
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}" + (f":{qualifier}" if qualifier else "")
    storage = get_backend("lambda")[account][region]._lambdas
    function_versions = storage._functions.get(name)
    version = _version(storage, name, qualifier) if function_versions else None
    if function_versions is None or version is None:
        raise ServiceError("ResourceNotFoundException", f"Function not found: {arn}", 404)
    return _deployed(version, function_versions["latest"], arn)


def _version(storage: Any, name: str, qualifier: str | None) -> Any:
    if qualifier in (None, "$LATEST"):
        return storage._functions[name]["latest"]
    base = f"arn:aws:lambda:{storage.region_name}:{storage.account_id}:function:{name}"
    alias = storage._aliases.get(base, {}).get(qualifier)
    return _version(storage, name, routed(alias)) if alias else storage._get_version(name, qualifier)


def routed(alias: Any) -> str:
    """Return the version that one call through ``alias`` goes to."""
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    draw = random.random()  # noqa: S311 - traffic, not a secret
    for version, weight in weights.items():
        draw -= weight
        if draw < 0:
            return str(version)
    return str(alias.function_version)


def _deployed(version: Any, latest: Any, arn: str) -> Deployed:
    if version.package_type != "Zip":
        raise ServiceError("InvalidRuntimeException", "the rehearsal runs functions from zips, not from images", 502)
    if version.run_time != RUNTIME:
        message = f"the rehearsal runs {RUNTIME} functions, not {version.run_time}: {version.function_name}"
        raise ServiceError("InvalidRuntimeException", message, 502)
    asynchronous = latest.event_invoke_config[0].config if latest.event_invoke_config else {}
    return Deployed(
        account=version.account_id,
        region=version.region,
        name=version.function_name,
        version=str(version.version),
        role=version.role,
        handler=version.handler or "",
        timeout=int(version.timeout),
        memory=int(version.memory_size),
        variables=tuple(sorted((version.environment_vars or {}).items())),
        code_sha256=version.code_sha_256,
        layers=tuple(layer["Arn"] for layer in version.layers),
        code=version.code_bytes,
        invoked_arn=arn,
        reserved=None if latest.reserved_concurrency is None else int(latest.reserved_concurrency),
        retries=int(asynchronous.get("MaximumRetryAttempts", 2)),
    )
