"""The types that an environment is written in: where it is, what it allows, and which model answers."""

import re
from dataclasses import dataclass
from enum import StrEnum

from stacks.checks import check, check_region, member

NAME = re.compile(r"[a-z][a-z0-9]{1,11}")
ACCOUNT = re.compile(r"\d{12}")
ORIGIN = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
TOPIC = re.compile(r"arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}", re.ASCII)
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
MODEL_ID = re.compile(r"(?!arn:)[\w.:-]{1,256}", re.ASCII)
GUARDRAIL_ID = re.compile(r"[a-z0-9]{1,64}")
GUARDRAIL_VERSION = re.compile(r"[1-9]\d{0,7}|DRAFT")
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
MOST_ORIGINS = 20
NEVER, DAILY = "never", "rate(1 day)"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
SCHEDULE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )[1-9]\d{0,4} (minutes|hours|days))\)|cron\(\S+( \S+){5}\)")


class Approval(StrEnum):
    """When a person is asked before an environment's plan is applied."""

    NEVER = "never"
    ON_CHANGE = "on_change"
    ALWAYS = "always"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model on Amazon Bedrock that answers from the knowledge, and what it may spend."""

    id: str
    """Of a foundation model, or of an inference profile, such as ``eu.anthropic.claude-haiku-4-5-20251001-v1:0``."""
    daily_tokens: int
    """Tokens that all conversations together may spend a day (UTC); then the bot says when it answers again."""
    region: str | None = None
    """The model's AWS region, where that is not the environment's."""
    guardrail_id: str | None = None
    guardrail_version: str | None = None
    context_tokens: int = 12_000
    """Tokens that a question may have together with the passages, the conversation and the instructions."""
    reply_tokens: int = 800
    """Tokens that an answer may have."""
    link_hosts: tuple[str, ...] = ()
    """Sites that an answer may link to, besides the addresses that stand in the knowledge."""

    def __post_init__(self) -> None:
        where = f"model {self.id!r}"
        check(MODEL_ID.fullmatch(self.id), f"{where}: an id is that of a model or of an inference profile, not an ARN")
        check(4_000 <= self.context_tokens <= 100_000, f"{where}: context_tokens is from 4000 to 100000")
        check(100 <= self.reply_tokens <= 4_000, f"{where}: reply_tokens is from 100 to 4000")
        check(
            self.most_tokens <= self.daily_tokens <= 10**12,
            f"{where}: daily_tokens is at least {self.most_tokens}, which a single reply may need, tried twice",
        )
        if self.region is not None:
            check_region(self.region, where)
        check(
            (self.guardrail_id is None) == (self.guardrail_version is None),
            f"{where}: guardrail_id and guardrail_version go together",
        )
        if self.guardrail_id is not None:
            check(GUARDRAIL_ID.fullmatch(self.guardrail_id), f"{where}: guardrail_id is an id, not an ARN")
            version = self.guardrail_version or ""
            check(GUARDRAIL_VERSION.fullmatch(version), f"{where}: guardrail_version is a number in quotes, or 'DRAFT'")
        for host in self.link_hosts:
            check(HOST.fullmatch(host), f"{where}: link_hosts: {host!r} is no host such as 'www.example.com'")

    @property
    def most_tokens(self) -> int:
        """What one reply may need: the model is tried twice."""
        return 2 * (self.context_tokens + self.reply_tokens)


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
    model: Model | None = None
    """The model that answers; without one, the sections of the knowledge do."""
    retention_days: int = 30
    """Days for which a conversation can be read."""
    backup_days: int = 35
    """Days for which the table can be restored to, and what was deleted is kept by its backups."""
    alarm_topics: tuple[str, ...] = ()
    """ARNs of the SNS topics that hear of alarms."""
    log_retention_days: int = 30
    log_content: bool = False
    """Whether the log holds what people write."""
    deletion_protection: bool = False
    """Whether DynamoDB refuses to delete the table of conversations."""
    messages_per_minute: int = 60
    """Messages that one conversation takes in a minute."""
    requests_per_second: int = 50
    """Requests that API Gateway lets through to an operation of the API, from everyone together."""
    burst: int = 100
    """Requests that it lets through at once."""
    drift_schedule: str | None = None
    """When to look for drift: ``rate(1 day)``, ``cron(0 6 * * ? *)``, ``never``; daily where plans are approved."""
    allowed_origins: tuple[str, ...] = ()
    """Sites whose pages may call the API, such as ``https://www.example.com``.

    With several, what API Gateway refuses by itself can be read from any site: a gateway response cannot look one up.
    """

    def __post_init__(self) -> None:
        where = f"environment {self.name!r}"
        check(NAME.fullmatch(self.name), f"{where}: a name is 2 to 12 lower-case letters and digits")
        object.__setattr__(self, "approval", member(Approval, self.approval, where))
        check(self.account is None or ACCOUNT.fullmatch(self.account), f"{where}: account is 12 digits in quotes")
        if self.region is not None:
            check_region(self.region, where)
        self._check_limits(where)
        check(
            self.drift_schedule in (None, NEVER) or SCHEDULE.fullmatch(self.drift_schedule or ""),
            f"{where}: drift_schedule {self.drift_schedule!r} is no schedule such as 'rate(1 day)' or 'never'",
        )
        for topic in self.alarm_topics:
            check(TOPIC.fullmatch(topic), f"{where}: alarm_topics: {topic!r} is no ARN of an SNS topic")
        check(len(self.allowed_origins) <= MOST_ORIGINS, f"{where}: allowed_origins has at most {MOST_ORIGINS} sites")
        for origin in self.allowed_origins:
            check(
                ORIGIN.fullmatch(origin),
                f"{where}: allowed_origins: {origin!r} is no origin such as 'https://www.example.com'",
            )

    @property
    def looks_for_drift(self) -> str | None:
        """The schedule on which to look for drift, if any: where somebody approves plans, somebody wants to know."""
        if self.drift_schedule == NEVER or (self.drift_schedule is None and self.approval is Approval.NEVER):
            return None
        return self.drift_schedule or DAILY

    def _check_limits(self, where: str) -> None:
        limits = {"retention_days": 3650, "backup_days": 35, "messages_per_minute": 6_000}
        limits |= {"requests_per_second": 10_000, "burst": 5_000}
        for name, most in limits.items():
            check(1 <= getattr(self, name) <= most, f"{where}: {name} is from 1 to {most}")
        check(
            self.log_retention_days in LOG_RETENTION_DAYS,
            f"{where}: log_retention_days is one of {', '.join(map(str, LOG_RETENTION_DAYS))}",
        )
