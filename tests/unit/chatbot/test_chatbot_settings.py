"""Settings: complete ones are read, and whatever is missing or wrong is named."""

from datetime import timedelta

import pytest

from chatbot.settings import Settings, SettingsError

COMPLETE = {
    "TABLE_NAME": "parley-dev-conversations",
    "ENVIRONMENT": "dev",
    "BOT_NAME": "Parley",
    "RETENTION_DAYS": "30",
    "RESPONDER": "knowledge",
}


def test_complete_settings_are_read() -> None:
    """Each variable ends in its field, days as a duration."""
    settings = Settings.from_environment(COMPLETE | {"PATH": "/bin"})
    assert settings.table_name == "parley-dev-conversations"
    assert settings.retention == timedelta(days=30)


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    """Not set, empty and blank are all missing."""
    variables = {key: text for key, text in (COMPLETE | {name: value}).items() if text is not None}
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(variables)


@pytest.mark.parametrize(
    ("name", "value"),
    [("RETENTION_DAYS", days) for days in ("0", "-1", "1.5", "thirty", "3651", "9" * 5000, "٣٠")]
    + [("RESPONDER", "x")],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """The message says which variable, what would be right, and what was got."""
    with pytest.raises(SettingsError, match=f"{name} must be"):
        Settings.from_environment(COMPLETE | {name: value})
