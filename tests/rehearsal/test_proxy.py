"""A build's network: emulated APIs and package indexes are there, everything else is refused by name."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
from werkzeug.wrappers import Request, Response

from rehearsal import indexes
from rehearsal.cloud import Cloud
from rehearsal.protocol import Caller
from rehearsal.proxy import Proxy

URL = "https://abc123.execute-api.eu-west-1.amazonaws.com/dev/v1/things?name=one%20two"


class Echo:
    """Answers for every API with what it was asked."""

    def route(self, request: Request, caller: Caller, service: str) -> Response | None:
        """Echo the request."""
        if not request.path.startswith("/execute-api/"):
            return None
        told = {
            "method": request.method,
            "path": request.path,
            "query": request.args.to_dict(),
            "host": request.host,
            "body": request.get_data(as_text=True),
        }
        return Response(json.dumps(told), content_type="application/json")


@pytest.fixture(scope="module")
def cloud():
    """A cloud with an API."""
    with Cloud(account="111122223333", region="eu-west-1") as cloud:
        cloud.routes.append(Echo())
        yield cloud


@pytest.fixture
def proxy(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A proxy of its own, on a machine that needs none."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    proxy = Proxy(cloud, tmp_path, ["allowed.example.com:8443"], idle_seconds=20)
    yield proxy
    proxy.close()


def run(proxy: Proxy, folder: Path, *command: str, **further: str) -> subprocess.CompletedProcess[str]:
    """Run ``command`` as a build would."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)} | proxy.environment() | further
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)


CLIENTS = {
    "curl": ["curl", "-sS", "--fail", "-d", "hello", URL],
    "urllib": [
        sys.executable,
        "-c",
        f"import urllib.request as r; print(r.urlopen('{URL}', data=b'hello').read().decode())",
    ],
    "requests": [sys.executable, "-c", f"import requests; print(requests.post('{URL}', data='hello').text)"],
}


@pytest.mark.parametrize("client", CLIENTS)
def test_an_apis_real_address_is_answered_by_the_cloud(proxy: Proxy, tmp_path: Path, client: str):
    """Clients that know only HTTPS_PROXY and a certificate bundle reach the API, with its own path and host."""
    done = run(proxy, tmp_path, *CLIENTS[client])
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["method"], told["path"]) == ("POST", "/execute-api/abc123/dev/v1/things")
    assert (told["query"], told["body"]) == ({"name": "one two"}, "hello")
    assert told["host"] == "abc123.execute-api.eu-west-1.amazonaws.com"


def test_a_connection_is_used_again(proxy: Proxy):
    """Many requests on one connection, as a session sends them, are all answered."""
    with requests.Session() as session:
        session.trust_env = False
        session.proxies, session.verify = {"https": proxy.address}, str(proxy.authority.bundle)
        paths = [session.post(URL, data="x" * size).json()["body"] for size in (0, 1, 200_000, 3)]
    assert [len(body) for body in paths] == [0, 1, 200_000, 3]


def test_a_host_nobody_allowed_is_refused_by_name(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The refusal names the host, to the client and in the log; AWS's own endpoints are none the better."""
    monkeypatch.setattr(indexes, "package_indexes", set)
    for address in (
        "https://nowhere.example.com/",
        "https://s3.eu-west-1.amazonaws.com/",
        "http://nowhere.example.com/",
    ):
        done = run(proxy, tmp_path, "curl", "-sSv", address)
        assert f"the rehearsal refuses {address.split('/')[2]}" in done.stdout + done.stderr
    assert "refuses nowhere.example.com:443" in (tmp_path / "logs/proxy.log").read_text()


def test_an_allowed_host_is_allowed_at_its_port_only(proxy: Proxy):
    """An entry with a port allows that port alone."""
    assert proxy.target("allowed.example.com", 8443) == ("allowed.example.com", 8443)
    with pytest.raises(Exception, match=r"refuses allowed\.example\.com:443"):
        proxy.target("allowed.example.com", 443)


@pytest.mark.parametrize(
    "head",
    [
        b"CONNECT  HTTP/1.1\r\n\r\n",
        b"CONNECT [::1 HTTP/1.1\r\n\r\n",
        b"CONNECT a:b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\r\n\r\n",
    ],
)
def test_nonsense_does_not_hurt(proxy: Proxy, tmp_path: Path, head: bytes):
    """Whatever a client sends, the next one is served."""
    with socket.create_connection(proxy._server.server_address) as client:
        client.sendall(head)
        client.settimeout(5)
        assert client.recv(1000)[:12] not in (b"HTTP/1.1 200", b"HTTP/1.0 200")
    assert run(proxy, tmp_path, *CLIENTS["curl"]).returncode == 0


def test_a_silent_client_holds_up_nobody(proxy: Proxy, tmp_path: Path):
    """One that opens a tunnel to an API and says nothing does not keep others from being served."""
    with socket.create_connection(proxy._server.server_address) as silent:
        silent.sendall(b"CONNECT abc123.execute-api.eu-west-1.amazonaws.com:443 HTTP/1.1\r\n\r\n")
        assert silent.recv(1000).startswith(b"HTTP/1.1 200")
        assert run(proxy, tmp_path, *CLIENTS["curl"], "--max-time", "10").returncode == 0


def test_idle_tunnels_end(cloud: Cloud, tmp_path: Path):
    """A tunnel that carries nothing is ended."""
    proxy = Proxy(cloud, tmp_path, idle_seconds=0.2)
    try:
        with socket.create_connection(proxy._server.server_address) as client:
            client.sendall(b"CONNECT abc123.execute-api.eu-west-1.amazonaws.com:443 HTTP/1.1\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            client.settimeout(10)
            assert client.recv(1) == b""
    finally:
        proxy.close()


def test_closing_leaves_nothing(cloud: Cloud, tmp_path: Path):
    """Open tunnels end with the proxy, and its threads and ports are gone."""
    before = set(threading.enumerate())
    proxy = Proxy(cloud, tmp_path)
    address = proxy._server.server_address
    client = socket.create_connection(address)
    client.sendall(b"CONNECT abc123.execute-api.eu-west-1.amazonaws.com:443 HTTP/1.1\r\n\r\n")
    assert client.recv(1000).startswith(b"HTTP/1.1 200")
    proxy.close()
    with client:
        client.settimeout(5)
        assert client.recv(1) == b""
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not set(threading.enumerate()) - before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address)


def test_the_bundle_holds_the_machines_own_authorities(proxy: Proxy):
    """Programs of a build trust what the machine trusts, and one authority more."""
    text = Path(proxy.environment()["SSL_CERT_FILE"]).read_text()
    assert text.count("BEGIN CERTIFICATE") > 10
    assert "PRIVATE KEY" not in text


def test_plain_http_is_passed_on(proxy: Proxy, cloud: Cloud, tmp_path: Path):
    """A request for a plain HTTP address on loopback is carried, body and all."""
    done = run(proxy, tmp_path, "curl", "-sS", "--noproxy", "", "-d", "hello", f"{cloud.endpoint}/execute-api/x/y?a=b")
    told = json.loads(done.stdout)
    assert (told["path"], told["query"], told["body"]) == ("/execute-api/x/y", {"a": "b"}, "hello")


def test_the_machines_own_proxy_is_asked(proxy: Proxy, monkeypatch: pytest.MonkeyPatch):
    """Where the machine reaches the world through a proxy, so does a build, with its credentials."""
    asked = []

    class Company(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append((self.path, self.headers["Proxy-Authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from the far side")

        def log_message(self, *_: object) -> None:
            pass

    company = HTTPServer(("127.0.0.1", 0), Company)
    threading.Thread(target=company.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("https_proxy", f"http://me:p%40ss@127.0.0.1:{company.server_port}")
    try:
        with socket.create_connection(proxy._server.server_address) as client:
            client.sendall(b"CONNECT allowed.example.com:8443 HTTP/1.1\r\n\r\n")
            client.settimeout(10)
            answer = b""
            while b"far side" not in answer and (chunk := client.recv(1000)):
                answer += chunk
        assert answer.endswith(b"\r\n\r\nfrom the far side")
        assert asked == [("allowed.example.com:8443", "Basic bWU6cEBzcw==")]
    finally:
        company.shutdown()
        company.server_close()


def test_addresses_become_hosts():
    """Only web addresses count, with their port if they have one."""
    addresses = ["https://a.example.com/simple", "http://b.example.com:8080/x", "file:///opt", "/opt", "", "nonsense"]
    assert list(indexes.hosts(addresses)) == ["a.example.com", "b.example.com:8080"]


def _reachable(host: str) -> bool:
    try:
        socket.create_connection((host.partition(":")[0], int(host.partition(":")[2] or 443)), 3).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def index():
    """The machine's package indexes, if they can be reached."""
    found = indexes.package_indexes()
    if not all(map(_reachable, found)):
        pytest.skip("no package index can be reached from here")
    return found


def test_pip_downloads_through_the_proxy(proxy: Proxy, tmp_path: Path, index: set[str]):
    """A real package comes through, its certificate checked."""
    settings = os.environ.get("PIP_INDEX_URL")
    further = {"PIP_INDEX_URL": settings} if settings else {}
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "-q", "-d", "here", "six"]
    done = run(proxy, tmp_path, *command, **further)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "here").glob("six-*.whl"))
    assert "CONNECT" in (tmp_path / "logs/proxy.log").read_text()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")
def test_npm_downloads_through_the_proxy(proxy: Proxy, tmp_path: Path, index: set[str]):
    """So does npm's."""
    further = {"NPM_CONFIG_USERCONFIG": str(Path.home() / ".npmrc")}
    done = run(proxy, tmp_path, "npm", "pack", "--silent", "is-odd@3.0.1", **further)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "is-odd-3.0.1.tgz").exists()
