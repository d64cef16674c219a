"""Lambda's Invoke: requests in, workers to work, answers out."""

import base64
import binascii
import json
import re
import threading
import uuid
from pathlib import Path

from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.functions.asynchronous import Asynchronous
from rehearsal.functions.deployed import Deployed, resolve
from rehearsal.functions.downloads import Downloads
from rehearsal.functions.environment import Surroundings
from rehearsal.functions.invocation import ASYNCHRONOUS_LIMIT, REQUEST_LIMIT, Event, Invocation, payload_of
from rehearsal.functions.logs import LogDelivery
from rehearsal.functions.package import Packages, link_runtime
from rehearsal.functions.pool import Pool
from rehearsal.functions.warming import Warming
from rehearsal.functions.worker import Worker
from rehearsal.identity import trusts
from rehearsal.protocol import Caller, ServiceError

INVOKE = re.compile(r"/2015-03-31/functions/(.+)/invocations/?", re.DOTALL)
OTHER_WAYS = re.compile(r"/[\d-]+/functions/.+/(invoke-async|response-streaming-invocations)/?", re.DOTALL)
IDLE_SECONDS = 300
"""How long a worker is kept warm for the next call."""

REAP_SECONDS = 5


class Functions:
    """Runs the functions deployed to ``cloud``, below ``folder``; a ``Route`` for Invoke, GetFunction and aliases.

    Everything else about Lambda is moto's. Not emulated: extensions, destinations, memory limits, /tmp by that name.
    """

    def __init__(self, cloud: Cloud, folder: Path, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._cloud, self._folder = cloud, folder / "functions"
        self._runtime = link_runtime(self._folder / ".runtime")
        self._packages = Packages(self._folder)
        self._logs = LogDelivery(folder / "logs" / "functions")
        self._pools: dict[tuple[str, str, str], Pool] = {}
        self._lock = threading.Lock()
        self._sts = cloud.client("sts")
        self._downloads = Downloads(cloud)
        self._warming = Warming(cloud, lambda deployed: self._pool(deployed).warm(deployed))
        self._asynchronous = Asynchronous(self.run)
        self._closing, self._idle_seconds = threading.Event(), idle_seconds
        self._reaper = threading.Thread(target=self._reap, name="function-reaper", daemon=True)
        self._reaper.start()

    def invoke(
        self,
        account: str,
        region: str,
        function: str,
        qualifier: str | None,
        payload: bytes,
        *,
        client_context: str = "",
        trace: str = "",
    ) -> Invocation:
        """Run ``function`` on ``payload`` (JSON) and wait for the outcome.

        Raises ``ServiceError`` as Invoke documents; an error of the function itself is an outcome.
        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        deployed = resolve(account, region, function, qualifier)
        return self.run(deployed, payload, client_context=client_context, trace=trace)

    def run(
        self,
        deployed: Deployed,
        payload: bytes,
        *,
        request_id: str = "",
        client_context: str = "",
        trace: str = "",
    ) -> Invocation:
        """Run one version of a function, in a warm worker or a new one."""
        request_id = request_id or str(uuid.uuid4())
        with self._pool(deployed).worker(deployed) as worker:
            event = Event(
                request_id=request_id,
                payload=payload,
                arn=deployed.invoked_arn,
                trace=trace,
                client_context=client_context,
            )
            answer = worker.run(event)
            tail = worker.tail()
        return Invocation(
            payload=payload_of(answer, request_id=request_id, timeout=deployed.timeout),
            error="" if answer.kind == "response" else "Unhandled",
            version=deployed.version,
            request_id=request_id,
            log_tail=tail,
        )

    def close(self) -> None:
        """Kill every worker, deliver the rest of the logs, and answer no more."""
        self._closing.set()
        self._reaper.join()
        self._asynchronous.cancel()
        with self._lock:
            pools = list(self._pools.values())
        closing = [threading.Thread(target=pool.close) for pool in pools]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
        self._warming.close()
        self._asynchronous.close()
        self._logs.close()

    def route(self, request: Request, caller: Caller, service: str) -> Response | None:
        """Answer what this is for; every other request is someone else's."""
        for each in (self._downloads, self._warming):
            if (response := each.route(request, caller, service)) is not None:
                return response
        if service != "lambda" or request.method != "POST":
            return None
        match, other = INVOKE.fullmatch(request.path), OTHER_WAYS.fullmatch(request.path)
        try:
            if other:
                raise ServiceError("InvalidRequestContentException", f"the rehearsal does not emulate {other[1]}")
            return self._respond(request, caller, match[1]) if match else None
        except ServiceError as error:
            body = json.dumps({"Type": "User" if error.status < 500 else "Server", "message": error.message})
            headers = {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": str(uuid.uuid4())}
            return Response(body, error.status, headers, content_type="application/json")

    def _respond(self, request: Request, caller: Caller, function: str) -> Response:
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        deployed = resolve(caller.account, caller.region, function, request.args.get("Qualifier"))
        if kind not in ("RequestResponse", "Event", "DryRun"):
            raise ServiceError("InvalidParameterValueException", f"unknown invocation type {kind!r}")
        if kind == "DryRun":
            return Response(status=204)
        payload = checked_payload(request.get_data(), ASYNCHRONOUS_LIMIT if kind == "Event" else REQUEST_LIMIT)
        context = decoded_context(request.headers.get("X-Amz-Client-Context", ""))
        trace = re.sub(r"[^!-~]", "", request.headers.get("X-Amzn-Trace-Id", ""))
        if kind == "Event":
            request_id = self._asynchronous.submit(deployed, payload, client_context=context, trace=trace)
            return Response(status=202, headers={"x-amzn-RequestId": request_id})
        outcome = self.run(deployed, payload, client_context=context, trace=trace)
        headers = {"x-amzn-RequestId": outcome.request_id, "X-Amz-Executed-Version": outcome.version}
        if outcome.error:
            headers["X-Amz-Function-Error"] = outcome.error
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log_tail).decode()
        return Response(outcome.payload, 200, headers, content_type="application/json")

    def _pool(self, deployed: Deployed) -> Pool:
        key = (deployed.account, deployed.region, deployed.name)
        with self._lock:
            if self._closing.is_set():
                raise ServiceError("ServiceException", "the rehearsal is closing", 500)
            return self._pools.setdefault(key, Pool(self._start))

    def _start(self, deployed: Deployed) -> Worker:
        arn = deployed.invoked_arn
        if not trusts(deployed.role, "lambda.amazonaws.com", source_arn=arn):
            raise ServiceError("AccessDeniedException", f"Lambda cannot assume the role {deployed.role}", 403)
        role = self._sts.assume_role(RoleArn=deployed.role, RoleSessionName=deployed.name.ljust(2, "_"))
        around = Surroundings(
            package=self._packages.of(deployed),
            runtime=self._runtime,
            scratch=self._folder / deployed.name / f"worker-{uuid.uuid4().hex[:12]}",
            endpoint=self._cloud.endpoint,
            credentials=role["Credentials"],
        )
        return Worker(deployed, around, self._logs)

    def _reap(self) -> None:
        while not self._closing.wait(min(REAP_SECONDS, self._idle_seconds)):
            with self._lock:
                pools = list(self._pools.values())
            for pool in pools:
                pool.end_idle(self._idle_seconds)


def checked_payload(payload: bytes, limit: int) -> bytes:
    """Return ``payload``, or ``{}`` for none; raises ``ServiceError`` if it is too large or no JSON."""
    if len(payload) > limit:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        raise ServiceError("RequestTooLargeException", message, 413)
    try:
        json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", message) from error
    return payload or b"{}"


def decoded_context(header: str) -> str:
    """Return the client context as JSON in ASCII; raises ``ServiceError`` if it is none."""
    try:
        return json.dumps(json.loads(base64.b64decode(header, validate=True))) if header else ""
    except (ValueError, binascii.Error, RecursionError) as error:
        raise ServiceError("InvalidRequestContentException", f"the client context is no JSON: {error}") from error
