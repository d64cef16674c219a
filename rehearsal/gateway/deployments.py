"""REST APIs as they were imported and deployed: the control plane that moto does not remember."""

import io
import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend
from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.gateway.document import for_moto, merge, parse
from rehearsal.gateway.resources import document_of
from rehearsal.gateway.routing import Resource, resources
from rehearsal.protocol import Caller, ServiceError

ApiKey = tuple[str, str, str]
"""Account, region and id of a REST API."""

PATHS = re.compile(r"/restapis(?:/(?P<api>[^/]+)(?P<deployments>/deployments(?:/(?P<deployment>[^/]+))?)?)?/?")
BINARY_TYPES = "x-amazon-apigateway-binary-media-types"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"


@dataclass(frozen=True)
class Deployment:
    """What a deployment froze."""

    document: Mapping[str, Any]
    resources: list[Resource]
    gateway_responses: Mapping[str, Any]
    binary_types: list[str]


class Deployments:
    """Watches the calls that import, deploy and delete REST APIs; moto answers them.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._documents: dict[ApiKey, dict[str, Any]] = {}
        self._deployments: dict[tuple[ApiKey, str], Deployment] = {}
        self._lock = threading.Lock()

    def of(self, api: ApiKey, deployment_id: str) -> Deployment | None:
        """Return what is deployed, if it is known."""
        return self._deployments.get((api, deployment_id))

    def route(self, request: Request, caller: Caller, service: str) -> Response | None:
        """Answer the calls that matter here, by moto; None leaves the request to moto alone."""
        match = PATHS.fullmatch(request.path) if service == "apigateway" else None
        if match is None:
            return None
        api = (caller.account, caller.region, match["api"] or "")
        action = {
            ("POST", False, False): self._create,
            ("PUT", True, False): self._put,
            ("DELETE", True, False): self._forget,
            ("POST", True, True): self._deploy,
        }.get((request.method, bool(match["api"]), bool(match["deployments"])))
        if action is None or match["deployment"]:
            return None
        try:
            return action(api, request, caller)
        except ServiceError as error:
            headers = {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": str(uuid.uuid4())}
            body = json.dumps({"message": error.message})
            return Response(body, error.status, headers, content_type="application/json")

    def _create(self, api: ApiKey, request: Request, caller: Caller) -> Response:
        body = request.get_data()
        document = parse(body) if request.args.get("mode") == "import" else None
        if document is not None:
            compiled(document)
        response = self._pass_on(request, caller, body if document is None else for_moto(document))
        if response.status_code < 300:
            created = (*api[:2], response.get_json(force=True)["id"])
            if document is not None:
                self._keep(created, document)
            elif types := json.loads(body or b"{}").get("binaryMediaTypes"):
                moto_api(created).binaryMediaTypes = list(types)
        return response

    def _put(self, api: ApiKey, request: Request, caller: Caller) -> Response:
        document = parse(request.get_data())
        merging = request.args.get("mode", "merge") == "merge"
        whole = merge(self._documents.get(api, {}), document) if merging else document
        compiled(whole)
        response = self._pass_on(request, caller, for_moto(document))
        if response.status_code < 300:
            self._keep(api, whole)
        return response

    def _forget(self, api: ApiKey, request: Request, caller: Caller) -> Response:
        response = self._pass_on(request, caller, b"")
        if response.status_code < 300:
            with self._lock:
                self._documents.pop(api, None)
                self._deployments = {key: value for key, value in self._deployments.items() if key[0] != api}
        return response

    def _deploy(self, api: ApiKey, request: Request, caller: Caller) -> Response:
        response = self._pass_on(request, caller, request.get_data())
        if response.status_code < 300:
            snapshot = self._snapshot(api)
            with self._lock:
                self._deployments[api, response.get_json(force=True)["id"]] = snapshot
        return response

    def _keep(self, api: ApiKey, document: dict[str, Any]) -> None:
        with self._lock:
            self._documents[api] = document
        if types := document.get(BINARY_TYPES):
            moto_api(api).binaryMediaTypes = list(types)

    def _snapshot(self, api: ApiKey) -> Deployment:
        current = moto_api(api)
        document = self._documents.get(api) or document_of(current)
        separate = {name: each.to_json() for name, each in current.gateway_responses.items()}
        return Deployment(
            document=document,
            resources=compiled(document),
            gateway_responses=(document.get(GATEWAY_RESPONSES) or {}) | separate,
            binary_types=list(current.binaryMediaTypes or []),
        )

    def _pass_on(self, request: Request, caller: Caller, body: bytes) -> Response:
        request.environ["wsgi.input"] = io.BytesIO(body)
        request.environ["CONTENT_LENGTH"] = str(len(body))
        request.environ.pop("HTTP_TRANSFER_ENCODING", None)
        return self._cloud.pass_on(request, caller)


def compiled(document: Mapping[str, Any]) -> list[Resource]:
    """Return the document's resources; raises ``ServiceError`` if it is not built as OpenAPI has it."""
    try:
        return resources(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"Unable to import the REST API: the document is malformed ({error})."
        raise ServiceError("BadRequestException", message) from error


def moto_api(api: ApiKey) -> Any:
    """Return moto's own view of a REST API."""
    account, region, api_id = api
    return get_backend("apigateway")[account][region].apis[api_id]
