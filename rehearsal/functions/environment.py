"""The environment a function's process starts with: AWS's variables and its own, nothing of this machine's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.functions.deployed import RUNTIME, Deployed
from rehearsal.functions.package import Package

DEFAULTS = {
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
}
"""What a function may set otherwise."""


@dataclass(frozen=True)
class Surroundings:
    """What a worker finds around it; ``runtime`` stands for /var/runtime and ``scratch`` for its own /tmp."""

    package: Package
    runtime: Path
    scratch: Path
    endpoint: str
    credentials: Mapping[str, str] = field(repr=False)


def environment(deployed: Deployed, around: Surroundings, *, api: str, log_stream: str) -> dict[str, str]:
    """Return all variables of a worker; what AWS reserves wins over what the function sets.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    reserved = {
        "_HANDLER": deployed.handler,
        "AWS_ACCESS_KEY_ID": around.credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": around.credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": around.credentials["SessionToken"],
        "AWS_DEFAULT_REGION": deployed.region,
        "AWS_REGION": deployed.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
        "AWS_LAMBDA_FUNCTION_NAME": deployed.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployed.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": deployed.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": deployed.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": str(around.package.task),
        "LAMBDA_RUNTIME_DIR": str(around.runtime),
    }
    local = {"AWS_ENDPOINT_URL": around.endpoint, "HOME": str(around.scratch), "TMPDIR": str(around.scratch)}
    return DEFAULTS | dict(deployed.variables) | reserved | local
