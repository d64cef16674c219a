"""The emulated AWS: moto behind one loopback port, with services that execute standing in front of it."""

import json
import os
import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import boto3
import botocore.session
from botocore.config import Config
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import get_account_id_from
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

from rehearsal.bucketpolicies import honour_loopback_as_tls
from rehearsal.protocol import Caller, JsonService, called
from rehearsal.server import Server
from rehearsal.strangers import turned_away

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")


class Moto(DomainDispatcherApplication):  # type: ignore[misc]  # moto is untyped to us.
    """moto, which remembers which of its services answers for a host.

    It looks through two hundred folders for each request, under one lock, and any busy thread may make each look last
    as long as Python lets a thread run: 0.8 ms become 400.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.get_backend_for_host = lru_cache(maxsize=256)(super().get_backend_for_host)


class Route(Protocol):
    """Something that answers requests before moto sees them (``None`` passes the request on)."""

    def route(self, request: Request, caller: Caller, service: str) -> Response | None: ...


class Cloud:
    """One emulated account on one loopback port, for as long as the ``with`` block lasts.

    ``Cloud(account=..., region=..., port=0)`` raises ``OSError`` when ``port`` is taken.
    """

    def __init__(self, *, account: str, region: str, port: int = 0) -> None:
        self.account, self.region = account, region
        self.services: dict[str, JsonService] = {}
        self.routes: list[Route] = []
        self._session, self._session_lock = _session(), threading.Lock()
        honour_loopback_as_tls()
        self._moto = Moto()
        self._server = Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, name="cloud", daemon=True)

    @property
    def endpoint(self) -> str:
        """The value of ``AWS_ENDPOINT_URL`` for whoever is to live in this cloud."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, services: Iterable[JsonService]) -> None:
        """Let ``services`` answer in moto's place."""
        for service in services:
            self.services.update(dict.fromkeys(service.target_prefixes, service))

    def client(self, service: str, *, region: str | None = None, **credentials: str) -> Any:
        """Return a boto3 client of this cloud, as the account's administrator unless ``credentials`` say otherwise."""
        keys = {"aws_access_key_id": "rehearsal", "aws_secret_access_key": "rehearsal"} | credentials
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, proxies={})
        # One session reads each service's model once; making clients of it is not thread-safe.
        with self._session_lock:
            return self._session.client(
                service, region_name=region or self.region, endpoint_url=self.endpoint, config=config, **keys
            )

    def __enter__(self) -> "Cloud":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.end()
        self._thread.join()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        request = Request(environ, populate_request=False)
        if reason := turned_away(request):
            return Response(f"{reason}\n", 403, content_type="text/plain")(environ, start_response)
        caller, service = self._caller(request)
        # Routes come first: on an API's own URL no header of a stranger may call a service.
        for candidate in self.routes:
            if (response := candidate.route(request, caller, service)) is not None:
                return response(environ, start_response)
        prefix, _ = called(request)
        if prefix in self.services:
            return self.services[prefix].respond(request, caller)(environ, start_response)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = caller.account
        try:
            return self._moto(environ, start_response)
        except Exception as error:
            return refusal(service or "this request", error)(environ, start_response)

    def pass_on(self, request: Request, caller: Caller) -> Response:
        """Return moto's answer to ``request``, for a route that has to see it."""
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = caller.account
        try:
            return Response.from_app(self._moto, request.environ)
        except Exception as error:
            return refusal("this request", error)

    def _caller(self, request: Request) -> tuple[Caller, str]:
        match = CREDENTIAL.search(request.headers.get("Authorization", ""))
        key, region, service = match.groups() if match else ("", self.region, "")
        account = get_account_id_from(key)
        # moto knows its default account only; credentials it never issued belong to the emulated one.
        return Caller(self.account if account == DEFAULT_ACCOUNT_ID else account, region, key), service


def _session() -> boto3.Session:
    """A session that sees neither the profile nor the files of whoever runs the rehearsal."""
    nothing: dict[str, Any] = {"profile": (None, [], None, None), "config_file": (None, None, os.devnull, None)}
    nothing["credentials_file"] = (None, None, os.devnull, None)
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=nothing))


def refusal(service: str, error: Exception) -> Response:
    """A service that nobody emulates is refused at once: clients take a 500 for a passing trouble and try on."""
    message = f"the rehearsal does not emulate {service} ({type(error).__name__})"
    body = json.dumps({"__type": "UnknownOperationException", "message": message})
    return Response(body, 400, content_type="application/x-amz-json-1.1")
