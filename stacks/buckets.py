"""PrivateBucket: versioned, encrypted with our own key, over TLS only, closed to the public."""

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.s3_bucket import (
    S3Bucket,
    S3BucketLifecycleRule,
    S3BucketLifecycleRuleExpiration,
    S3BucketLifecycleRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import S3BucketVersioningA, S3BucketVersioningVersioningConfiguration
from constructs import Construct

from stacks import policies


class PrivateBucket(Construct):
    """A bucket whose superseded versions go after ``keep_old_days``, and its objects after those of ``expire_days``.

    ``expire_days`` has days by prefix; where two prefixes fit, the fewer days count.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        key_arn: str,
        keep_old_days: int,
        expire_days: Mapping[str, int] | None = None,
        prevent_destroy: bool = False,
    ) -> None:
        super().__init__(scope, id)
        self.bucket = S3Bucket(
            self,
            "bucket",
            bucket=name,
            force_destroy=not prevent_destroy,
            lifecycle_rule=[_clean_up(keep_old_days), *_expire(expire_days or {})],
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if prevent_destroy else None,
        )
        self.arn, self.name = self.bucket.arn, self.bucket.bucket
        self._encrypt(key_arn)
        self._close()
        self._version()

    def _encrypt(self, key_arn: str) -> None:
        default = S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
            sse_algorithm="aws:kms", kms_master_key_id=key_arn
        )
        rule = S3BucketServerSideEncryptionConfigurationRuleA(
            apply_server_side_encryption_by_default=default, bucket_key_enabled=True
        )
        S3BucketServerSideEncryptionConfigurationA(self, "encryption", bucket=self.bucket.id, rule=[rule])

    def _close(self) -> None:
        block = S3BucketPublicAccessBlock(
            self,
            "public_access",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        # Both change the bucket's policy status: at the same time, S3 answers one of them with a conflict.
        S3BucketPolicy(
            self, "policy", bucket=self.bucket.id, policy=policies.tls_only(self.bucket.arn), depends_on=[block]
        )

    def _version(self) -> None:
        S3BucketVersioningA(
            self,
            "versioning",
            bucket=self.bucket.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )


def _clean_up(keep_old_days: int) -> S3BucketLifecycleRule:
    """The bucket's own argument, since the resource for it watches the rules for a minute: docs/decisions/0003."""
    return S3BucketLifecycleRule(
        id="expire",
        enabled=True,
        abort_incomplete_multipart_upload_days=1,
        noncurrent_version_expiration=S3BucketLifecycleRuleNoncurrentVersionExpiration(days=keep_old_days),
    )


def _expire(days: Mapping[str, int]) -> list[S3BucketLifecycleRule]:
    return [
        S3BucketLifecycleRule(
            id=f"expire-{prefix.rstrip('/')}",
            enabled=True,
            prefix=prefix,
            expiration=S3BucketLifecycleRuleExpiration(days=number),
        )
        for prefix, number in days.items()
    ]
