"""Permissions and network, before and after: what a person reads of a change of them, and what counts as more."""

import json
from typing import Any

import pytest

from delivery.changes import Change, read_plan
from delivery.review import Review

Statement = dict[str, Any]


def policy(*statements: Statement) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, on: str = "arn:aws:s3:::a", **more: Any) -> Statement:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on} | more


def deny(*actions: str, **more: Any) -> Statement:
    """A statement that denies."""
    return allow(*actions, **more) | {"Effect": "Deny"}


def changed(type_: str, before: Any, after: Any, **more: Any) -> Change:
    """The change of one resource from ``before`` to ``after``."""
    actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    item = {"address": f"{type_}.it", "type": type_, "mode": "managed"}
    change = {"actions": actions, "before": before, "after": after} | more
    (found,) = read_plan({"resource_changes": [item | {"change": change}]}).changes
    return found


def policies(before: list[Statement] | None, after: list[Statement] | None) -> tuple[list[str], bool]:
    """What is said of a policy's change, and whether it allows more."""
    sides = [None if side is None else {"policy": policy(*side)} for side in (before, after)]
    found = changed("aws_iam_role_policy", *sides)
    return list(found.access.lines), found.access.widens


@pytest.mark.parametrize(
    ("before", "after", "lines", "widens"),
    [
        (None, [allow("s3:Get*")], ["+ Allow s3:Get* on arn:aws:s3:::a"], True),
        ([allow("s3:Get*")], None, ["- Allow s3:Get* on arn:aws:s3:::a"], False),
        ([], [deny("s3:*")], ["+ Deny s3:* on arn:aws:s3:::a"], False),
        ([deny("s3:*")], [], ["- Deny s3:* on arn:aws:s3:::a"], True),
        (
            [allow("s3:Get*")],
            [allow("s3:Get*", "s3:Put*")],
            ["! Allow s3:Get* on arn:aws:s3:::a", "+   action s3:Put*"],
            True,
        ),
        (
            [allow("s3:Get*", "s3:Put*")],
            [allow("s3:Get*")],
            ["! Allow s3:Get* on arn:aws:s3:::a", "-   action s3:Put*"],
            False,
        ),
        ([allow("s3:Get*")], [allow("s3:Get*", on="*")], None, True),
        (
            [allow("s3:Get*", Condition={"Bool": {"aws:SecureTransport": "true"}})],
            [allow("s3:Get*")],
            ["! Allow s3:Get* on arn:aws:s3:::a", "-   condition Bool aws:SecureTransport = true"],
            True,
        ),
        ([allow("s3:Get*")], [allow("s3:Get*", Condition={"Bool": {"a": "b"}})], None, False),
        ([deny("s3:Put*", "s3:Get*")], [deny("s3:Put*")], None, True),
        ([deny("s3:Put*")], [deny("s3:Put*", Condition={"Bool": {"a": "b"}})], None, True),
        ([allow("s3:Get*"), allow("sns:*")], [allow("sns:*"), allow("s3:Get*")], [], False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [], ["- Allow all but iam:* on *"], False),
        (
            [{"Effect": "Allow", "NotAction": ["iam:*", "kms:*"], "Resource": "*"}],
            [{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}],
            ["! Allow all but iam:* on *", "-   action all but kms:*"],
            True,
        ),
        (
            [allow("s3:Get*", Principal={"Service": "a.amazonaws.com"})],
            [allow("s3:Get*", Principal={"AWS": "*"})],
            [
                "! Allow s3:Get* on arn:aws:s3:::a",
                "+   principal anyone (*)",
                "-   principal Service a.amazonaws.com",
            ],
            True,
        ),
    ],
)
def test_a_policy_reads_as_what_it_gives_and_takes(
    before: list[Statement] | None, after: list[Statement] | None, lines: list[str] | None, widens: bool
) -> None:
    """Statement by statement, in words; what lets someone do more is told from what does not."""
    found = policies(before, after)

    assert found[1] is widens
    if lines is not None:
        assert found[0] == lines


def rule(**more: Any) -> dict[str, Any]:
    """A rule of a security group."""
    return {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]} | more


@pytest.mark.parametrize(
    ("type_", "before", "after", "lines", "widens"),
    [
        (
            "aws_security_group",
            {"ingress": [rule()]},
            {"ingress": [rule(cidr_blocks=["10.0.0.0/8", "0.0.0.0/0"])]},
            ["! Allow tcp 443 inbound for 10.0.0.0/8", "+   principal 0.0.0.0/0 (anyone)"],
            True,
        ),
        ("aws_security_group", {"egress": [rule(protocol="-1")]}, {"egress": []}, None, False),
        (
            "aws_security_group_rule",
            None,
            rule(type="ingress", from_port=1, to_port=9),
            ["+ Allow tcp 1-9 inbound for 10.0.0.0/8"],
            True,
        ),
        (
            "aws_vpc_security_group_egress_rule",
            None,
            {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"},
            ["+ Allow all traffic outbound for 0.0.0.0/0 (anyone)"],
            True,
        ),
        (
            "aws_lambda_permission",
            {
                "action": "lambda:InvokeFunction",
                "principal": "a.amazonaws.com",
                "function_name": "f",
                "source_arn": "x",
            },
            {"action": "lambda:InvokeFunction", "principal": "a.amazonaws.com", "function_name": "f"},
            ["! Allow lambda:InvokeFunction on f for a.amazonaws.com", "-   condition source_arn = x"],
            True,
        ),
        (
            "aws_lambda_function_url",
            None,
            {"function_name": "f", "authorization_type": "NONE"},
            ["+ Allow lambda:InvokeFunctionUrl on f for anyone (*)"],
            True,
        ),
        (
            "aws_iam_role_policy_attachment",
            None,
            {"role": "bot", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ["+ Allow what arn:aws:iam::aws:policy/AdministratorAccess allows for role bot"],
            True,
        ),
        (
            "aws_s3_bucket_acl",
            {"bucket": "b", "acl": "private"},
            {"bucket": "b", "acl": "public-read-write"},
            ["+ Allow public-read-write on b for anyone (*)"],
            True,
        ),
        ("aws_s3_bucket", {"bucket": "b", "acl": "authenticated-read"}, {"bucket": "b"}, None, False),
    ],
)
def test_network_and_invocation_read_like_policies(
    type_: str, before: Any, after: Any, lines: list[str] | None, widens: bool
) -> None:
    """A rule that lets in everyone is as plain as a principal that is everyone."""
    found = changed(type_, before, after).access

    assert found.widens is widens
    if lines is not None:
        assert list(found.lines) == lines


def document(*, root: Any = None, **paths: Any) -> dict[str, str]:
    """The body of an API with these operations."""
    found = {"openapi": "3.0.1", "paths": {f"/{name}": each for name, each in paths.items()}}
    return {"body": json.dumps(found | ({} if root is None else {"security": root}))}


AUTH, IAM = "x-amazon-apigateway-auth", {"type": "AWS_IAM"}
TOKEN = {"security": [{"token": []}]}
CHAT = {"post": TOKEN}


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (document(chat=CHAT), document(chat=CHAT, admin={"get": {}}), "+ Allow calls on GET /admin for anyone (*)"),
        (document(chat=CHAT), document(chat=CHAT | {"put": {"security": []}}), "+ Allow calls on PUT /chat for"),
        (document(chat=CHAT), document(chat=CHAT, admin={"get": {"security": [{"token": []}, {}]}}), "on GET /admin"),
        (document(chat=CHAT), document(chat=CHAT, x={"x-amazon-apigateway-any-method": {}}), "calls on ANY /x for"),
        (document(chat=CHAT), document(chat=CHAT, x={"get": TOKEN | {AUTH: {"type": "NONE"}}}), "calls on GET /x for"),
        (document(chat={"get": {}}), document(chat={"get": {}}, x={"get": {}}), "+ Allow calls on GET /x for"),
        (document(chat={"get": {}}, root=[{"token": []}]), document(chat={"get": {}}), "calls on GET /chat for"),
        (None, document(chat={"get": {}}), "calls on GET /chat for"),
        (None, {"body": "openapi: 3.0.1"}, "+ Allow calls on whatever its body describes for anyone (*)"),
        (document(chat=CHAT), document(chat=CHAT, admin={"get": TOKEN}), None),
        (document(chat=CHAT), document(chat=CHAT, admin={"get": {AUTH: IAM}}), None),
        (document(chat=CHAT), document(chat=CHAT, admin={"get": {}}, root=[{"token": []}]), None),
        (document(chat={"get": {}}), document(chat={"get": {"summary": "news"}}), None),
        (document(chat={"get": {}}), document(chat={"get": TOKEN}), None),
        (document(chat=CHAT), document(chat=CHAT | {"parameters": [], "summary": "x"}), None),
    ],
)
@pytest.mark.parametrize("type_", ["aws_api_gateway_rest_api", "aws_apigatewayv2_api"])
def test_a_path_that_anyone_may_call_is_access_for_everyone(
    type_: str, before: Any, after: Any, line: str | None
) -> None:
    """It has no `security` of its own, and the document has none for all."""
    found = changed(type_, before, after)

    assert found.access.widens is (line is not None)
    assert line is None or any(line in each for each in found.access.lines)
    assert line is None or str(found.risk) == "sensitive"


@pytest.mark.parametrize(
    ("type_", "after"),
    [
        ("aws_db_instance", {"publicly_accessible": True}),
        ("aws_s3_bucket", {"bucket": "b", "grant": [{"permissions": ["READ"], "uri": "http://x/global/AllUsers"}]}),
        ("aws_sqs_queue", {"policy": policy(allow("sqs:*", Principal="*")).replace('"S', '"\\u0053')}),
        ("aws_lambda_function", {"function_name": "f", "role": "arn:aws:iam::111122223333:role/admin"}),
        ("aws_codebuild_project", {"name": "b", "service_role": "arn:aws:iam::111122223333:role/admin"}),
        ("aws_apigatewayv2_api", {"target": "arn:aws:lambda:eu-west-1:111122223333:function:f"}),
    ],
)
def test_what_is_made_open_to_everyone_is_access_too(type_: str, after: dict[str, Any]) -> None:
    """There is no attribute that changes."""
    found = changed(type_, None, after)

    assert (found.access.widens, str(found.risk)) == (True, "sensitive")


def test_a_role_that_is_made_in_the_same_plan_speaks_for_itself() -> None:
    """What is made with it adds nothing to that."""
    made = changed("aws_lambda_function", None, {"function_name": "f"}, after_unknown={"role": True})

    assert (made.access.lines, str(made.risk)) == ((), "ordinary")


def test_a_body_that_cannot_be_known_yet_may_let_in_anyone() -> None:
    """Made anew, or changed."""
    made = changed("aws_api_gateway_rest_api", None, {}, after_unknown={"body": True})
    other = changed("aws_api_gateway_rest_api", document(chat=CHAT), {}, after_unknown={"body": True})

    assert list(made.access.lines) == [
        "+ Allow calls on whatever its body describes (known after apply) for anyone (*)"
    ]
    assert [str(each.risk) for each in (made, other)] == ["sensitive", "sensitive"]


def test_a_policy_that_cannot_be_known_yet_is_said_to_be() -> None:
    """It is neither shown as empty nor as unchanged."""
    created = changed("aws_iam_role_policy", None, {}, after_unknown={"policy": True})
    updated = changed("aws_iam_role_policy", {"policy": policy(allow("s3:*"))}, {}, after_unknown={"policy": True})

    assert created.access.lines == updated.access.lines == ("? policy: (known after apply)",)


def test_a_sensitive_policy_stays_hidden() -> None:
    """What is marked is shown nowhere, statements included."""
    before, after = {"policy": policy(allow("s3:Secret"))}, {"policy": policy(allow("s3:Other"))}
    found = changed("aws_iam_role_policy", before, after, after_sensitive={"policy": True})

    text = Review("dev", read_plan({})).markdown() + str(found)
    assert "s3:Secret" not in text
    assert "s3:Other" not in text


def test_the_review_shows_statements_in_place_of_json_and_counts_what_allows_more() -> None:
    """A reviewer reads who may do what more, not which element of a list moved."""
    before = {"name": "a", "policy": policy(allow("s3:Get*"))}
    after = {"name": "b", "policy": policy(allow("s3:Get*", "s3:Put*"))}
    item = {"address": "aws_iam_role_policy.it", "type": "aws_iam_role_policy", "mode": "managed"}
    plan = {"resource_changes": [item | {"change": {"actions": ["update"], "before": before, "after": after}}]}

    text = Review("dev", read_plan(plan)).markdown()

    assert "**Sensitive:** it touches who may do what. **1 change lets someone do more than before.**" in text
    shown = text[text.index("! aws_iam") :].splitlines()
    assert shown[:4] == [
        "! aws_iam_role_policy.it — who may do what; ALLOWS MORE",
        "!   Allow s3:Get* on arn:aws:s3:::a",
        "+     action s3:Put*",
        '!   name: "a" -> "b"',
    ]
    assert "Statement[0]" not in text


def test_of_very_many_statements_none_is_taken_for_the_change_of_another() -> None:
    """A hundred rules on each side are compared; of thousands, finding what each was takes minutes."""
    before, after = ([allow("s3:Get*", letter, on=f"arn:{number}") for number in range(200)] for letter in "ab")

    lines, widens = policies(before, after)

    assert [line[0] for line in lines] == ["+"] * 200 + ["-"] * 200
    assert widens
    assert policies(before[:9], after[:9])[0][0] == "! Allow s3:Get* on arn:0"


@pytest.mark.parametrize(
    ("type_", "values", "who"),
    [
        ("aws_scheduler_schedule", {"target": [{"arn": "a", "role_arn": "arn:admin"}]}, "what it starts"),
        ("aws_api_gateway_integration", {"credentials": "arn:admin"}, "its callers"),
        ("aws_apigatewayv2_integration", {"credentials_arn": "arn:admin"}, "its callers"),
    ],
)
def test_what_lends_a_role_that_is_there_to_others_says_so(type_: str, values: dict[str, Any], who: str) -> None:
    """A schedule can call any operation of AWS; an integration lets callers of the API do so."""
    made = changed(type_, None, values)

    assert (list(made.access.lines), str(made.risk)) == ([f"+ Allow what arn:admin allows for {who}"], "sensitive")
    assert str(changed(type_, None, {"name": "it"}).risk) == "ordinary"
