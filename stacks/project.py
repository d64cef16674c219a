"""The types that settings.py is written in: a project, its source and its environments, validated when made."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9-]{1,14}[a-z0-9]")
ENVIRONMENT_NAME = re.compile(r"[a-z][a-z0-9]{1,11}")
ACCOUNT = re.compile(r"\d{12}")
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)+")
CODECOMMIT_REPOSITORY = re.compile(r"[\w.-]{1,100}")
BRANCH = re.compile(r"(?![/.-])(?!.*(//|\.\.|@\{))[\w./@+-]{1,200}(?<![/.])")


class SettingsError(ValueError):
    """A setting that cannot be deployed; the message says which, what was got, and what to write instead."""


class Provider(StrEnum):
    """Where the source code lives; the values are AWS's own names of a connection's provider type."""

    GITHUB = "GitHub"
    BITBUCKET = "Bitbucket"
    GITLAB = "GitLab"
    CODECOMMIT = "CodeCommit"


class Approval(StrEnum):
    """When a person is asked before an environment's plan is applied."""

    NEVER = "never"
    ON_CHANGE = "on_change"
    ALWAYS = "always"


def _check(valid: object, message: str) -> None:
    if not valid:
        raise SettingsError(message)


def _member[E: StrEnum](kind: type[E], value: object, where: str) -> E:
    try:
        return kind(value)  # type: ignore[arg-type]
    except ValueError:
        raise SettingsError(
            f"{where}: unknown {kind.__name__.lower()} {value!r}; use one of {', '.join(kind)}"
        ) from None


@cache
def _partitions() -> dict[str, str]:
    """The partition of every AWS region, as the SDK lists them; read as a file, since importing the SDK is slow."""
    spec = find_spec("botocore")
    if spec is None or not spec.origin:
        raise SettingsError("botocore is not installed; run make setup")
    partitions = json.loads((Path(spec.origin).parent / "data" / "partitions.json").read_bytes())["partitions"]
    return {region: partition["id"] for partition in partitions for region in partition["regions"]}


def _check_region(region: str, where: str) -> None:
    _check(region in _partitions(), f"{where}: unknown region {region!r}; write one such as 'eu-central-1'")


@dataclass(frozen=True, kw_only=True)
class Source:
    """The repository and branch whose pushes are delivered."""

    provider: Provider
    repository: str
    branch: str = "main"

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider", _member(Provider, self.provider, "source"))
        if self.provider is Provider.CODECOMMIT:
            pattern, example = CODECOMMIT_REPOSITORY, "my-bot"
        else:
            pattern, example = REPOSITORY, "my-team/my-bot"
        _check(
            pattern.fullmatch(self.repository),
            f"source: {self.provider} repository {self.repository!r} is not a name such as {example!r}",
        )
        _check(BRANCH.fullmatch(self.branch), f"source: {self.branch!r} is not a branch name such as 'main'")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One deployed copy of the chatbot."""

    name: str
    account: str | None = None
    """Its AWS account, where that is not the project's."""
    region: str | None = None
    """Its AWS region, where that is not the project's."""
    approval: Approval = Approval.NEVER
    destructive_approval: bool = False
    """Whether a plan that loses data needs an approval of its own, besides that of ``approval``."""
    retention_days: int = 30
    """Days for which a conversation can be read."""
    log_retention_days: int = 30
    deletion_protection: bool = False
    """Whether DynamoDB refuses to delete the table of conversations."""

    def __post_init__(self) -> None:
        where = f"environment {self.name!r}"
        _check(ENVIRONMENT_NAME.fullmatch(self.name), f"{where}: a name is 2 to 12 lower-case letters and digits")
        object.__setattr__(self, "approval", _member(Approval, self.approval, where))
        _check(self.account is None or ACCOUNT.fullmatch(self.account), f"{where}: account is 12 digits in quotes")
        if self.region is not None:
            _check_region(self.region, where)
        _check(1 <= self.retention_days <= 3650, f"{where}: retention_days is from 1 to 3650")
        _check(
            self.log_retention_days in LOG_RETENTION_DAYS,
            f"{where}: log_retention_days is one of {', '.join(map(str, LOG_RETENTION_DAYS))}",
        )


# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Project:
    """Everything that a team decides: the names, the home account, the source and the environments in order."""

    name: str
    bot_name: str
    account: str
    region: str
    source: Source
    environments: tuple[Environment, ...]

    def __post_init__(self) -> None:
        _check(
            NAME.fullmatch(self.name), f"project {self.name!r}: a name is 3 to 16 lower-case letters, digits and dashes"
        )
        _check(1 <= len(self.bot_name) <= 40, "bot_name has 1 to 40 characters")
        _check(ACCOUNT.fullmatch(self.account), f"account {self.account!r} is not 12 digits in quotes")
        _check_region(self.region, f"project {self.name!r}")
        _check(self.environments, "environments is empty; keep at least one")
        names = [environment.name for environment in self.environments]
        for name in names:
            _check(names.count(name) == 1, f"environment {name!r} stands {names.count(name)} times; names are unique")

    def resource_name(self, part: str, environment: Environment | None = None) -> str:
        """The name of ``part``: every physical name in every account comes from here."""
        return "-".join((self.name, *([environment.name] if environment else []), part))

    def bucket_name(self, part: str) -> str:
        """The name of a bucket: unique in the world, since it carries account and region."""
        return f"{self.name}-{part}-{self.account}-{self.region}"

    @property
    def partition(self) -> str:
        """The AWS partition of the home region: ``aws``, or China's or a government's."""
        return _partitions()[self.region]

    def account_of(self, environment: Environment) -> str:
        """The account that ``environment`` lives in."""
        return environment.account or self.account

    def region_of(self, environment: Environment) -> str:
        """The region that ``environment`` lives in."""
        return environment.region or self.region

    def is_remote(self, environment: Environment) -> bool:
        """Whether ``environment`` lives in an account other than the pipeline's."""
        return self.account_of(environment) != self.account
