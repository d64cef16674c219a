"""StateStack: where Terraform's state, its locks and the ledger of plans are kept, and the key that encrypts them."""

from cdktf import TerraformOutput, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.dynamodb_table import (
    DynamodbTable,
    DynamodbTableAttribute,
    DynamodbTableLocalSecondaryIndex,
    DynamodbTablePointInTimeRecovery,
    DynamodbTableServerSideEncryption,
)
from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from constructs import Construct

from stacks.base import BaseStack
from stacks.buckets import PrivateBucket
from stacks.project import Project

KEEP = TerraformResourceLifecycle(prevent_destroy=True)
OLD_STATE_DAYS = 90


class StateStack(BaseStack):
    """The stack that all others stand on; ``python -m delivery bootstrap`` makes it."""

    def __init__(self, scope: Construct, *, project: Project) -> None:
        super().__init__(scope, "state", project=project)
        key = KmsKey(
            self,
            "key",
            description=f"State, plans and artifacts of {project.name}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
        )
        KmsAlias(self, "alias", name=key_alias(project), target_key_id=key.key_id)
        bucket = PrivateBucket(
            self,
            "bucket",
            name=project.bucket_name("state"),
            key_arn=key.arn,
            keep_old_days=OLD_STATE_DAYS,
            prevent_destroy=True,
        )
        locks, ledger = self._lock_table(key), self._ledger(key)
        TerraformOutput(self, "bucket_output", value=bucket.name).override_logical_id("bucket")
        TerraformOutput(self, "lock_table", value=locks.name)
        TerraformOutput(self, "ledger_table", value=ledger.name)

    def _lock_table(self, key: KmsKey) -> DynamodbTable:
        """https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking"""
        return self._table("locks", key, "LockID")

    def _ledger(self, key: KmsKey) -> DynamodbTable:
        """Every plan by its environment and digest, and in the order in which an environment's were made."""
        by_time = DynamodbTableLocalSecondaryIndex(name="by-time", range_key="created_at", projection_type="ALL")
        return self._table("ledger", key, "environment", "plan_sha256", by_time)

    def _table(
        self,
        part: str,
        key: KmsKey,
        hash_key: str,
        range_key: str | None = None,
        index: DynamodbTableLocalSecondaryIndex | None = None,
    ) -> DynamodbTable:
        names = [name for name in (hash_key, range_key, index.range_key if index else None) if name]
        return DynamodbTable(
            self,
            part,
            name=self.name_of(part),
            billing_mode="PAY_PER_REQUEST",
            hash_key=hash_key,
            range_key=range_key,
            attribute=[DynamodbTableAttribute(name=name, type="S") for name in names],
            local_secondary_index=[index] if index else None,
            point_in_time_recovery=DynamodbTablePointInTimeRecovery(enabled=True),
            server_side_encryption=DynamodbTableServerSideEncryption(enabled=True, kms_key_arn=key.arn),
            lifecycle=KEEP,
        )


def key_alias(project: Project) -> str:
    """The alias of the key that encrypts state, plans and artifacts."""
    return f"alias/{project.name}"
