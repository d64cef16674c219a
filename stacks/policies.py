"""IAM as small pure functions: statements in, policy documents out.

Each permission is one sentence; ARNs are formats that the service authorization reference gives:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
from collections.abc import Iterable, Mapping

Statement = Mapping[str, object]
Condition = Mapping[str, Mapping[str, object]]


def document(*statements: Statement) -> str:
    """Return the policy document that holds ``statements``."""
    return compact({"Version": "2012-10-17", "Statement": list(statements)})


def compact(value: object) -> str:
    """Return ``value`` as JSON without blanks."""
    return json.dumps(value, separators=(",", ":"))


def allow(actions: Iterable[str], resources: Iterable[str], condition: Condition | None = None) -> Statement:
    """Allow ``actions`` on ``resources``, which are named: see `allow_anywhere` for those that cannot be."""
    named = list(resources)
    if "*" in named:
        raise ValueError("a statement for every resource says why: use allow_anywhere")
    return _statement("Allow", actions, named, condition)


def allow_anywhere(actions: Iterable[str], *, because: str, condition: Condition | None = None) -> Statement:
    """Allow ``actions`` that AWS cannot limit to a resource; ``because`` says so for the reader of the code."""
    if not because:
        raise ValueError("say why these actions cannot be limited to a resource")
    return _statement("Allow", actions, ["*"], condition)


def _statement(effect: str, actions: Iterable[str], resources: list[str], condition: Condition | None) -> Statement:
    statement: dict[str, object] = {"Effect": effect, "Action": sorted(actions), "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def trust(service: str, *, account: str | None = None) -> str:
    """Let one AWS service assume a role, on behalf of ``account`` alone where the service says whom it acts for.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return document(statement)


def trust_roles(*role_arns: str, condition: Condition | None = None) -> str:
    """Let roles assume a role, of another account or where ``condition`` holds."""
    named = role_arns[0] if len(role_arns) == 1 else list(role_arns)
    statement = {"Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole"}
    return document(statement | ({"Condition": condition} if condition else {}))


def tls_only(bucket_arn: str) -> str:
    """Refuse every request to a bucket that does not come over TLS."""
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return document(deny)


def write_logs(log_group_arn: str) -> Statement:
    """Write to one log group."""
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"])


def use_key(key_arn: str) -> Statement:
    """Encrypt and decrypt with one key."""
    return allow(["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], [key_arn])


def read_objects(bucket_arn: str, prefix: str = "") -> list[Statement]:
    """Read the objects of a bucket below ``prefix``."""
    return [
        allow(["s3:GetBucketLocation", "s3:ListBucket"], [bucket_arn]),
        allow(["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket_arn}/{prefix}*"]),
    ]


def write_objects(bucket_arn: str, prefix: str = "") -> Statement:
    """Write objects of a bucket below ``prefix``."""
    return allow(["s3:PutObject"], [f"{bucket_arn}/{prefix}*"])


def read_state(bucket_arn: str, key: str) -> list[Statement]:
    """Read one stack's Terraform state.

    https://developer.hashicorp.com/terraform/language/backend/s3#s3-bucket-permissions
    """
    return [allow(["s3:ListBucket"], [bucket_arn]), allow(["s3:GetObject"], [f"{bucket_arn}/{key}"])]


def write_state(bucket_arn: str, key: str) -> list[Statement]:
    """Read and write one stack's Terraform state."""
    return [allow(["s3:ListBucket"], [bucket_arn]), allow(["s3:GetObject", "s3:PutObject"], [f"{bucket_arn}/{key}"])]


def lock_state(table_arn: str, bucket: str, key: str) -> Statement:
    """Take and release one stack's lock, and keep the digest of its state.

    https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-table-permissions
    """
    lock_id = f"{bucket}/{key}"
    return allow(
        ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"],
        [table_arn],
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [lock_id, f"{lock_id}-md5"]}},
    )


def enter_plan(ledger_arn: str, environment: str) -> Statement:
    """Enter plans of one environment into the ledger, and never what became of them.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    return _write_attributes(ledger_arn, environment, "plan", "created_at")


def settle_plan(ledger_arn: str, environment: str) -> list[Statement]:
    """Read the plans of one environment, take them, and write what became of them, and never what was planned."""
    keys = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [environment]}}
    return [
        allow(["dynamodb:GetItem"], [ledger_arn], keys),
        _write_attributes(ledger_arn, environment, "apply"),
    ]


def _write_attributes(table_arn: str, partition: str, *attributes: str) -> Statement:
    keys = ["environment", "plan_sha256"]
    values = {"dynamodb:LeadingKeys": [partition], "dynamodb:Attributes": [*keys, *attributes]}
    return allow(["dynamodb:UpdateItem"], [table_arn], {"ForAllValues:StringEquals": values})


def read_digest(table_arn: str, bucket: str, key: str) -> Statement:
    """Read the digest of the states at ``key``, with which Terraform compares what it read, and take no lock."""
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{bucket}/{key}-md5"]}}
    return allow(["dynamodb:GetItem"], [table_arn], condition)


def assume(role_arn: str) -> Statement:
    """Assume one role."""
    return allow(["sts:AssumeRole"], [role_arn])


def pass_role(role_arn: str, service: str) -> Statement:
    """Hand one role to one AWS service."""
    return allow(["iam:PassRole"], [role_arn], {"StringEquals": {"iam:PassedToService": service}})
