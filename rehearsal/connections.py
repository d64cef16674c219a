"""CodeConnections: connections to git providers that are available at once, under both of the service's names."""

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from rehearsal.constraints import enforce
from rehearsal.protocol import Caller, JsonService, ServiceError


@dataclass(frozen=True)
class Connection:
    """One connection as the API shows it, and its tags."""

    description: dict[str, Any]
    tags: dict[str, str]

    def tag_list(self) -> list[dict[str, str]]:
        """Return the tags as the API has them."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]


class Connections(JsonService):
    """CodeConnections, which CodeStar Connections was renamed to: the operations and shapes are the same.

    On AWS a connection is PENDING until a person completes the provider's handshake in the console; the machine has no
    console, so here it is AVAILABLE from the start.
    https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_CreateConnection.html
    """

    service: ClassVar[str] = "codeconnections"
    # botocore writes the prefix out, the SDK for Go does not.
    target_prefixes: ClassVar[Iterable[str]] = (
        "com.amazonaws.codeconnections.CodeConnections_20231201",
        "CodeConnections_20231201",
    )

    def __init__(self, connections: dict[str, Connection] | None = None) -> None:
        self._lock = threading.Lock()
        self._connections = {} if connections is None else connections

    def under_both_names(self) -> list[JsonService]:
        """Return this service and its older name's, which knows the same connections."""
        return [self, CodeStarConnections(self._connections)]

    def create_connection(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Return the ARN of a new connection."""
        enforce(self.service, "CreateConnection", parameters)
        if "HostArn" in parameters:
            raise ServiceError("ResourceUnavailableException", "the rehearsal does not emulate hosts of connections")
        if "ProviderType" not in parameters:
            raise ServiceError("InvalidInputException", "one of ProviderType and HostArn is required")
        arn = f"arn:aws:{self.service}:{caller.region}:{caller.account}:connection/{uuid.uuid4()}"
        connection = Connection(
            description={
                "ConnectionName": parameters["ConnectionName"],
                "ConnectionArn": arn,
                "ProviderType": parameters["ProviderType"],
                "OwnerAccountId": caller.account,
                "ConnectionStatus": "AVAILABLE",
            },
            tags={tag["Key"]: tag["Value"] for tag in parameters.get("Tags", [])},
        )
        with self._lock:
            self._connections[arn] = connection
            return {"ConnectionArn": arn, "Tags": connection.tag_list()}

    def get_connection(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Return one connection."""
        with self._lock:
            return {"Connection": dict(self._found(parameters["ConnectionArn"]).description)}

    def list_connections(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Return the caller's connections, all in one page."""
        wanted = parameters.get("ProviderTypeFilter")
        with self._lock:
            every = [dict(connection.description) for connection in self._connections.values()]
        mine = [each for each in every if each["OwnerAccountId"] == caller.account]
        return {"Connections": [each for each in mine if wanted in (None, each["ProviderType"])]}

    def delete_connection(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Forget one connection."""
        with self._lock:
            del self._connections[self._found(parameters["ConnectionArn"]).description["ConnectionArn"]]
        return {}

    def tag_resource(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Add tags to a connection."""
        with self._lock:
            tags = self._found(parameters["ResourceArn"]).tags
            tags.update({tag["Key"]: tag["Value"] for tag in parameters["Tags"]})
        return {}

    def untag_resource(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Take tags from a connection."""
        with self._lock:
            tags = self._found(parameters["ResourceArn"]).tags
            for key in parameters["TagKeys"]:
                tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Return a connection's tags."""
        with self._lock:
            return {"Tags": self._found(parameters["ResourceArn"]).tag_list()}

    def _found(self, arn: str) -> Connection:
        if arn not in self._connections:
            raise ServiceError("ResourceNotFoundException", f"Could not find Connection by given arn, {arn}")
        return self._connections[arn]


class CodeStarConnections(Connections):
    """The service under the name it had until 2024, which its ARNs still carry when they were made through it.

    https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
    """

    service = "codestar-connections"
    target_prefixes = (
        "com.amazonaws.codestar.connections.CodeStar_connections_20191201",
        "CodeStar_connections_20191201",
    )
