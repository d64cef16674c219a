"""Where a function's package can be had: the links of GetFunction, which moto makes up, lead somewhere."""

import json
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import unquote

from moto.backends import get_backend
from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.functions.deployed import FUNCTION_NAME
from rehearsal.protocol import Caller

GET_FUNCTION = re.compile(r"/2015-03-31/functions/([^/]+)/?")
PREFIX = "/lambda-packages/"
LINK_SECONDS = 600
"""https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html"""


@dataclass(frozen=True)
class Link:
    """What a link leads to, and until when."""

    code: bytes = field(repr=False)
    until: float


class Downloads:
    """Puts links that work into the answers of GetFunction, and answers them; whoever knows one may use it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._links: dict[str, Link] = {}
        self._lock = threading.Lock()

    def route(self, request: Request, caller: Caller, service: str) -> Response | None:
        """Answer GetFunction and its links; every other request is someone else's."""
        if request.method != "GET":
            return None
        if request.path.startswith(PREFIX):
            return self._package(request.path.removeprefix(PREFIX))
        match = GET_FUNCTION.fullmatch(request.path)
        return self._function(request, caller, unquote(match[1])) if match and service == "lambda" else None

    def _function(self, request: Request, caller: Caller, function: str) -> Response:
        response = self._cloud.pass_on(request, caller)
        answer = json.loads(response.get_data()) if response.status_code == 200 else {}
        if "Location" in answer.get("Code", {}):
            # Described by name or ARN: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
            named = FUNCTION_NAME.fullmatch(function)
            qualifier = request.args.get("Qualifier") or (named and named["qualifier"])
            backend = get_backend("lambda")[caller.account][caller.region]
            code = backend.get_function(named["name"] if named else function, qualifier).code_bytes
            answer["Code"]["Location"] = self._link(code)
            response.set_data(json.dumps(answer))
        return response

    def _link(self, code: bytes) -> str:
        name, now = secrets.token_urlsafe(24), time.monotonic()
        with self._lock:
            self._links = {known: link for known, link in self._links.items() if link.until > now}
            self._links[name] = Link(code, now + LINK_SECONDS)
        return f"{self._cloud.endpoint}{PREFIX}{name}"

    def _package(self, name: str) -> Response:
        with self._lock:
            link = self._links.get(name)
        if link is None or link.until <= time.monotonic():
            return Response("the link has expired, or there never was such a one\n", 403, content_type="text/plain")
        return Response(link.code, content_type="application/zip")
