"""How dangerous a change is: one table to read, and to argue about."""

from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Final


class Risk(IntEnum):
    """Grades of risk, from the harmless to the irreversible."""

    NONE = 0
    ORDINARY = 1
    SENSITIVE = 2
    DESTRUCTIVE = 3

    def __str__(self) -> str:
        return self.name.lower()


STATEFUL: Final = {
    "aws_dynamodb_table": "a table and its items",
    "aws_s3_bucket": "a bucket and its objects",
    "aws_kms_key": "a key, and with it everything it encrypts",
    "aws_cloudwatch_log_group": "a log group and its events",
    "aws_cognito_user_pool": "a user pool and its users",
    "aws_codecommit_repository": "a repository and its history",
    "aws_secretsmanager_secret": "a secret",
    "aws_sqs_queue": "a queue and its messages",
    "aws_db_instance": "a database",
    "aws_rds_cluster": "a database",
    "aws_efs_file_system": "a file system",
    "aws_backup_vault": "a backup vault",
}
"""What is lost for good when a resource of the type is destroyed or replaced."""

SENSITIVE_TYPES: Final = (
    ("aws_iam_*", "who may do what"),
    ("aws_kms_*", "encryption keys"),
    ("aws_lambda_permission", "who may call the function"),
    ("aws_lambda_function_url", "public access"),
    ("aws_*_policy", "who may use the resource"),
    ("aws_s3_bucket_public_access_block", "public access"),
    ("aws_s3_bucket_acl", "public access"),
    ("aws_s3_bucket_versioning", "protection from loss"),
    ("aws_s3_bucket_object_lock_configuration", "protection from loss"),
    ("aws_s3_bucket_server_side_encryption_configuration", "encryption"),
    ("aws_s3_account_public_access_block", "public access"),
    ("aws_cloudwatch_event_permission", "who may send events"),
    ("aws_security_group*", "network"),
    ("aws_vpc*", "network"),
    ("aws_subnet*", "network"),
    ("aws_route*", "network"),
    ("aws_*_gateway_attachment", "network"),
    ("aws_internet_gateway", "network"),
    ("aws_nat_gateway", "network"),
    ("aws_network_acl*", "network"),
    ("aws_codebuild_webhook", "who may start a build"),
    ("aws_codestarconnections_*", "where the source comes from"),
    ("aws_codeconnections_*", "where the source comes from"),
)
"""Types whose every change touches permissions, keys, the network or public access."""

SENSITIVE_ATTRIBUTES: Final = (
    ("*policy", "who may use the resource"),
    ("*.authorization*", "who may call the API"),
    ("role", "what it may do"),
    ("*role_arn", "what it may do"),
    ("kms_*", "encryption"),
    ("server_side_encryption*", "encryption"),
    ("deletion_protection*", "protection from deletion"),
    ("force_destroy", "protection from deletion"),
    ("point_in_time_recovery*", "protection from loss"),
    ("ttl*", "when items expire"),
    ("vpc_config*", "network"),
)
"""Attributes whose change is sensitive on a resource of any type."""


def grade(kind: str, type_: str, attributes: list[str], *, guarded: bool = False) -> tuple[Risk, str]:
    """Return the risk of one change and the reason: ``kind`` is what happens, ``attributes`` are those that differ.

    ``guarded`` is what Terraform itself stands on.
    """
    if kind == "no-op":
        return Risk.NONE, ""
    if kind in ("delete", "replace") and type_ in STATEFUL:
        return Risk.DESTRUCTIVE, f"loses {STATEFUL[type_]}"
    if kind == "forget":
        return Risk.SENSITIVE, "no longer managed"
    if guarded:
        return Risk.SENSITIVE, "Terraform's state, locks or ledger"
    for pattern, reason in SENSITIVE_TYPES:
        if fnmatchcase(type_, pattern):
            return Risk.SENSITIVE, reason
    if kind in ("update", "replace"):
        for pattern, reason in SENSITIVE_ATTRIBUTES:
            if any(fnmatchcase(attribute, pattern) for attribute in attributes):
                return Risk.SENSITIVE, reason
    return Risk.ORDINARY, ""
