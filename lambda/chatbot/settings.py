"""The environment variables of the function, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


class SettingsError(ValueError):
    """The function's environment variables are incomplete or wrong."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the infrastructure tells the bot."""

    table_name: str
    environment: str
    bot_name: str
    retention: timedelta
    responder: str

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables.

        Raises SettingsError naming the variable that is missing or wrong.
        """
        return cls(
            table_name=_required(variables, "TABLE_NAME"),
            environment=_required(variables, "ENVIRONMENT"),
            bot_name=_required(variables, "BOT_NAME"),
            retention=_days(_required(variables, "RETENTION_DAYS"), name="RETENTION_DAYS"),
            responder=_known_responder(_required(variables, "RESPONDER")),
        )


RESPONDERS = ("knowledge",)
LONGEST_RETENTION_DAYS = 3650


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "").strip()
    if not value:
        raise SettingsError(f"environment variable {name} is missing or empty; set it on the Lambda function")
    return value


def _days(text: str, *, name: str) -> timedelta:
    days = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not 1 <= days <= LONGEST_RETENTION_DAYS:
        raise SettingsError(
            f"environment variable {name} must be a whole number of days from 1 to {LONGEST_RETENTION_DAYS}, "
            f"got {text!r}"
        )
    return timedelta(days=days)


def _known_responder(name: str) -> str:
    if name not in RESPONDERS:
        raise SettingsError(f"environment variable RESPONDER must be one of {', '.join(RESPONDERS)}, got {name!r}")
    return name
