"""One request to a REST API, and how it may be refused."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Stage:
    """Where a request arrives: a stage of a REST API, as it is deployed now."""

    account: str
    region: str
    api_id: str
    name: str
    deployment_id: str
    variables: Mapping[str, str]
    settings: Mapping[str, Mapping[str, object]]

    @property
    def domain(self) -> str:
        return f"{self.api_id}.execute-api.{self.region}.amazonaws.com"


@dataclass(frozen=True)
class Call:
    """A request: ``path`` is below the stage and still percent-encoded, header names keep one spelling."""

    stage: Stage
    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    protocol: str
    resource: str = ""
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_id: str = field(default_factory=lambda: uuid.uuid4().hex[:11] + "FiA=")
    received: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def query(self) -> dict[str, list[str]]:
        """All values of every parameter of the query string."""
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query_string, keep_blank_values=True, errors="replace"):
            values.setdefault(name, []).append(value)
        return values

    def header(self, name: str) -> str:
        """Return a header's value, or an empty string."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


class RefusedError(Exception):
    """The gateway answers by itself, by the gateway response ``kind``; ``status`` overrides what is usual for it."""

    def __init__(self, kind: str, message: str, *, status: int = 0, validation: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.status, self.validation = kind, message, status, validation


class NotEmulatedError(Exception):
    """The API asks for something that AWS would do and the rehearsal does not; it is named, never skipped."""
