"""The environment variables of the function, as one frozen value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from chatbot.contract import ResponderName
from chatbot.looks import COLOUR, Looks

# Instructions, a question and a passage need this much, and so does a short answer.
LEAST_CONTEXT_TOKENS = 4_000
LEAST_REPLY_TOKENS = 100


class SettingsError(ValueError):
    """The function's environment variables are incomplete or wrong."""


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Which model answers, and how much of it a day."""

    model_id: str
    region: str | None
    """The model's region, where that is not the function's."""
    guardrail_id: str | None
    guardrail_version: str | None
    context_tokens: int
    """Tokens that a question may have together with the passages, the conversation and the instructions."""
    reply_tokens: int
    """Tokens that an answer may have."""
    link_hosts: tuple[str, ...]
    """Sites that an answer may link to, besides the addresses that stand in the knowledge."""
    daily_tokens: int
    """Tokens that all conversations of the environment may spend a day (UTC), in and out."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the infrastructure tells the bot."""

    table_name: str
    environment: str
    looks: Looks
    retention: timedelta
    responder: ResponderName
    metrics_namespace: str
    messages_per_minute: int
    allowed_origins: tuple[str, ...]
    """Sites whose pages may call the API (CORS), besides its own."""
    backup_days: int
    """For how long backups of the table keep what was deleted."""
    log_content: bool
    """Whether what people write may stand in the log."""
    model: ModelSettings | None
    """None unless the responder is a model."""

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Raises SettingsError naming the variable that is missing or wrong.
        """
        read = _Reader(variables)
        responder = read.responder("RESPONDER")
        return cls(
            table_name=read.text("TABLE_NAME"),
            environment=read.text("ENVIRONMENT"),
            looks=read.looks(),
            retention=timedelta(days=read.number("RETENTION_DAYS", unit="days", most=3650)),
            responder=responder,
            metrics_namespace=read.text("POWERTOOLS_METRICS_NAMESPACE"),
            messages_per_minute=read.number("MESSAGES_PER_MINUTE", unit="messages", most=6_000),
            allowed_origins=tuple(read.optional("ALLOWED_ORIGINS", "").split()),
            backup_days=read.number("BACKUP_DAYS", unit="days", most=35),
            log_content=read.switch("LOG_CONTENT"),
            model=read.model() if responder == "bedrock" else None,
        )


def looks(variables: Mapping[str, str]) -> Looks:
    """Read from environment variables how the bot presents itself; raises SettingsError as the whole does."""
    return _Reader(variables).looks()


@dataclass(frozen=True)
class _Reader:
    """Takes variables one by one; each method raises SettingsError."""

    variables: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.optional(name, "")
        if not value:
            raise SettingsError(f"environment variable {name} is missing or empty; set it on the Lambda function")
        return value

    def optional[T](self, name: str, default: T) -> str | T:
        return self.variables.get(name, "").strip() or default

    def number(self, name: str, *, unit: str, most: int, least: int = 1) -> int:
        text = self.text(name)
        value = int(text) if re.fullmatch("[0-9]{1,12}", text) else 0
        if not least <= value <= most:
            raise SettingsError(
                f"environment variable {name} must be a whole number of {unit} from {least} to {most}, got {text!r}"
            )
        return value

    def switch(self, name: str) -> bool:
        text = self.optional(name, "false")
        if text not in ("true", "false"):
            raise SettingsError(f"environment variable {name} must be true or false, got {text!r}")
        return text == "true"

    def responder(self, name: str) -> ResponderName:
        match self.text(name):
            case "knowledge" | "bedrock" as known:
                return known
            case unknown:
                raise SettingsError(f"environment variable {name} must be knowledge or bedrock, got {unknown!r}")

    def looks(self) -> Looks:
        return Looks(
            bot_name=self.text("BOT_NAME"),
            greeting=self.text("GREETING"),
            accent=self.colour("ACCENT"),
            accent_dark=self.colour("ACCENT_DARK"),
        )

    def colour(self, name: str) -> str:
        text = self.text(name)
        if not re.fullmatch(COLOUR, text):
            raise SettingsError(f"environment variable {name} must be a colour such as #2f5fdd, got {text!r}")
        return text

    def model(self) -> ModelSettings:
        guardrail_id = self.optional("GUARDRAIL_ID", None)
        return ModelSettings(
            model_id=self.text("MODEL_ID"),
            region=self.optional("MODEL_REGION", None),
            guardrail_id=guardrail_id,
            guardrail_version=self.text("GUARDRAIL_VERSION") if guardrail_id else None,
            context_tokens=self.number("CONTEXT_TOKENS", unit="tokens", least=LEAST_CONTEXT_TOKENS, most=100_000),
            reply_tokens=self.number("REPLY_TOKENS", unit="tokens", least=LEAST_REPLY_TOKENS, most=4_000),
            link_hosts=tuple(self.optional("LINK_HOSTS", "").split()),
            daily_tokens=self.number("DAILY_TOKENS", unit="tokens", most=10**12),
        )
