"""What a resource allows by its attributes: a network rule or a permission as statements that a person can read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from delivery.attributes import UNKNOWN
from delivery.grants import ANYONE, NOTHING, Grant, Json, listed, principals
from delivery.openapi import open_operations


def resource_grants(type_: str, values: Json) -> tuple[Grant, ...]:
    """Return what a resource allows by its attributes, where its type is one that is there to allow something."""
    reader = READERS.get(type_)
    return tuple(reader(values)) if reader else ()


def _permission(values: Json) -> Iterator[Grant]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""
    sources = {name: values.get(name) for name in ("source_arn", "source_account", "principal_org_id")}
    yield Grant(
        what=frozenset({str(values.get("action"))}),
        where=frozenset({str(values.get("function_name"))}),
        who=frozenset(principals(values.get("principal") or [])),
        when=frozenset(f"{name} = {value}" for name, value in sources.items() if value),
    )


def _function_url(values: Json) -> Iterator[Grant]:
    who = ANYONE if values.get("authorization_type") == "NONE" else "whom IAM allows it"
    yield Grant(
        what=frozenset({"lambda:InvokeFunctionUrl"}),
        where=frozenset({str(values.get("function_name"))}),
        who=frozenset({who}),
    )


def _attachment(values: Json) -> Iterator[Grant]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html"""
    who = frozenset(f"{kind} {values[kind]}" for kind in ("role", "user", "group") if values.get(kind))
    yield Grant(what=frozenset({f"what {values.get('policy_arn')} allows"}), who=who)


def _canned(values: Json) -> Iterator[Grant]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl"""
    acl = str(values.get("acl"))
    if acl.startswith("public-") or acl == "authenticated-read":
        who = ANYONE if acl.startswith("public-") else "anyone with an AWS account"
        yield Grant(what=frozenset({acl}), where=frozenset({str(values.get("bucket"))}), who=frozenset({who}))
    for each in listed(values.get("grant")):
        if not isinstance(each, Mapping):
            continue
        who = ANYONE if str(each.get("uri")).endswith("/AllUsers") else str(each.get("uri") or each.get("id"))
        what = frozenset(map(str, listed(each.get("permissions"))))
        yield Grant(what=what, where=frozenset({str(values.get("bucket"))}), who=frozenset({who}))


def _group(values: Json) -> Iterator[Grant]:
    for way in ("ingress", "egress"):
        for rule in listed(values.get(way)):
            if isinstance(rule, Mapping):
                yield _rule(way, rule)


def _one_rule(way: str) -> Callable[[Json], Iterator[Grant]]:
    def read(values: Json) -> Iterator[Grant]:
        yield _rule(way or str(values.get("type", "ingress")), values)

    return read


def _rule(way: str, rule: Json) -> Grant:
    """https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"""
    protocol = str(rule.get("protocol", rule.get("ip_protocol", "-1")))
    first, last = rule.get("from_port"), rule.get("to_port")
    ports = "" if protocol in ("-1", "all") else f" {first}" if first == last else f" {first}-{last}"
    peers = {str(value) for name in PEERS for value in listed(rule.get(name)) if value}
    traffic = "all traffic" if protocol in ("-1", "all") else protocol
    return Grant(
        what=frozenset({f"{traffic}{ports} {'inbound' if way == 'ingress' else 'outbound'}"}),
        who=frozenset({f"{peer} (anyone)" if peer in ("0.0.0.0/0", "::/0") else peer for peer in peers}),
    )


PEERS: Final = (
    "cidr_blocks",
    "ipv6_cidr_blocks",
    "prefix_list_ids",
    "security_groups",
    "source_security_group_id",
    "cidr_ipv4",
    "cidr_ipv6",
    "prefix_list_id",
    "referenced_security_group_id",
)


def _without_authorization(attribute: str, *names: str) -> Callable[[Json], Iterator[Grant]]:
    """https://docs.aws.amazon.com/apigateway/latest/api/API_Method.html#apigw-Type-Method-authorizationType"""

    def read(values: Json) -> Iterator[Grant]:
        if values.get(attribute, "NONE") == "NONE":
            where = " ".join(str(values[name]) for name in names if values.get(name))
            key = frozenset({"an API key comes with it"}) if values.get("api_key_required") else NOTHING
            yield Grant(what=frozenset({"calls"}), where=frozenset({where}), who=frozenset({ANYONE}), when=key)

    return read


def _acting(attribute: str, *, block: str = "", who: str = "its code") -> Callable[[Json], Iterator[Grant]]:
    """What a role allows, whoever writes the code, or calls, gets; a role that is yet to be made shows by itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """

    def read(values: Json) -> Iterator[Grant]:
        for holder in listed(values.get(block)) if block else [values]:
            role = holder.get(attribute) if isinstance(holder, Mapping) else None
            if role and role != UNKNOWN:
                yield Grant(what=frozenset({f"what {role} allows"}), who=frozenset({who}))

    return read


def _described(values: Json) -> Iterator[Grant]:
    """An OpenAPI document, or the one route that an HTTP API is made with.

    https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html (Target)
    """
    quick = [str(values.get("route_key") or "$default")] if values.get("target") else []
    for where in (*open_operations(values.get("body")), *quick):
        yield Grant(what=frozenset({"calls"}), where=frozenset({where}), who=frozenset({ANYONE}))


def _reachable(values: Json) -> Iterator[Grant]:
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html"""
    if values.get("publicly_accessible") is True:
        yield Grant(what=frozenset({"connections through a public address"}))


READERS: Final[Mapping[str, Callable[[Json], Iterator[Grant]]]] = {
    "aws_iam_role_policy_attachment": _attachment,
    "aws_iam_user_policy_attachment": _attachment,
    "aws_iam_group_policy_attachment": _attachment,
    "aws_lambda_permission": _permission,
    "aws_lambda_function_url": _function_url,
    "aws_s3_bucket": _canned,
    "aws_s3_bucket_acl": _canned,
    "aws_s3_object": _canned,
    "aws_security_group": _group,
    "aws_default_security_group": _group,
    "aws_security_group_rule": _one_rule(""),
    "aws_vpc_security_group_ingress_rule": _one_rule("ingress"),
    "aws_vpc_security_group_egress_rule": _one_rule("egress"),
    "aws_api_gateway_rest_api": _described,
    "aws_api_gateway_rest_api_put": _described,
    "aws_apigatewayv2_api": _described,
    "aws_db_instance": _reachable,
    "aws_lambda_function": _acting("role"),
    "aws_codebuild_project": _acting("service_role"),
    "aws_codepipeline": _acting("role_arn"),
    "aws_scheduler_schedule": _acting("role_arn", block="target", who="what it starts"),
    "aws_api_gateway_integration": _acting("credentials", who="its callers"),
    "aws_apigatewayv2_integration": _acting("credentials_arn", who="its callers"),
    "aws_api_gateway_method": _without_authorization("authorization", "http_method", "resource_id"),
    "aws_apigatewayv2_route": _without_authorization("authorization_type", "route_key"),
}
"""Types of resources that allow something by their attributes rather than by a policy document."""
