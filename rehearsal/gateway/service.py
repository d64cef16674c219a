"""The data plane: HTTP requests to deployed REST APIs."""

import json
import re
import time
import uuid
from dataclasses import replace
from typing import Any

from moto.backends import get_backend
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.functions import Functions
from rehearsal.gateway.call import Call, NotEmulatedError, RefusedError, Stage
from rehearsal.gateway.deployments import Deployment, Deployments
from rehearsal.gateway.gatewayresponses import answer
from rehearsal.gateway.integrations import respond
from rehearsal.gateway.protection import refuse_protection
from rehearsal.gateway.routing import find
from rehearsal.gateway.throttling import Throttling
from rehearsal.protocol import Caller
from rehearsal.strangers import PUBLIC

PAYLOAD_LIMIT = 10_485_760
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""

TRACE = re.compile(r"[\w=;:-]{1,512}", re.ASCII)
"""https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader"""

UNSEEN_HEADERS = ("connection", "transfer-encoding", "x-amz-target")


class Gateway:
    """Serves the REST APIs deployed to ``cloud`` at ``/execute-api/{api id}/{stage}/...``; a ``Route``.

    Not emulated, and refused by name: authorizers, API keys, IAM and resource policies, integrations but aws_proxy
    and static mocks. Repeated headers arrive joined by commas, as any HTTP intermediary may do.
    """

    def __init__(self, cloud: Cloud, functions: Functions) -> None:
        self._functions = functions
        self._deployments = Deployments(cloud)
        self._throttling = Throttling()

    def route(self, request: Request, caller: Caller, service: str) -> Response | None:
        """Answer what goes to an API, and watch the calls that make one."""
        target = raw_target(request)
        if target[0].startswith(PUBLIC):
            return self._serve(request, *target)
        return self._deployments.route(request, caller, service)

    def _serve(self, request: Request, path: str, query: str) -> Response:
        _, _, api_id, name, rest = (*path.split("/", 4), "", "")[:5]
        stage, api = find_stage(api_id, name)
        deployment = self._deployments.of((stage.account, stage.region, api_id), stage.deployment_id) if stage else None
        if stage is None or deployment is None:
            return _labelled(_plain(403, "Forbidden", "ForbiddenException"), str(uuid.uuid4()))
        call = received(request, stage, f"/{rest}", query)
        try:
            response = self._call(request, call, api, deployment)
        except NotEmulatedError as error:
            response = _plain(501, f"the rehearsal does not emulate {error}", "NotEmulated")
        except RefusedError as refusal:
            response = answer(refusal, call, deployment.gateway_responses)
        response.headers["X-Amzn-Trace-Id"] = call.header("X-Amzn-Trace-Id")
        response.headers["x-amz-apigw-id"] = call.extended_id
        return _labelled(response, call.request_id)

    def _call(self, request: Request, call: Call, api: Any, deployment: Deployment) -> Response:
        found = find(deployment.resources, call.method, call.path)
        if found is None:
            raise RefusedError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        operation, parameters = found
        call = replace(call, resource=operation.resource, path_parameters=parameters)
        try:
            refuse_protection(operation, deployment.document, api)
            self._throttling.admit(call)
            call = replace(call, body=limited_body(request))
            operation.validation.check(call)
            return respond(
                operation,
                call,
                functions=self._functions,
                binary_types=deployment.binary_types,
                resource_id=resource_id(api, operation.resource),
            )
        except RefusedError as refusal:
            return answer(refusal, call, deployment.gateway_responses)


def raw_target(request: Request) -> tuple[str, str]:
    """Return path and query string as they came, percent-encoded, whatever host the request line names."""
    target = str(request.environ.get("REQUEST_URI") or request.path)
    if not target.startswith("/"):
        target = re.sub(r"^[^/?]*//[^/?]*", "", target) or "/"
    path, _, query = target.partition("?")
    return path, query


def find_stage(api_id: str, name: str) -> tuple[Stage | None, Any]:
    """Return the stage ``name`` of the API with ``api_id``, in whichever account and region it is, and moto's API."""
    for account, regions in list(get_backend("apigateway").items()):
        for region, backend in list(regions.items()):
            api = backend.apis.get(api_id)
            stage = api.stages.get(name) if api and not api.disableExecuteApiEndpoint else None
            if stage is not None:
                return Stage(
                    account=account,
                    region=region,
                    api_id=api_id,
                    name=name,
                    deployment_id=stage.deployment_id or "",
                    variables=dict(stage.variables or {}),
                    settings=stage.method_settings,
                ), api
    return None, None


def received(request: Request, stage: Stage, path: str, query: str) -> Call:
    """Return the request as it would reach ``stage`` through AWS's own front."""
    client = request.remote_addr or "127.0.0.1"
    headers = {name: value for name, value in request.headers.items() if name.lower() not in UNSEEN_HEADERS}
    trace = headers.get("X-Amzn-Trace-Id", "")
    if not TRACE.fullmatch(trace):
        trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    forwarded = ", ".join(filter(None, (headers.get("X-Forwarded-For"), client)))
    fronted = {"Host": stage.domain, "X-Forwarded-For": forwarded, "X-Amzn-Trace-Id": trace}
    fixed = {"X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"}
    return Call(
        stage=stage,
        method=request.method,
        path=path,
        query_string=query,
        headers=headers | fronted | fixed,
        body=b"",
        source_ip=client,
        protocol=request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
    )


def limited_body(request: Request) -> bytes:
    """Return the request's body; raises ``RefusedError`` if it is larger than API Gateway takes."""
    request.max_content_length = PAYLOAD_LIMIT
    try:
        return request.get_data()
    except RequestEntityTooLarge as error:
        raise RefusedError("REQUEST_TOO_LARGE", "Request Too Long") from error


def resource_id(api: Any, path: str) -> str:
    """Return the id of the API's resource at ``path``."""
    return next((id_ for id_, each in list(api.resources.items()) if each.get_path() == path), "")


def _plain(status: int, message: str, error_type: str) -> Response:
    body = json.dumps({"message": message})
    return Response(body, status, {"x-amzn-ErrorType": error_type}, content_type="application/json")


def _labelled(response: Response, request_id: str) -> Response:
    response.headers["x-amzn-RequestId"] = request_id
    return response
