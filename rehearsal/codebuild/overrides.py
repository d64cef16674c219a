"""A project as one StartBuild wants it.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

from typing import Any

from rehearsal.codebuild.projects import check
from rehearsal.protocol import ServiceError

PLACES: dict[str, tuple[str, ...]] = {
    "sourceVersion": ("sourceVersion",),
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "buildspecOverride": ("source", "buildspec"),
    "artifactsOverride": ("artifacts",),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
    "environmentTypeOverride": ("environment", "type"),
    "privilegedModeOverride": ("environment", "privilegedMode"),
    "cacheOverride": ("cache",),
    "logsConfigOverride": ("logsConfig",),
    "serviceRoleOverride": ("serviceRole",),
    "timeoutInMinutesOverride": ("timeoutInMinutes",),
    "queuedTimeoutInMinutesOverride": ("queuedTimeoutInMinutes",),
    "encryptionKeyOverride": ("encryptionKey",),
}
VARIABLES = "environmentVariablesOverride"


def overridden(project: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of ``project`` with StartBuild's ``overrides``; raises ``ServiceError`` for one not emulated."""
    changed = project | {key: dict(project[key]) for key in ("source", "environment")}
    for name, value in overrides.items():
        if name == VARIABLES:
            given = {each["name"] for each in value}
            kept = [each for each in project["environment"]["environmentVariables"] if each["name"] not in given]
            changed["environment"]["environmentVariables"] = kept + value
        elif name in PLACES:
            *parents, last = PLACES[name]
            target = changed
            for parent in parents:
                target = target[parent]
            target[last] = value
        else:
            raise ServiceError("InvalidInputException", f"the rehearsal does not emulate StartBuild's {name}")
    if changed["artifacts"]["type"] == "S3":
        message = "the rehearsal hands artifacts to pipelines only: start the build with artifactsOverride NO_ARTIFACTS"
        raise ServiceError("InvalidInputException", message)
    check(changed)
    return changed
