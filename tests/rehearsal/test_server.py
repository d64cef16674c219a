"""The cloud's HTTP: connections stay open, and what one request leaves unread is no part of the next one."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.protocol import Caller


class Echo:
    """Answers with what was sent, except where a path says otherwise."""

    def route(self, request: Request, _caller: Caller, _service: str) -> Response | None:
        """Answer anything."""
        if request.path == "/ignoring":
            return Response("no", 403)
        if request.path == "/nothing":
            return Response(status=204)
        if request.path == "/failing":
            raise ValueError
        return Response(json.dumps({"path": request.path, "body": request.get_data(as_text=True)}))


@contextmanager
def cloud() -> Iterator[Cloud]:
    with Cloud(account="123456789012", region="eu-west-1") as cloud:
        cloud.routes.append(Echo())
        yield cloud


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with cloud() as served:
        yield urlsplit(served.endpoint).port or 0


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        yield connection


def said(connection: http.client.HTTPConnection, method: str, path: str, body: object = None) -> tuple[int, str]:
    """Return status and text of the answer, which has to leave the connection open."""
    # http.client sends what is no string or bytes in chunks.
    connection.request(method, path, body=body)  # type: ignore[arg-type]
    response = connection.getresponse()
    text = response.read().decode()
    assert connection.sock is not None, "the connection was closed"
    return response.status, text


def echoed(path: str, body: str = "") -> tuple[int, str]:
    return 200, json.dumps({"path": path, "body": body})


def test_a_connection_serves_one_request_after_another(connection: http.client.HTTPConnection) -> None:
    """With bodies, in one piece or in chunks, and without; whether they were read or not."""
    assert said(connection, "GET", "/one") == echoed("/one")
    assert said(connection, "POST", "/two", b"GET /no HTTP/1.1\r\n\r\n") == echoed("/two", "GET /no HTTP/1.1\r\n\r\n")
    assert said(connection, "POST", "/ignoring", b"GET /no HTTP/1.1\r\n\r\n" * 1000) == (403, "no")
    assert said(connection, "POST", "/three", iter([b"in ", b"chunks"])) == echoed("/three", "in chunks")
    assert said(connection, "DELETE", "/nothing") == (204, "")
    assert said(connection, "HEAD", "/four") == (200, "")
    assert said(connection, "GET", "/five") == echoed("/five")


def test_a_failure_is_an_answer_too(connection: http.client.HTTPConnection) -> None:
    """Whoever asked is told, and may go on."""
    assert said(connection, "GET", "/failing")[0] == 500
    assert said(connection, "GET", "/one") == echoed("/one")


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(port: int) -> None:
    """As SDKs do before they put an object; they would wait for a second otherwise."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = b"PUT /object HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "head", [b"Content-Length: many", b"Content-Length: -1", b"Transfer-Encoding: chunked\r\n\r\nmany"]
)
def test_a_request_without_an_end_is_refused_and_the_connection_closed(port: int, head: bytes) -> None:
    """What follows it could not be told from it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_client_that_wants_no_more_is_let_go(port: int) -> None:
    """The connection is closed after the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /one HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert b"Connection: close\r\n" in answer


def test_open_connections_end_with_the_cloud() -> None:
    """Nothing answers after the end, not even to whoever was connected before."""
    with cloud() as served:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(served.endpoint).port or 0, timeout=10)
        assert said(connection, "GET", "/one")[0] == 200
    with closing(connection):
        assert connection.sock.recv(1) == b""


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"Origin": "https://evil.example"}),
        ("POST", {"Origin": "null"}),
        ("OPTIONS", {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}),
        ("GET", {"Sec-Fetch-Site": "cross-site"}),
        ("GET", {"Host": "evil.example"}),
        ("POST", {"Host": "127.0.0.1.evil.example:80"}),
    ],
)
def test_web_pages_are_turned_away(port: int, method: str, headers: dict[str, str]) -> None:
    """A page that somebody looks at meanwhile could start a build, which runs as whoever rehearses."""
    answer = requests.request(method, f"http://127.0.0.1:{port}/", headers=headers, timeout=10)
    assert (answer.status_code, answer.text.count("\n")) == (403, 1)
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:1", "abc.execute-api.eu-west-1.amazonaws.com"])
def test_programs_may_call_it_by_any_name_of_its_own(port: int, host: str) -> None:
    """Some tools say localhost, and the proxy names AWS."""
    assert requests.get(f"http://127.0.0.1:{port}/one", headers={"Host": host}, timeout=10).status_code == 200


def test_a_deployed_api_is_there_for_pages(port: int) -> None:
    """Which sites may call it, it says itself."""
    address = f"http://127.0.0.1:{port}/execute-api/abc/dev/"
    found = requests.post(address, headers={"Origin": "https://www.example.com"}, timeout=10)
    assert found.json()["path"] == "/execute-api/abc/dev/"


def test_a_request_that_is_cut_short_is_refused(port: int) -> None:
    """And is no failure of ours."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as cut:
        cut.sendall(b'POST /one HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"a')
        cut.shutdown(socket.SHUT_WR)
        assert cut.makefile("rb").readline().split()[1] == b"400"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("CONNECT example.com:443 HTTP/1.1", 501),
        ("CONNECT /execute-api/a/dev/ HTTP/1.1", 501),
        ("POST / HTTP/1.1\r\nContent-Length: -1", 400),
    ],
)
def test_what_no_application_gets_to_see_is_refused_as_data(port: int, line: str, status: int) -> None:
    """A tunnel there is none, and a length is no less than 0: an API's clients read problems, not web pages."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{line}\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: connection.recv(1000), b"")).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert b"Content-Type: application/problem+json" in head
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert problem["title"]
