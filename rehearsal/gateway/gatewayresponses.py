"""Gateway responses: what API Gateway says when it answers by itself."""

import json
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from rehearsal.gateway.call import Call, RefusedError

STATUS = {
    "ACCESS_DENIED": (403, "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException"),
    "BAD_REQUEST_BODY": (400, "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException"),
    "DEFAULT_5XX": (500, "InternalServerErrorException"),
    "INTEGRATION_FAILURE": (504, "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "MissingAuthenticationTokenException"),
    "REQUEST_TOO_LARGE": (413, "RequestTooLargeException"),
    "THROTTLED": (429, "TooManyRequestsException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "UnsupportedMediaTypeException"),
}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html"""

JSON = "application/json"
VARIABLE = re.compile(
    r"\$(?:(context)\.([\w.]+\w)|(stageVariables)\.(\w+)|method\.request\.(header|querystring|path)\.([\w-]+))"
)
HEADER = "gatewayresponse.header."


def answer(refusal: RefusedError, call: Call, customized: Mapping[str, Any]) -> Response:
    """Return the response to a refused call, as the API's own gateway responses (``customized``) would have it.

    A kind that the API does not customize falls back to DEFAULT_4XX or DEFAULT_5XX.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
    """
    usual, error_type = STATUS[refusal.kind]
    status = refusal.status or usual
    family = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
    custom = customized.get(refusal.kind) or customized.get(family) or {}
    templates = custom.get("responseTemplates") or {JSON: '{"message":$context.error.messageString}'}
    content_type = JSON if JSON in templates else next(iter(templates))
    names = _Names(refusal, call)
    response = Response(names.fill(templates[content_type]), _status(custom, status), content_type=content_type)
    for name, expression in (custom.get("responseParameters") or {}).items():
        if name.startswith(HEADER):
            response.headers[name.removeprefix(HEADER)] = names.value_of(str(expression))
    response.headers["x-amzn-ErrorType"] = error_type
    return response


def _status(custom: Mapping[str, Any], usual: int) -> int:
    try:
        return int(custom.get("statusCode") or usual)
    except (TypeError, ValueError):
        return usual


class _Names:
    """The values that templates and headers of a gateway response may name; there is no more to their language.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """

    def __init__(self, refusal: RefusedError, call: Call) -> None:
        stage = call.stage
        self._call = call
        self._context = {
            "error.message": refusal.message,
            "error.messageString": json.dumps(refusal.message),
            "error.responseType": refusal.kind,
            "error.validationErrorString": refusal.validation or refusal.message,
            "requestId": call.request_id,
            "extendedRequestId": call.extended_id,
            "accountId": stage.account,
            "apiId": stage.api_id,
            "stage": stage.name,
            "domainName": stage.domain,
            "httpMethod": call.method,
            "path": f"/{stage.name}{call.path}",
            "resourcePath": call.resource,
            "protocol": call.protocol,
            "identity.sourceIp": call.source_ip,
            "identity.userAgent": call.header("User-Agent"),
            "requestTime": f"{call.received:%d/%b/%Y:%H:%M:%S +0000}",
            "requestTimeEpoch": str(int(call.received.timestamp() * 1000)),
        }

    def fill(self, template: str) -> str:
        """Return ``template`` with its variables replaced; unknown ones are empty, as on AWS."""
        return VARIABLE.sub(self._value, str(template))

    def value_of(self, expression: str) -> str:
        """Return a header's value: ``'a constant'`` or the name of a variable."""
        constant = len(expression) > 1 and expression[0] == expression[-1] == "'"
        value = expression[1:-1] if constant else self.fill(f"${expression}")
        return re.sub(r"[\r\n\0]", " ", value).encode("latin-1", errors="replace").decode("latin-1")

    def _value(self, match: re.Match[str]) -> str:
        _, context, _, variable, place, name = match.groups()
        if context:
            return self._context.get(context, "")
        if variable:
            return str(self._call.stage.variables.get(variable, ""))
        if place == "header":
            return self._call.header(name)
        values = {"path": self._call.path_parameters, "querystring": _last(self._call.query)}[place]
        return values.get(name, "")


def _last(query: Mapping[str, list[str]]) -> Mapping[str, str]:
    return {name: values[-1] for name, values in query.items()}
