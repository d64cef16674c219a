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


UNHEARD_OF: Final = "a type that no rule knows"

STATEFUL: Final = {
    "aws_dynamodb_table": "a table and its items",
    "aws_s3_bucket": "a bucket and its objects",
    "aws_kms_key": "a key, and with it everything it encrypts",
    "aws_kms_external_key": "a key, and with it everything it encrypts",
    "aws_kms_replica_key": "a key, and with it what it encrypts in its region",
    "aws_cloudwatch_log_group": "a log group and its events",
    "aws_cognito_user_pool": "a user pool and its users",
    "aws_codecommit_repository": "a repository and its history",
    "aws_secretsmanager_secret": "a secret",
    "aws_sqs_queue": "a queue and its messages",
    "aws_db_instance": "a database",
    "aws_rds_cluster": "a database",
    "aws_efs_file_system": "a file system",
    "aws_backup_vault": "a backup vault",
    "aws_ssm_parameter": "a parameter and its history",
    "aws_ecr_repository": "a repository and its images",
    "aws_route53_zone": "a zone and its name servers",
    "aws_s3_object": "an object",
}
"""What is lost for good when a resource of the type is destroyed or replaced."""

STATELESS: Final = (
    "terraform_data",
    "aws_api_gateway_*",
    "aws_apigatewayv2_*",
    "aws_budgets_budget",
    "aws_cloudwatch_composite_alarm",
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_query_definition",
    "aws_codebuild_project",
    "aws_codebuild_report_group",
    "aws_codedeploy_app",
    "aws_codedeploy_deployment_config",
    "aws_codedeploy_deployment_group",
    "aws_codepipeline",
    "aws_lambda_alias",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_layer_version",
    "aws_lambda_provisioned_concurrency_config",
    "aws_scheduler_schedule",
    "aws_secretsmanager_secret_version",
    "aws_sns_topic",
    "aws_sns_topic_subscription",
)
"""Types that hold nothing their configuration does not make anew. A type in no table here may hold anything."""

SENSITIVE_TYPES: Final = (
    ("aws_iam_*", "who may do what"),
    ("aws_kms_*", "encryption keys"),
    ("aws_lambda_permission", "who may call the function"),
    ("aws_*_permission*", "who may use the resource"),
    ("aws_lambda_function_url", "public access"),
    ("aws_*_policy", "who may use the resource"),
    ("aws_s3_bucket_public_access_block", "public access"),
    ("aws_s3_bucket_acl", "public access"),
    ("aws_s3_bucket_ownership_controls", "public access"),
    ("aws_s3_bucket_website_configuration", "public access"),
    ("aws_s3_bucket_lifecycle_configuration", "how long objects are kept"),
    ("aws_s3_bucket_versioning", "protection from loss"),
    ("aws_s3_bucket_object_lock_configuration", "protection from loss"),
    ("aws_s3_bucket_server_side_encryption_configuration", "encryption"),
    ("aws_s3_account_public_access_block", "public access"),
    ("aws_cloudwatch_event_permission", "who may send events"),
    ("aws_default_*", "network"),
    ("aws_main_route_table_association", "network"),
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
    ("*authorization*", "who may call the API"),
    ("body*.security*", "who may call the API"),
    ("body*.x-amazon-apigateway-auth*", "who may call the API"),
    ("body*.x-amazon-apigateway-policy*", "who may call the API"),
    ("stage*.action*.category", "who approves what, and when"),
    ("stage*.action*.run_order", "who approves what, and when"),
    ("stage*.before_entry*", "what lets a stage begin"),
    ("stage*.on_*", "what lets a stage end"),
    ("*privileged_mode", "what a build may do"),
    ("*buildspec", "what is done under a role"),
    ("role", "what it may do"),
    ("*role_arn", "what it may do"),
    ("service_role", "what it may do"),
    ("*acl", "public access"),
    ("publicly_accessible", "public access"),
    ("kms_*", "encryption"),
    ("server_side_encryption*", "encryption"),
    ("*deletion_protection*", "protection from deletion"),
    ("force_destroy", "protection from deletion"),
    ("skip_final_snapshot", "protection from loss"),
    ("retention_*", "how long data is kept"),
    ("point_in_time_recovery*", "protection from loss"),
    ("ttl*", "when items expire"),
    ("vpc_config*", "network"),
)
"""Attributes whose change is sensitive on a resource of any type."""


def grade(
    kind: str, type_: str, attributes: list[str], *, guarded: bool = False, widens: bool = False
) -> tuple[Risk, str]:
    """Return the risk of one change and the reason: ``kind`` is what happens, ``attributes`` are those that differ.

    ``guarded`` is what Terraform itself stands on; what ``widens`` lets someone do more. A type that no table knows
    gets the worse grade: it may hold data, or let someone in.
    """
    if kind == "no-op":
        return Risk.NONE, ""
    if kind in ("delete", "replace") and (lost := holds(type_)):
        return Risk.DESTRUCTIVE, f"loses {lost}"
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
    if widens:
        return Risk.SENSITIVE, "who may use the resource"
    if kind not in ("move", "import") and not _is_known(type_):
        return Risk.SENSITIVE, UNHEARD_OF
    return Risk.ORDINARY, ""


def holds(type_: str) -> str:
    """Return what is lost with a resource of the type; empty for one that is known to hold nothing."""
    if type_ in STATEFUL:
        return STATEFUL[type_]
    sensitive = any(fnmatchcase(type_, pattern) for pattern, _ in SENSITIVE_TYPES)
    return "" if sensitive or _is_known(type_) else f"what {UNHEARD_OF} may hold"


def _is_known(type_: str) -> bool:
    return type_ in STATEFUL or any(fnmatchcase(type_, pattern) for pattern in STATELESS)
