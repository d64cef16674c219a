"""The types that settings.py is written in: a project, its source and its environments, validated when made."""

import re
from dataclasses import dataclass
from enum import StrEnum

from stacks.checks import SettingsError, check, check_region, member, partitions
from stacks.environment import ACCOUNT, Approval, Environment, Model
from stacks.looks import ACCENT, Looks
from stacks.review import Review

__all__ = ["Approval", "Environment", "Model", "Project", "Provider", "Review", "SettingsError", "Source"]

NAME = re.compile(r"[a-z][a-z0-9-]{1,14}[a-z0-9]")
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)+")
CODECOMMIT_REPOSITORY = re.compile(r"[\w.-]{1,100}")
BRANCH = re.compile(r"(?![/.-])(?!.*(//|\.\.|@\{))[\w./@+-]{1,200}(?<![/.])")


class Provider(StrEnum):
    """Where the source code lives; the values are AWS's own names of a connection's provider type."""

    GITHUB = "GitHub"
    BITBUCKET = "Bitbucket"
    GITLAB = "GitLab"
    CODECOMMIT = "CodeCommit"


@dataclass(frozen=True, kw_only=True)
class Source:
    """The repository and branch whose pushes are delivered."""

    provider: Provider
    repository: str
    branch: str = "main"

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider", member(Provider, self.provider, "source"))
        if self.provider is Provider.CODECOMMIT:
            pattern, example = CODECOMMIT_REPOSITORY, "my-bot"
        else:
            pattern, example = REPOSITORY, "my-team/my-bot"
        check(
            pattern.fullmatch(self.repository),
            f"source: {self.provider} repository {self.repository!r} is not a name such as {example!r}",
        )
        check(BRANCH.fullmatch(self.branch), f"source: {self.branch!r} is not a branch name such as 'main'")


@dataclass(frozen=True, kw_only=True)
class Project:
    """Everything that a team decides: the names, the home account, the source and the environments in order."""

    name: str
    bot_name: str
    """What people call the bot, and see as the page's title."""
    greeting: str = ""
    """What it says first; left out, it greets with its name."""
    accent: str = ACCENT
    """The page's colour, readable on white."""
    accent_dark: str = ""
    """The same on a dark page; left out, the nearest to ``accent`` that is readable there."""
    answer_accuracy: int = 90
    """Per cent of the questions in ``tests/conversations/`` that the Build stage wants answered right."""
    account: str
    region: str
    source: Source
    environments: tuple[Environment, ...]
    review: Review | None = None
    """Whether and for whom pull requests are planned and commented on."""

    def __post_init__(self) -> None:
        check(
            NAME.fullmatch(self.name), f"project {self.name!r}: a name is 3 to 16 lower-case letters, digits and dashes"
        )
        _ = self.looks
        check(0 <= self.answer_accuracy <= 100, "answer_accuracy is from 0 to 100 per cent")
        check(ACCOUNT.fullmatch(self.account), f"account {self.account!r} is not 12 digits in quotes")
        check_region(self.region, f"project {self.name!r}")
        check(self.environments, "environments is empty; keep at least one")
        names = [environment.name for environment in self.environments]
        for name in names:
            check(names.count(name) == 1, f"environment {name!r} stands {names.count(name)} times; names are unique")
        if self.review and (problem := self.review.problem(self)):
            raise SettingsError(problem)

    @property
    def looks(self) -> Looks:
        """How the bot presents itself. Raises `SettingsError` where the page could not be read."""
        return Looks(bot_name=self.bot_name, greeting=self.greeting, accent=self.accent, accent_dark=self.accent_dark)

    def resource_name(self, part: str, environment: Environment | None = None) -> str:
        """The name of ``part``: every physical name in every account comes from here."""
        return "-".join((self.name, *([environment.name] if environment else []), part))

    def bucket_name(self, part: str) -> str:
        """The name of a bucket: unique in the world, since it carries account and region."""
        return f"{self.name}-{part}-{self.account}-{self.region}"

    @property
    def partition(self) -> str:
        """The AWS partition of the home region: ``aws``, or China's or a government's."""
        return partitions()[self.region]

    def account_of(self, environment: Environment) -> str:
        """The account that ``environment`` lives in."""
        return environment.account or self.account

    def region_of(self, environment: Environment) -> str:
        """The region that ``environment`` lives in."""
        return environment.region or self.region

    def is_remote(self, environment: Environment) -> bool:
        """Whether ``environment`` lives in an account other than the pipeline's."""
        return self.account_of(environment) != self.account
