"""AWS's JSON and CBOR protocols, served: requests are validated against botocore's own model of the service."""

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

import cbor2
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from werkzeug.wrappers import Request, Response

RPC_PATH = re.compile(r"^/service/([^/]+)/operation/(\w+)$")
CBOR = "rpc-v2-cbor"


class ServiceError(Exception):
    """An error that the service's API documents: ``code`` as AWS names it, answered with HTTP ``status``."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Caller:
    """Who calls, and where: the account and the region of the request's credentials."""

    account: str
    region: str
    access_key: str


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of ``service``."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def snake_case(operation: str) -> str:
    """``CreatePipeline`` becomes ``create_pipeline``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower()


def called(request: Request) -> tuple[str, str]:
    """Return the service's target prefix and the operation that ``request`` names, empty when it names none.

    SDKs say it in ``X-Amz-Target`` (JSON: Terraform) or in the path (CBOR: botocore, for services that speak it).
    https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
    """
    if request.headers.get("smithy-protocol") == CBOR and (path := RPC_PATH.match(request.path)):
        return path[1], path[2]
    prefix, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
    return prefix, operation


def encode(value: object) -> object:
    """Encode what JSON cannot: times go out as epoch seconds, as the JSON protocol has them."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be sent")


class JsonService:
    """A service whose operations are methods: ``def create_pipeline(self, caller, **parameters) -> dict``.

    Parameters and results have AWS's own shapes and camelCase keys. An operation without a method is refused by name.
    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
    """

    service: ClassVar[str]
    """botocore's name of the service."""

    target_prefixes: ClassVar[Iterable[str]]
    """What stands before the operation's name in ``X-Amz-Target``."""

    def respond(self, request: Request, caller: Caller) -> Response:
        """Answer one signed request, in the protocol it came in."""
        cbor = request.headers.get("smithy-protocol") == CBOR
        answer = _cbor if cbor else _json
        try:
            parameters = _decode(request.get_data(), cbor=cbor)
            return answer(self._call(called(request)[1], parameters, caller), 200)
        except ServiceError as error:
            return answer({"__type": error.code, "message": error.message}, error.status)

    def _call(self, operation: str, parameters: dict[str, Any], caller: Caller) -> dict[str, Any]:
        method = getattr(self, snake_case(operation), None)
        model = service_model(self.service)
        if method is None or operation not in model.operation_names:
            message = f"the rehearsal does not emulate {self.service} {operation}"
            raise ServiceError("UnknownOperationException", message)
        shape = model.operation_model(operation).input_shape
        if shape is not None:
            report = ParamValidator().validate(parameters, shape)
            if report.has_errors():
                raise ServiceError("ValidationException", report.generate_report())
        return method(caller, **parameters) or {}


def _decode(body: bytes, *, cbor: bool) -> dict[str, Any]:
    try:
        parameters = (cbor2.loads(body) if cbor else json.loads(body)) if body else {}
    except (ValueError, cbor2.CBORDecodeError) as error:
        raise ServiceError("SerializationException", f"the request's body cannot be read: {error}") from error
    if not isinstance(parameters, dict):
        raise ServiceError("SerializationException", "the request's body is no structure")
    return parameters


def _json(payload: dict[str, Any], status: int) -> Response:
    body = json.dumps(payload, default=encode)
    return Response(body, status, _request_id(), content_type="application/x-amz-json-1.1")


def _cbor(payload: dict[str, Any], status: int) -> Response:
    body = cbor2.dumps(payload, datetime_as_timestamp=True)
    return Response(body, status, _request_id() | {"smithy-protocol": CBOR}, content_type="application/cbor")


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid.uuid4())}
