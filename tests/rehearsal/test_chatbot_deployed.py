"""The chatbot as it is deployed: real Terraform, the function behind the gateway, its table; asked over HTTP."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

import main
from rehearsal.cloud import Cloud
from rehearsal.dynamodb import DynamoDB
from rehearsal.functions import Functions
from rehearsal.gateway import Gateway
from stacks.package import Package
from stacks.project import Environment, Project, Provider, Source
from tests.unit.chatbot.schemas import check

SITE = "https://www.example.com"
PROJECT = Project(
    name="deployed",
    bot_name="Parley",
    account="444455556666",
    region="eu-west-1",
    source=Source(provider=Provider.CODECOMMIT, repository="bot"),
    environments=(
        Environment(
            name="dev", allowed_origins=(SITE,), requests_per_second=1_000, burst=1_000, messages_per_minute=600
        ),
    ),
)


@dataclass(frozen=True)
class Deployed:
    """The chatbot's stack in an emulated account."""

    cloud: Cloud
    folder: Path

    def terraform(self, *arguments: str) -> str:
        mirrors = [path.parents[2] for path in Path("/opt").glob("*/registry.terraform.io/hashicorp/aws")]
        settings = self.folder / "terraform.tfrc"
        mirror = "".join(f'filesystem_mirror {{\npath = "{path}"\n}}\n' for path in mirrors)
        settings.write_text(f"provider_installation {{\n{mirror or 'direct {}'}\n}}\n")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        own = {
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "TF_CLI_CONFIG_FILE": str(settings),
            "NO_PROXY": "127.0.0.1",
        }
        command = ["terraform", f"-chdir={self.folder}", *arguments, "-no-color"]
        done = subprocess.run(command, env=inherited | own, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def url(self) -> str:
        """The stage's address; AWS's own leads to this cloud."""
        real = json.loads(self.terraform("output", "-json"))["url"]["value"]
        (id_,) = re.findall(r"https://(\w+)\.execute-api", real)
        return f"{self.cloud.endpoint}/execute-api/{id_}/dev/"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    stack = main.synthesize(PROJECT, Package(), folder / "out") / "stacks" / "chatbot-dev"
    # State stays with the test.
    (stack / "override.tf.json").write_text(json.dumps({"terraform": {"backend": {"local": {}}}}))
    with Cloud(account=PROJECT.account, region=PROJECT.region) as cloud:
        functions = Functions(cloud, folder / "rehearsal")
        cloud.routes += [functions, Gateway(cloud, functions), DynamoDB(cloud)]
        found = Deployed(cloud, stack)
        found.terraform("init")
        found.terraform("apply", "-auto-approve")
        yield found
        functions.close()


@dataclass
class Chat:
    """A conversation over HTTP."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        started = self.session.post(f"{self.url}v1/conversations", timeout=30)
        assert started.status_code == 201, started.text
        self.path = f"{self.url}v1/conversations/{started.json()['conversation_id']}"
        self.session.headers["Authorization"] = f"Bearer {started.json()['token']}"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.path + path, timeout=60, **options)

    def say(self, text: str, key: str | None = None) -> requests.Response:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.request("POST", "/messages", json={"text": text}, headers=headers)


@pytest.fixture(scope="module")
def url(deployed: Deployed) -> str:
    return deployed.url


def problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is, which has to be one of the document's form."""
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    check("Problem", found)
    return found


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("DELETE", "health", "GET"), ("GET", "v1/conversations", "POST")]
)
def test_a_method_that_a_path_does_not_know_is_refused(url: str, method: str, path: str, allowed: str) -> None:
    """With what it allows; a path that is not there stays a 404."""
    answer = requests.request(method, url + path, timeout=30)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed
    problem(requests.request(method, f"{url}nowhere", timeout=30), 404, "not_found")


def test_what_was_applied_needs_no_change(deployed: Deployed) -> None:
    """Index, backups, alarms and dashboard are read back as they were written."""
    assert "No changes" in deployed.terraform("plan")


def test_a_conversation_from_start_to_end(url: str) -> None:
    """Through the gateway: asked, repeated, rated, read, exported, deleted."""
    chat = Chat(url)
    first = chat.say("What does it cost?", key="one")
    check("Turn", first.json())
    again = chat.say("What does it cost?", key="one")
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    rated = chat.request("PUT", "/messages/1/feedback", json={"rating": "down", "comment": "Too dear."})
    assert rated.json() == {"rating": "down", "comment": "Too dear."}
    assert [turn["feedback"] for turn in chat.request("GET", "/messages?limit=1").json()["messages"]] == [rated.json()]
    export = chat.request("GET", "/export?format=markdown")
    assert export.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "Too dear." in export.text
    assert chat.request("DELETE", "").status_code == 204
    problem(chat.request("GET", "/messages"), 404, "conversation_not_found")


def test_the_gateway_refuses_what_no_schema_allows(url: str) -> None:
    """As problems of the document's own form, with the request's id; the function is not asked."""
    chat = Chat(url)
    for body in ({}, {"text": ""}, {"text": 7}, {"text": "x" * 8_001}, {"text": "nul \x00"}, {"text": " "}, []):
        found = problem(chat.request("POST", "/messages", json=body), 422, "invalid_request")
        assert "errors" not in found
    problem(chat.request("PUT", "/messages/1/feedback", json={"rating": '"sideways"'}), 422, "invalid_request")
    broken = chat.request("POST", "/messages", data="{", headers={"Content-Type": "application/json"})
    assert problem(broken, 422, "invalid_request")["request_id"] == broken.headers["x-amzn-RequestId"]
    problem(requests.get(f"{url}nowhere", timeout=30), 404, "not_found")


def test_the_function_refuses_what_only_it_knows(url: str) -> None:
    """It says where, and its problems have the same form."""
    chat = Chat(url)
    found = problem(chat.request("GET", "/messages?limit=0"), 422, "invalid_request")
    assert found["errors"][0]["pointer"] == "/limit"
    other = chat.request("POST", "/messages", data="{}", headers={"Content-Type": "text/plain"})
    problem(other, 415, "unsupported_media_type")
    problem(chat.request("GET", "/messages?cursor=x"), 422, "invalid_request")


def test_a_page_of_an_allowed_site_may_call(url: str) -> None:
    """Its browser asks first, and can read answers and refusals, the gateway's own included."""
    chat = Chat(url)
    asked = requests.options(
        f"{chat.path}/messages", headers={"Origin": SITE, "Access-Control-Request-Method": "POST"}, timeout=30
    )
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, SITE)
    for body in ({"text": "hello"}, {"text": "nul \x00"}, {}):
        answer = chat.request("POST", "/messages", json=body, headers={"Origin": SITE})
        assert answer.headers["Access-Control-Allow-Origin"] == SITE


def test_the_bot_shows_its_own_reference(url: str) -> None:
    """The document is where the page says, and both come from what is deployed."""
    served = requests.get(f"{url}v1/openapi.json", timeout=30).json()
    assert "/v1/conversations/{conversation_id}/export" in served["paths"]
    page = requests.get(f"{url}docs", timeout=30)
    assert 'href="v1/openapi.json"' in page.text
    assert "up to 35 days" in page.text


def test_one_key_twenty_times_at_once_makes_one_turn(url: str) -> None:
    """Through many instances of the function."""
    chat = Chat(url)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: chat.say("hello", key="same"), range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len({answer.content for answer in answers}) == 1
    assert len(chat.request("GET", "/messages").json()["messages"]) == 1


# Left out is missing_required_header: it insists on 401 for a missing token, which here is the same 404 as a wrong one.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "use_after_free",
    "ensure_resource_availability",
    "unsupported_method",
    "positive_data_acceptance",
)


SETTINGS = f"""
[checks]
enabled = false
{"\n".join(f"{name}.enabled = true" for name in CHECKS)}

# TRACE is no method that API Gateway hands on.
[phases.coverage]
unexpected-methods = ["get", "put", "post", "delete", "options", "patch"]

# A key that was used for another body is refused, which no schema can say.
[[operations]]
include-name = "POST /v1/conversations/{{conversation_id}}/messages"
checks.positive_data_acceptance.enabled = false
"""


def schemathesis(url: str, folder: Path, *options: str, parameters: str = "") -> None:
    """Ask everything that the served document allows, and much that it does not; fail with what was found."""
    (folder / "schemathesis.toml").write_text(f"{parameters}\n{SETTINGS}")
    command = ["schemathesis", "run", f"{url}v1/openapi.json", "--url", url.rstrip("/"), "--no-color"]
    command += ["--max-examples", "25", "--seed", "1", "--generation-database", "none"]
    done = subprocess.run(
        [f"{sys.prefix}/bin/{command[0]}", *command[1:], "--phases", "coverage,fuzzing", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]


def test_a_stranger_finds_no_fault(url: str, tmp_path: Path) -> None:
    """Without a token: no 5xx, and every answer is one that the document promises."""
    schemathesis(url, tmp_path)


def test_who_has_a_token_finds_no_fault(url: str, tmp_path: Path) -> None:
    """Within a conversation that is there: the same."""
    chat = Chat(url)
    chat.say("hello")
    chat.say("hello again")
    known = {"conversation_id": chat.path.rpartition("/")[2], "number": 1}
    # It is opaque: one that is made up is refused.
    known["cursor"] = chat.request("GET", "/messages?limit=1").json()["next_cursor"]
    parameters = "\n".join(["[parameters]", *(f"{name} = {json.dumps(value)}" for name, value in known.items())])
    token = f"Authorization: {chat.session.headers['Authorization']}"
    schemathesis(url, tmp_path, "--header", token, "--exclude-method", "DELETE", parameters=parameters)
    assert len(chat.request("GET", "/messages?limit=100").json()["messages"]) > 1
