"""AWS asked by hand, from a shell that has nothing to do with it yet."""

import os

import pytest

from delivery.aws import asking, client
from delivery.diagnosis import diagnose
from delivery.errors import DeliveryError

ENV = 'eval "$(.venv/bin/python -m rehearsal env)"'


def test_a_shell_without_credentials_learns_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of AWS, or of the rehearsal that serves beside it: in one line."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # An earlier test's session would still have its credentials.
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(DeliveryError) as told, asking("the ledger cannot be used"):
        client("dynamodb", "eu-central-1").list_tables()
    assert "aws sso login" in str(told.value)
    assert ENV in str(told.value)
    assert "\n" not in str(told.value)


def test_the_region_that_is_asked_for_is_taken_by_the_name_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is that of every SDK but Python's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(DeliveryError, match=r"^the build: no AWS region; set AWS_REGION$"), asking("the build"):
        client("codebuild")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    assert client("codebuild").meta.region_name == "eu-central-1"
    assert client("codebuild", "us-east-1").meta.region_name == "us-east-1"


def test_so_does_one_whom_terraform_sends_away() -> None:
    """In the same words."""
    assert ENV in diagnose("dev", "Error: No valid credential sources found")


def test_a_command_that_terraform_s_error_calls_for_works_as_typed() -> None:
    """In the project's folder, whatever python is on the shell's path."""
    assert "`.venv/bin/python -m delivery bootstrap`" in diagnose("dev", 'Error: S3 bucket "acme" does not exist')
