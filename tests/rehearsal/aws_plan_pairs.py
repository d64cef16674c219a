"""Changes of one stack of AWS's resources, and what a review has to make of each."""

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.rehearsal.deliveries import AWS, REGION
from tests.rehearsal.plan_pairs import NEW, OLD, Configuration, Pair

Resources = dict[str, dict[str, Any]]


def policy(action: str | list[str], resource: str) -> str:
    """A policy that allows ``action``."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    )


def trusting(principal: dict[str, str]) -> str:
    """A trust policy."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def table(name: str) -> dict[str, Any]:
    """A table that costs nothing while it is not used."""
    return {
        "name": name,
        "hash_key": "id",
        "billing_mode": "PAY_PER_REQUEST",
        "attribute": [{"name": "id", "type": "S"}],
    }


BASE: Resources = {
    "aws_dynamodb_table": {"turns": table("turns"), "users": table("users")},
    "aws_s3_bucket": {"files": {"bucket": "acme-files"}},
    "aws_s3_bucket_public_access_block": {
        "files": {"bucket": "${aws_s3_bucket.files.id}", "block_public_policy": True, "block_public_acls": True}
    },
    "aws_cloudwatch_log_group": {"bot": {"name": "/acme/bot"}},
    "aws_sns_topic": {"news": {"name": "news"}},
    "aws_iam_role": {"bot": {"name": "bot", "assume_role_policy": trusting({"Service": "lambda.amazonaws.com"})}},
    "aws_iam_role_policy": {
        "bot": {
            "name": "bot",
            "role": "${aws_iam_role.bot.id}",
            "policy": policy("s3:Get*", "arn:aws:s3:::acme-files/*"),
        }
    },
    "aws_security_group": {"web": {"name": "web", "description": "web", "ingress": []}},
    "aws_ssm_parameter": {"token": {"name": "token", "type": "SecureString", "value": OLD}},
}


def stack(resources: Resources) -> Configuration:
    """A stack of these resources."""
    return {"terraform": AWS, "provider": {"aws": [{"region": REGION}]}, "resource": resources}


def changed(change: Callable[[Resources], object]) -> Configuration:
    """The stack after a change."""
    resources = copy.deepcopy(BASE)
    change(resources)
    return stack({kind: named for kind, named in resources.items() if named})


def lose(resources: Resources) -> None:
    """Replace a table, and take away another, a bucket and a log group."""
    resources["aws_dynamodb_table"] = {"turns": table("other")}
    for kind in ("aws_s3_bucket", "aws_s3_bucket_public_access_block", "aws_cloudwatch_log_group"):
        del resources[kind]


def permit(resources: Resources) -> None:
    """Let everyone assume a role that may write."""
    resources["aws_iam_role"]["bot"]["assume_role_policy"] = trusting({"AWS": "*"})
    resources["aws_iam_role_policy"]["bot"]["policy"] = policy(["s3:Get*", "s3:Put*"], "arn:aws:s3:::acme-files/*")


def open_up(resources: Resources) -> None:
    """Let in everyone, and forbid no public policies any more."""
    rule = dict.fromkeys(("description", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups", "self"))
    everyone = {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}
    resources["aws_security_group"]["web"]["ingress"] = [rule | everyone]
    resources["aws_s3_bucket_public_access_block"]["files"]["block_public_policy"] = False


def refresh(resources: Resources) -> None:
    """Change a tag, and a secret."""
    resources["aws_dynamodb_table"]["turns"]["tags"] = {"a": "b"}
    resources["aws_ssm_parameter"]["token"]["value"] = NEW


def widen(resources: Resources) -> None:
    """Let everyone assume a role that may write, let in everyone, and forbid no public policies any more."""
    permit(resources)
    open_up(resources)


def kept(*, well: bool) -> Configuration:
    """A table and a queue, whose items are kept well or not."""
    recovery = {"point_in_time_recovery": [{"enabled": well}], "deletion_protection_enabled": well}
    return stack(
        {
            "aws_dynamodb_table": {"kept": table("kept") | recovery},
            "aws_sqs_queue": {"mail": {"name": "mail", "message_retention_seconds": 345600 if well else 60}},
        }
    )


def api(**paths: Any) -> Configuration:
    """An API of these paths, which are read."""
    answer = {"responses": {"200": {"description": "fine"}}}
    described = {f"/{name}": {"get": answer | each} for name, each in paths.items()}
    body = json.dumps({"openapi": "3.0.1", "info": {"title": "bot", "version": "1"}, "paths": described})
    return stack({"aws_api_gateway_rest_api": {"bot": {"name": "bot", "body": body}}})


TOKEN = {"security": [{"token": []}]}

AWS_PAIRS: dict[str, Pair] = {
    "a tag and a secret": Pair(
        stack(BASE),
        changed(refresh),
        "2 to change",
        shown=('tags.a: "b"', "value: (sensitive value) -> (sensitive value)"),
    ),
    "data that is lost": Pair(
        stack(BASE),
        changed(lose),
        "4 to destroy, 1 to replace",
        "destructive",
        (
            "**4 of 5 hold data:**",
            "`aws_dynamodb_table.turns` (a table and its items)",
            "`aws_s3_bucket.files` (a bucket and its objects)",
            "`aws_cloudwatch_log_group.bot` (a log group and its events)",
            "-/+ aws_dynamodb_table.turns — LOSES A TABLE AND ITS ITEMS",
        ),
    ),
    "permissions and network that widen": Pair(
        stack(BASE),
        changed(widen),
        "4 to change",
        "sensitive",
        (
            "**3 changes let someone do more than before.**",
            "+     principal anyone (*)",
            "!   Allow s3:Get* on arn:aws:s3:::acme-files/*\n+     action s3:Put*",
            "+   Allow tcp 443 inbound for 0.0.0.0/0 (anyone)",
            "block_public_policy: true -> false",
        ),
    ),
    "data that is kept no more": Pair(
        kept(well=True),
        kept(well=False),
        "2 to change",
        "sensitive",
        (
            "deletion_protection_enabled: true -> false",
            "point_in_time_recovery[0].enabled: true -> false",
            "message_retention_seconds: 345600 -> 60",
        ),
    ),
    "a path that anyone may call": Pair(
        api(chat=TOKEN),
        api(chat=TOKEN, admin={}),
        "1 to change",
        "sensitive",
        ("**1 change lets someone do more than before.**", "+   Allow calls on GET /admin for anyone (*)"),
    ),
}
