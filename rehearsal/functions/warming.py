"""A function's code is loaded as soon as an alias leads to it, so that the first call need not wait for that.

Lambda may do so too, and promises nothing:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import json
import logging
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.functions.deployed import Deployed, resolve
from rehearsal.protocol import Caller

ALIASES = re.compile(r"/2015-03-31/functions/([^/]+)/aliases(?:/[^/]+)?/?")
LOG = logging.getLogger(__name__)


class Warming:
    """Passes on what makes or moves an alias, and then calls ``warm`` with what the alias leads to, in a thread."""

    def __init__(self, cloud: Cloud, warm: Callable[[Deployed], None]) -> None:
        self._cloud, self._warm = cloud, warm
        self._threads = ThreadPoolExecutor(os.process_cpu_count(), thread_name_prefix="warming")

    def route(self, request: Request, caller: Caller, service: str) -> Response | None:
        """Answer CreateAlias and UpdateAlias; every other request is someone else's."""
        match = ALIASES.fullmatch(request.path)
        if service != "lambda" or request.method not in ("POST", "PUT") or match is None:
            return None
        response = self._cloud.pass_on(request, caller)
        if response.status_code < 300:
            alias = json.loads(response.get_data())["Name"]
            with suppress(RuntimeError):  # nothing more is started while the rehearsal ends
                self._threads.submit(self._start, caller, unquote(match[1]), alias)
        return response

    def close(self) -> None:
        """Start nothing more, and wait for what is being started."""
        self._threads.shutdown(cancel_futures=True)

    def _start(self, caller: Caller, function: str, alias: str) -> None:
        try:
            self._warm(resolve(caller.account, caller.region, function, alias))
        except Exception:
            LOG.debug("%s is not warmed; whoever calls it is told why", function, exc_info=True)
