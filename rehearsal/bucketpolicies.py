"""Bucket policies as a cloud on loopback has to read them.

moto ignores conditions, so that a policy which refuses requests without TLS refuses every request. Loopback stands in
for TLS here, as it does for every endpoint; the statements that ask for it are therefore satisfied.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
"""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def effective(policy: dict[str, Any]) -> dict[str, Any]:
    """Return ``policy`` without the statements that are about requests without TLS alone."""
    statements = policy.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return policy | {"Statement": [each for each in listed if each.get("Condition") != WITHOUT_TLS]}


def _get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
    policy = effective(json.loads(bucket.policy)) if bucket.policy else {}
    if not policy.get("Statement"):
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


def honour_loopback_as_tls() -> None:
    """Let every bucket of this process read its policy as above."""
    FakeBucket.get_permission = _get_permission
