"""DynamoDB's requests, one after another."""

import json
import threading
import uuid
from dataclasses import dataclass, field

from moto.core.request import Request as MotoRequest
from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud, refusal
from rehearsal.dynamodb.handler import JSON, Handler
from rehearsal.dynamodb.sizes import measure_as_dynamodb
from rehearsal.dynamodb.tokens import Tokens
from rehearsal.protocol import Caller, ServiceError

STREAMS = "DynamoDBStreams"


@dataclass(frozen=True)
class Region:
    """What one account has in one region, besides moto's tables."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: Tokens = field(default_factory=Tokens)


class DynamoDB:
    """Answers what is signed for DynamoDB; a ``Route``.

    Requests of one account and region are serial, so that operations are as isolated as AWS's strictest.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation
    Not emulated: conflicts of transactions that overlap in time (they wait), throttling, PartiQL transactions.
    """

    def __init__(self, cloud: Cloud) -> None:
        measure_as_dynamodb()
        self._cloud = cloud
        self._regions: dict[tuple[str, str], Region] = {}
        self._lock = threading.Lock()

    def route(self, request: Request, caller: Caller, service: str) -> Response | None:
        """Answer one request; streams are moto's, but read between writes."""
        if service != "dynamodb":
            return None
        region = self._region(caller)
        with region.lock:
            if request.headers.get("X-Amz-Target", "").startswith(STREAMS):
                return self._cloud.pass_on(request, caller)
            try:
                return _answer(request, caller, region.tokens)
            except Exception as error:
                return refusal("this request to DynamoDB", error)

    def _region(self, caller: Caller) -> Region:
        with self._lock:
            return self._regions.setdefault((caller.account, caller.region), Region())


def _answer(request: Request, caller: Caller, tokens: Tokens) -> Response:
    handler = Handler(tokens)
    request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = caller.account
    served = MotoRequest(request.environ)
    served.from_wsgi_server = True
    try:
        handler.setup_class(served)
        handler.region = caller.region
        status, headers, body = handler.call_action()
    except ServiceError as error:
        payload = json.dumps({"__type": error.code, "message": error.message})
        return Response(payload, error.status, {"x-amzn-RequestId": str(uuid.uuid4())}, content_type=JSON)
    return Response(body, status, headers)
