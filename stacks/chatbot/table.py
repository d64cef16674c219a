"""ConversationTable: where conversations are kept, and for how long."""

from cdktf_cdktf_provider_aws.dynamodb_table import (
    DynamodbTable,
    DynamodbTableAttribute,
    DynamodbTableGlobalSecondaryIndex,
    DynamodbTablePointInTimeRecovery,
    DynamodbTableServerSideEncryption,
    DynamodbTableTtl,
)
from constructs import Construct

from stacks import policies
from stacks.project import Environment

REVIEW = "review"
"""The index of turns that have the attribute of this name, by time: what should be looked at, and nothing else."""


class ConversationTable(Construct):
    """One item a turn; each goes when its ``expires_at`` has passed."""

    def __init__(self, scope: Construct, id: str, *, name: str, environment: Environment) -> None:
        super().__init__(scope, id)
        self._table = DynamodbTable(
            self,
            "table",
            name=name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attribute=[
                DynamodbTableAttribute(name=attribute, type="S") for attribute in ("pk", "sk", REVIEW, "created_at")
            ],
            global_secondary_index=[
                DynamodbTableGlobalSecondaryIndex(
                    name=REVIEW, hash_key=REVIEW, range_key="created_at", projection_type="KEYS_ONLY"
                )
            ],
            ttl=DynamodbTableTtl(attribute_name="expires_at", enabled=True),
            point_in_time_recovery=DynamodbTablePointInTimeRecovery(
                enabled=True, recovery_period_in_days=environment.backup_days
            ),
            server_side_encryption=DynamodbTableServerSideEncryption(enabled=True),
            deletion_protection_enabled=environment.deletion_protection,
        )
        self.name = self._table.name

    def read_and_write(self) -> policies.Statement:
        """What whoever holds conversations may do here; the index is for those who look after the bot."""
        actions = ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
        return policies.allow([f"dynamodb:{action}" for action in actions], [self._table.arn])
