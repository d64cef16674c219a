"""Settings: complete ones are read, and whatever is missing or wrong is named."""

from datetime import timedelta

import pytest

from chatbot.settings import ModelSettings, Settings, SettingsError

COMPLETE = {
    "TABLE_NAME": "parley-dev-conversations",
    "ENVIRONMENT": "dev",
    "BOT_NAME": "Parley",
    "GREETING": "Hello!",
    "ACCENT": "#2f5fdd",
    "ACCENT_DARK": "#7a98e9",
    "RETENTION_DAYS": "30",
    "RESPONDER": "knowledge",
    "MESSAGES_PER_MINUTE": "60",
    "BACKUP_DAYS": "35",
    "POWERTOOLS_METRICS_NAMESPACE": "parley",
}
MODEL = COMPLETE | {
    "RESPONDER": "bedrock",
    "MODEL_ID": "some.model-v1:0",
    "CONTEXT_TOKENS": "12000",
    "REPLY_TOKENS": "800",
    "DAILY_TOKENS": "100000",
}
KNOWN = {"model_id": "some.model-v1:0", "context_tokens": 12_000, "reply_tokens": 800, "daily_tokens": 100_000}


def test_complete_settings_are_read() -> None:
    """Each variable ends in its field, days as a duration."""
    settings = Settings.from_environment(COMPLETE | {"PATH": "/bin"})
    assert settings.table_name == "parley-dev-conversations"
    assert settings.retention == timedelta(days=30)
    assert settings.messages_per_minute == 60
    assert settings.model is None


@pytest.mark.parametrize("colour", ["blue", "#fff", "#2F5FDD", "#2f5fdd;}</style>"])
def test_a_colour_that_is_none_is_told(colour: str) -> None:
    """It goes into the page's style, so nothing else may."""
    with pytest.raises(SettingsError, match="ACCENT_DARK must be a colour such as #2f5fdd"):
        Settings.from_environment(COMPLETE | {"ACCENT_DARK": colour})


def test_what_is_not_set_is_off() -> None:
    """No other site may call, and no content is logged, unless someone says so."""
    settings = Settings.from_environment(COMPLETE)
    assert settings.allowed_origins == ()
    assert settings.log_content is False


def test_what_is_set_is_on() -> None:
    """Several sites stand in one variable, with blanks between them."""
    settings = Settings.from_environment(
        COMPLETE | {"ALLOWED_ORIGINS": "https://a.example  https://b.example", "LOG_CONTENT": "true"}
    )
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.log_content is True


def test_a_model_has_settings_of_its_own() -> None:
    """What is not given of them is not there."""
    assert Settings.from_environment(MODEL).model == ModelSettings(
        **KNOWN, region=None, guardrail_id=None, guardrail_version=None, link_hosts=()
    )
    more = {"MODEL_REGION": "eu-west-1", "GUARDRAIL_ID": "gr", "GUARDRAIL_VERSION": "3", "LINK_HOSTS": "a.b c.d"}
    assert Settings.from_environment(MODEL | more).model == ModelSettings(
        **KNOWN, region="eu-west-1", guardrail_id="gr", guardrail_version="3", link_hosts=("a.b", "c.d")
    )


@pytest.mark.parametrize("name", ["MODEL_ID", "CONTEXT_TOKENS", "REPLY_TOKENS", "DAILY_TOKENS"])
def test_a_model_without_its_settings_is_told(name: str) -> None:
    """A model cannot be asked without its id, nor without a cap."""
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({key: value for key, value in MODEL.items() if key != name})


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"GUARDRAIL_ID": "gr"}, "GUARDRAIL_VERSION is missing"),
        ({"CONTEXT_TOKENS": "3999"}, "CONTEXT_TOKENS must be a whole number of tokens from 4000 to 100000, got '3999'"),
        ({"REPLY_TOKENS": "99"}, "REPLY_TOKENS must be a whole number of tokens from 100 to 4000, got '99'"),
    ],
)
def test_a_model_that_could_not_answer_is_told(variables: dict[str, str], told: str) -> None:
    """A guardrail has a version, and a question and its answer need some room."""
    with pytest.raises(SettingsError, match=told):
        Settings.from_environment(MODEL | variables)


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
    + [("MESSAGES_PER_MINUTE", "0"), ("MESSAGES_PER_MINUTE", "many"), ("BACKUP_DAYS", "36")]
    + [("RESPONDER", "x"), ("RESPONDER", "Bedrock"), ("LOG_CONTENT", "yes")],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """The message says which variable, what would be right, and what was got."""
    with pytest.raises(SettingsError, match=f"{name} must be"):
        Settings.from_environment(COMPLETE | {name: value})
