"""Bedrock's runtime on loopback: REST-JSON as AWS's SDK speaks it, with a script instead of a model.

Requests are held to the service's own model, as the SDK ships it, and to the rules that it cannot express. Answers and
errors have their forms from
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
"""

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.validate import ParamValidator

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
STATUS = {
    "AccessDeniedException": 403,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "ValidationException": 400,
}


@dataclass(frozen=True)
class Call:
    """A request that reached the model."""

    model_id: str
    body: dict[str, Any]
    authorization: str

    @property
    def system(self) -> str:
        (block,) = self.body["system"]
        text: str = block["text"]
        return text

    @property
    def texts(self) -> list[tuple[str, list[str]]]:
        """Each message's role and texts."""
        return [(message["role"], [_text(block) for block in message["content"]]) for message in self.body["messages"]]

    @property
    def everything(self) -> str:
        """All that the model was given to read."""
        return "\n\n".join((self.system, *(text for _, texts in self.texts for text in texts)))


def _text(block: dict[str, Any]) -> str:
    text: str = block["guardContent"]["text"]["text"] if "guardContent" in block else block["text"]
    return text


@dataclass(frozen=True)
class Bytes:
    """An answer as it goes over the wire."""

    content: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        said = self.headers.get("x-amzn-ErrorType", self.content.decode(errors="replace"))
        return f"{self.status} {said[:120]}"


@dataclass(frozen=True)
class Reset:
    """The connection is torn down before anything is said."""


@dataclass(frozen=True)
class Hold:
    """Nothing is said until the server ends."""


@dataclass(frozen=True)
class Drip:
    """An answer that comes byte by byte, each long before any time-out, and never ends."""

    pause: float


Answer = Bytes | Reset | Hold | Drip
Script = Callable[[Call], Answer]


def says(text: object, *, stop_reason: object = "end_turn", tokens: object = 120, role: object = "assistant") -> Bytes:
    """An answer with one block of text."""
    return content([{"text": text}], stop_reason=stop_reason, tokens=tokens, role=role)


def content(
    blocks: object, *, stop_reason: object = "end_turn", tokens: object = 120, role: object = "assistant"
) -> Bytes:
    """An answer with any content."""
    return document(
        {
            "output": {"message": {"content": blocks, "role": role}},
            "stopReason": stop_reason,
            "metrics": {"latencyMs": 551},
            "usage": {"inputTokens": 100, "outputTokens": 20, "totalTokens": tokens},
        }
    )


def document(body: object) -> Bytes:
    """An answer with any JSON as its body."""
    return Bytes(json.dumps(body).encode())


def error(name: str) -> Bytes:
    """One of Converse's errors."""
    return Bytes(
        json.dumps({"message": f"this is a {name}"}).encode(), STATUS[name], {"x-amzn-ErrorType": f"{name}:http://x/"}
    )


class FakeBedrock:
    """Serves until its block ends; asks `script` for every answer, and keeps every call."""

    def __init__(self, script: Script = lambda call: says("An answer. [1]")) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FakeBedrock":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def play(self, *answers: Answer) -> None:
        """Give these answers in turn, the last of them for ever, from now on."""
        self.calls.clear()
        left = list(answers)

        self.script = lambda call: left.pop(0) if len(left) > 1 else left[0]

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        return (refusal(call) and error("ValidationException")) or self.script(call)


OPERATION = botocore.session.Session().get_service_model("bedrock-runtime").operation_model("Converse")


def refusal(call: Call) -> str:
    """Say what is wrong with a request, by the service's model and by what its pages say beyond that."""
    found = ParamValidator().validate({"modelId": call.model_id, **call.body}, OPERATION.input_shape)
    roles = [role for role, _ in call.texts]
    if found.has_errors():
        return str(found.generate_report())
    if roles != ["user", "assistant"] * (len(roles) // 2) + ["user"]:
        return "A conversation must alternate between user and assistant roles, from user to user."
    if not all(text.strip() for _, texts in call.texts for text in texts):
        return "The text field in the ContentBlock object is blank."
    return ""


def _handler(bedrock: FakeBedrock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            _, kind, model_id, operation = self.path.split("/")
            assert (kind, operation) == ("model", "converse")
            call = Call(unquote(model_id), json.loads(body), self.headers["Authorization"])
            match bedrock.answer(call):
                case Reset():
                    # Lingering for no time turns the end of a connection into a reset.
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                case Hold():
                    bedrock.over.wait()
                    self.close_connection = True
                case Drip() as answer:
                    self._drip(answer)
                case Bytes() as answer:
                    self._send(answer)

        def _send(self, answer: Bytes) -> None:
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.content))} | answer.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)
            self.close_connection = "Content-Length" in answer.headers

        def _drip(self, answer: Drip) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.close_connection = True
            try:
                while not bedrock.over.wait(answer.pause):
                    self.wfile.write(b" ")
                    self.wfile.flush()
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    return Handler
