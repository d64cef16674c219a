"""The network of a build: a proxy that knows the emulated APIs and package indexes, and refuses the rest by name."""

import logging
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.serving import WSGIRequestHandler, make_server

from rehearsal.authority import Authority
from rehearsal.cloud import Cloud
from rehearsal.indexes import package_indexes
from rehearsal.tunnels import RefusedError, TunnelServer

EXECUTE_API = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
STANDARD_PORTS = (80, 443)
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NPM_CONFIG_HTTPS_PROXY", "NPM_CONFIG_PROXY", "PIP_PROXY")
BUNDLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_CAFILE",
    "GIT_SSL_CAINFO",
)


class Proxy:
    """An HTTP proxy on loopback for builds in ``cloud``; ``allowed_hosts`` are ``host`` or ``host:port``.

    ``https://{api}.execute-api.{region}.amazonaws.com/{stage}/...`` is answered by the cloud under
    ``/execute-api/{api}/{stage}/...``. Tunnels without a byte for ``idle_seconds`` end. ``close()`` leaves nothing.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
    """

    def __init__(
        self, cloud: Cloud, folder: Path, allowed_hosts: Iterable[str] = (), *, idle_seconds: float = 120.0
    ) -> None:
        self.authority = Authority(folder / "proxy")
        self.log = _logger(folder / "logs" / "proxy.log")
        self._allowed_hosts = set(allowed_hosts)
        self._indexes: set[str] | None = None
        self._asking = threading.Lock()
        self._front = make_server(
            "127.0.0.1", 0, _front(cloud), threaded=True, request_handler=_Quiet, ssl_context=self.authority.context()
        )
        # The handshake belongs to each connection's own thread, lest one that stays silent holds up all others.
        self._front.socket.do_handshake_on_connect = False  # type: ignore[attr-defined]
        self._server = TunnelServer(self.target, idle_seconds=idle_seconds, log=self.log)
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), name=name, daemon=True)
            for name, server in (("proxy", self._server), ("execute-api", self._front))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> str:
        """The value of ``HTTPS_PROXY``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """Return the variables that send a build's programs through this proxy."""
        no_proxy = ",".join(sorted(LOOPBACK))
        variables = dict.fromkeys(PROXIES, self.address) | {"NO_PROXY": no_proxy, "NPM_CONFIG_NOPROXY": no_proxy}
        lower = {name.lower(): variables[name] for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")}
        # https://nodejs.org/api/cli.html#node_use_env_proxy1
        return variables | lower | dict.fromkeys(BUNDLES, str(self.authority.bundle)) | {"NODE_USE_ENV_PROXY": "1"}

    def close(self) -> None:
        """End the proxy with every tunnel through it."""
        for server in (self._server, self._front):
            server.shutdown()
        self._server.sockets.end()
        for server in (self._server, self._front):
            server.server_close()
        for thread in self._threads:
            thread.join()
        for handler in list(self.log.handlers):
            self.log.removeHandler(handler)
            handler.close()

    def target(self, host: str, port: int) -> tuple[str, int]:
        """Return where a connection to ``host`` really leads; raises ``RefusedError``."""
        name = host.lower().rstrip(".")
        if EXECUTE_API.fullmatch(name) and port == 443:  # HTTPS only, as on AWS
            return "127.0.0.1", self._front.server_port
        allowed = name in LOOPBACK or self._allows(self._allowed_hosts, name, port)
        if allowed or self._allows(self._package_indexes(), name, port):
            return host, port
        raise RefusedError(
            f"the rehearsal refuses {name}:{port}: it is no package index of this machine and not in allowed-hosts"
        )

    def _package_indexes(self) -> set[str]:
        with self._asking:
            if self._indexes is None:
                self._indexes = package_indexes()
                self.log.info("package indexes: %s", ", ".join(sorted(self._indexes)))
            return self._indexes

    @staticmethod
    def _allows(hosts: set[str], name: str, port: int) -> bool:
        return f"{name}:{port}" in hosts or (name in hosts and port in STANDARD_PORTS)


class _Quiet(WSGIRequestHandler):
    """Says nothing on the terminal."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Stay quiet."""


def _front(cloud: Cloud) -> WSGIApplication:
    """Return the application that answers for every API: the cloud, under the path where it keeps them."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        api = EXECUTE_API.fullmatch(environ.get("HTTP_HOST", "").partition(":")[0].lower())
        if api is None:
            start_response("421 Misdirected Request", [("Content-Type", "text/plain")])
            return [b"the Host header names no API\n"]
        prefix = f"/execute-api/{api[1]}"
        for key in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
            if key in environ:
                environ[key] = prefix + environ[key]
        answer: Iterable[bytes] = cloud(environ, start_response)
        return answer

    return application


def _logger(path: Path) -> logging.Logger:
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.Logger(f"proxy:{path}", logging.INFO)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    return logger
