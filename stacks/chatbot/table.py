"""ConversationTable: where conversations are kept, and for how long."""

from cdktf_cdktf_provider_aws.dynamodb_table import (
    DynamodbTable,
    DynamodbTableAttribute,
    DynamodbTablePointInTimeRecovery,
    DynamodbTableServerSideEncryption,
    DynamodbTableTtl,
)
from constructs import Construct

from stacks import policies


class ConversationTable(Construct):
    """One item a turn; each goes when its ``expires_at`` has passed."""

    def __init__(self, scope: Construct, id: str, *, name: str, protected: bool) -> None:
        super().__init__(scope, id)
        self._table = DynamodbTable(
            self,
            "table",
            name=name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attribute=[DynamodbTableAttribute(name="pk", type="S"), DynamodbTableAttribute(name="sk", type="S")],
            ttl=DynamodbTableTtl(attribute_name="expires_at", enabled=True),
            point_in_time_recovery=DynamodbTablePointInTimeRecovery(enabled=True),
            server_side_encryption=DynamodbTableServerSideEncryption(enabled=True),
            deletion_protection_enabled=protected,
        )
        self.name = self._table.name

    def read_and_write(self) -> policies.Statement:
        """What whoever holds conversations may do here."""
        actions = ("ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
        return policies.allow([f"dynamodb:{action}" for action in actions], [self._table.arn])
