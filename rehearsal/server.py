"""HTTP for a cloud: a thread for every connection, and connections that stay open between requests."""

import io
import logging
from collections.abc import Iterable
from wsgiref.types import WSGIApplication, WSGIEnvironment

from moto.server import MotoRequestHandler
from werkzeug.datastructures import Headers
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.test import run_wsgi_app

from rehearsal.opensockets import OpenSockets

IDLE_SECONDS = 300
"""How long a connection may be silent."""

LOG = logging.getLogger(__name__)
WITHOUT_BODY = frozenset({204, 304})


class Server(ThreadedWSGIServer):
    """Serves ``application`` on a loopback port and knows every connection, so that it can end them."""

    def __init__(self, application: WSGIApplication, port: int) -> None:
        self.sockets = OpenSockets()
        super().__init__("127.0.0.1", port, application, handler=_Handler)

    def end(self) -> None:
        """Accept nothing more, and end every connection."""
        self.shutdown()
        self.server_close()
        self.sockets.end()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """A client that goes away in the middle is no news."""
        LOG.debug("connection ended", exc_info=True)


class _Handler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped to us.
    """One connection. werkzeug's own handler closes it after the first answer, since it may not have read all of it.

    Here a request is read to its end before it is answered.
    """

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # An answer that leaves in two packets, or waits for an acknowledgement, costs the caller 40 ms.
    disable_nagle_algorithm = True
    wbufsize = -1
    # What no application gets to see is refused here. https://www.rfc-editor.org/rfc/rfc9457
    error_content_type = "application/problem+json"
    error_message_format = '{"type": "about:blank", "title": "%(explain)s", "status": %(code)d}'

    def setup(self) -> None:
        super().setup()
        self.server.sockets.remember(self.connection)

    def finish(self) -> None:
        self.server.sockets.forget(self.connection)
        super().finish()

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come. https://www.rfc-editor.org/rfc/rfc9110#field.expect"""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def do_CONNECT(self) -> None:  # noqa: N802 (so it is called by the standard library)
        """Refuse to be a tunnel: the proxy is elsewhere. https://www.rfc-editor.org/rfc/rfc9110#CONNECT"""
        self.send_error(501)

    def run_wsgi(self) -> None:
        """Answer one request."""
        try:
            self.environ = self._whole_request()
        except (ValueError, OSError):
            self.close_connection = True
            self.send_error(400)
            return
        body, status, headers = _answer(self.server.app, self.environ)
        content = b"".join(body)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers and int(code) not in WITHOUT_BODY:
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of each request."""

    def _whole_request(self) -> WSGIEnvironment:
        environ: WSGIEnvironment = self.make_environ()
        source = environ["wsgi.input"]
        if environ.get("wsgi.input_terminated"):
            return environ | {"wsgi.input": io.BytesIO(source.read())}
        if (length := int(environ.get("CONTENT_LENGTH") or 0)) < 0:
            raise ValueError(length)
        if len(content := source.read(length)) < length:
            raise ValueError("the client went away in the middle of its request")
        return environ | {"wsgi.input": io.BytesIO(content)}


def _answer(application: WSGIApplication, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, Headers]:
    try:
        return run_wsgi_app(application, environ, buffered=True)
    except Exception:
        LOG.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        return run_wsgi_app(InternalServerError(), environ, buffered=True)
