"""Connections exist under both names of their service, and are available at once."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud import Cloud
from rehearsal.connections import Connections


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(account="111122223333", region="eu-central-1") as running:
        running.add(Connections().under_both_names())
        yield running


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_is_available_at_once_under_both_names(cloud: Cloud, service: str) -> None:
    """Whichever service made it, its ARN carries that service's name and either service shows it."""
    arn = cloud.client(service).create_connection(ConnectionName="git", ProviderType="GitHub")["ConnectionArn"]

    assert arn.startswith(f"arn:aws:{service}:eu-central-1:111122223333:connection/")
    for either in ("codeconnections", "codestar-connections"):
        connection = cloud.client(either).get_connection(ConnectionArn=arn)["Connection"]
        assert connection["ConnectionStatus"] == "AVAILABLE"
        assert cloud.client(either).list_connections()["Connections"] == [connection]


def test_tags_come_and_go(cloud: Cloud) -> None:
    """Tags given at creation and later are shown until they are taken away."""
    api = cloud.client("codeconnections")
    tags = [{"Key": "a", "Value": "1"}]
    arn = api.create_connection(ConnectionName="git", ProviderType="GitHub", Tags=tags)["ConnectionArn"]

    api.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    api.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert api.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_a_deleted_connection_is_gone(cloud: Cloud) -> None:
    """Deleted means not found, and deleting again says so too."""
    api = cloud.client("codeconnections")
    arn = api.create_connection(ConnectionName="git", ProviderType="GitHub")["ConnectionArn"]
    api.delete_connection(ConnectionArn=arn)

    for operation in (api.get_connection, api.delete_connection):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            operation(ConnectionArn=arn)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ConnectionName": "git", "ProviderType": "Sourceforge"}, "enum value set"),
        ({"ConnectionName": "x" * 33, "ProviderType": "GitHub"}, "less than or equal to 32"),
        ({"ConnectionName": "git"}, "ProviderType"),
        ({"ConnectionName": "git", "HostArn": "arn:aws:codeconnections:eu-central-1:1:host/x-abc"}, "HostArn|hosts"),
    ],
)
def test_a_connection_that_cannot_be_is_refused(cloud: Cloud, parameters: dict[str, str], message: str) -> None:
    """What the API's model forbids, and what the rehearsal does not emulate, is named."""
    with pytest.raises(ClientError, match=message):
        cloud.client("codeconnections").create_connection(**parameters)
