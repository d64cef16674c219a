"""The proxy event, format 1.0: how an HTTP request looks to a function."""

import base64
from collections.abc import Iterable
from typing import Any

from rehearsal.gateway.call import Call

IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


def proxy_event(call: Call, *, binary_types: Iterable[str], resource_id: str) -> dict[str, Any]:
    """Return the event of ``call``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
    """
    query = call.query
    binary = is_binary(call.header("Content-Type"), binary_types) and bool(call.body)
    body = base64.b64encode(call.body).decode() if binary else call.body.decode(errors="replace")
    return {
        "resource": call.resource,
        "path": call.path or "/",
        "httpMethod": call.method,
        "headers": dict(call.headers),
        "multiValueHeaders": {name: [value] for name, value in call.headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(call.path_parameters) or None,
        "stageVariables": dict(call.stage.variables) or None,
        "requestContext": _context(call, resource_id),
        "body": body or None,
        "isBase64Encoded": binary,
    }


def _context(call: Call, resource_id: str) -> dict[str, Any]:
    stage = call.stage
    identity = dict.fromkeys(IDENTITY) | {"sourceIp": call.source_ip, "userAgent": call.header("User-Agent") or None}
    return {
        "resourceId": resource_id,
        "resourcePath": call.resource,
        "httpMethod": call.method,
        "extendedRequestId": call.extended_id,
        "requestTime": f"{call.received:%d/%b/%Y:%H:%M:%S +0000}",
        "path": f"/{stage.name}{call.path}",
        "accountId": stage.account,
        "protocol": call.protocol,
        "stage": stage.name,
        "domainPrefix": stage.api_id,
        "requestTimeEpoch": int(call.received.timestamp() * 1000),
        "requestId": call.request_id,
        "identity": identity,
        "domainName": stage.domain,
        "deploymentId": stage.deployment_id,
        "apiId": stage.api_id,
    }


def is_binary(media_type: str, binary_types: Iterable[str]) -> bool:
    """Tell whether the API treats ``media_type`` as binary.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
    """
    name = media_type.partition(";")[0].strip().lower()
    family = f"{name.partition('/')[0]}/*"
    return any(each.lower() in ("*/*", name, family) for each in binary_types)
