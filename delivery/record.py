"""The record of a release: what the build made, what was planned from it for an environment, and what became of that.

One schema wherever it is kept: ``release.json`` in the build, ``record.json`` beside the plan, an item of the ledger.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Self, Union, get_args, get_origin, get_type_hints

from delivery.files import write_whole

LIFETIME_DAYS: Final = 8
"""For how long a plan may be applied: a day longer than an approval may wait in the pipeline."""


class Status(StrEnum):
    """How far a plan has come."""

    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Saved:
    """What can be written as JSON and read back."""

    @classmethod
    def of(cls, data: object) -> Self:
        """Return ``data`` as this type; raises ``ValueError`` naming the member that is missing or of another type."""
        found: Self = _read(cls, data, cls.__name__.lower())
        return found

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file; raises ``OSError`` or ``ValueError``."""
        try:
            return cls.of(json.loads(path.read_text()))
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error

    def as_data(self) -> dict[str, Any]:
        """Return what JSON and DynamoDB can hold."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def save(self, path: Path) -> None:
        """Write a file."""
        write_whole(path, json.dumps(self.as_data(), indent=2) + "\n")


@dataclass(frozen=True, kw_only=True)
class Release(Saved):
    """What the Build stage made of a commit: the bytes that every environment gets."""

    commit: str
    release: str = ""
    lambda_sha256: str = ""
    openapi_sha256: str = ""
    created_at: str = ""
    terraform_version: str = ""
    provider_version: str = ""


@dataclass(frozen=True, kw_only=True)
class StateVersion(Saved):
    """One version of a state: its lineage stays for its life, its serial grows with every change."""

    lineage: str = ""
    serial: int = 0

    def __str__(self) -> str:
        return f"serial {self.serial} of lineage {self.lineage[:8]}" if self.lineage else "no state"


@dataclass(frozen=True, kw_only=True)
class Plan(Saved):
    """What was planned, from what, and until when it may be applied."""

    stack: str
    release: Release
    has_changes: bool
    risk: str
    summary: str
    state: StateVersion
    files: Mapping[str, str]
    """SHA-256 of all that the plan was made from: ``cdk.tf.json``, ``.terraform.lock.hcl``, every asset."""

    terraform_version: str
    providers: Mapping[str, str]
    expires_at: str
    pipeline: str = ""
    execution: str = ""
    review: str = ""
    """Where the review can be read."""


@dataclass(frozen=True, kw_only=True)
class Approval(Saved):
    """Who let a plan pass, and with which words."""

    by: str
    at: str
    comment: str = ""
    stage: str = ""


@dataclass(frozen=True, kw_only=True)
class Apply(Saved):
    """What became of a plan: it is taken once, before Terraform begins, and closed when that has ended."""

    status: str
    by: str
    started_at: str
    ended_at: str = ""
    pipeline: str = ""
    execution: str = ""
    approvals: tuple[Approval, ...] = ()
    said: str = ""
    state: StateVersion = field(default_factory=StateVersion)
    """The state that it left behind."""


@dataclass(frozen=True, kw_only=True)
class Record(Saved):
    """One plan for one environment."""

    environment: str
    plan_sha256: str
    created_at: str
    plan: Plan
    apply: Apply | None = None

    @property
    def status(self) -> Status:
        """How far it has come."""
        return Status(self.apply.status) if self.apply else Status.PLANNED

    @property
    def commit(self) -> str:
        """The commit it was made from."""
        return self.plan.release.commit


def now() -> str:
    """Return the time as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _read(kind: Any, value: Any, where: str) -> Any:
    if get_origin(kind) in (Union, UnionType):
        options = [option for option in get_args(kind) if option is not NoneType]
        return None if value is None else _read(options[0], value, where)
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, Mapping):
        hints = get_type_hints(kind)
        given = {each.name: value[each.name] for each in fields(kind) if each.name in value}
        try:
            return kind(**{name: _read(hints[name], item, f"{where}.{name}") for name, item in given.items()})
        except TypeError as error:
            raise ValueError(f"{where}: {error}") from error
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(_read(get_args(kind)[0], item, where) for item in value)
    if get_origin(kind) is Mapping and isinstance(value, Mapping):
        return {str(name): _read(get_args(kind)[1], item, f"{where}.{name}") for name, item in value.items()}
    # DynamoDB's numbers come as decimals.
    if kind is int and isinstance(value, Decimal) and value == int(value):
        return int(value)
    if type(value) is kind:
        return value
    raise ValueError(f"{where} is no {getattr(kind, '__name__', kind)}")
