"""Access control that AWS would enforce and the rehearsal does not: named, never skipped."""

from collections.abc import Mapping
from typing import Any

from rehearsal.gateway.call import NotEmulatedError
from rehearsal.gateway.routing import Operation

AUTHORIZER = "x-amazon-apigateway-authorizer"
POLICY = "x-amazon-apigateway-policy"


def refuse_protection(operation: Operation, document: Mapping[str, Any], api: Any) -> None:
    """Raise ``NotEmulatedError`` if a call of ``operation`` needs more than reaching it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html
    """
    name = f"({operation.method} {operation.resource})"
    auth = operation.definition.get("x-amazon-apigateway-auth", document.get("x-amazon-apigateway-auth")) or {}
    if str(auth.get("type", "NONE")).upper() != "NONE":
        raise NotEmulatedError(f"authorization of type {auth['type']} {name}")
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    for requirement in operation.definition.get("security", document.get("security")) or ():
        for scheme in requirement:
            definition = schemes.get(scheme) or {}
            if AUTHORIZER in definition or definition.get("type") == "apiKey":
                raise NotEmulatedError(f"the security scheme {scheme} {name}")
    if api.policy or document.get(POLICY):
        raise NotEmulatedError("resource policies of REST APIs")
