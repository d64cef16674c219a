"""Reading a plan: what it changes, how dangerous that is, and what a person gets to see."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.changes import read_plan
from delivery.page import page
from delivery.redaction import concealed, without_secrets
from delivery.review import REVIEW_LIMIT, SUMMARY_LIMIT, Review


def change(address: str, *actions: str, **details: Any) -> dict[str, Any]:
    """One entry of a plan's ``resource_changes``."""
    item = {name: details.pop(name) for name in ("previous_address", "deposed", "action_reason") if name in details}
    return {
        "address": address,
        "mode": "managed",
        "type": address.partition(".")[0],
        "change": {"actions": list(actions), "before": {}, "after": {}} | details,
    } | item


def review(*changes: dict[str, Any], **plan: Any) -> Review:
    """The review of a plan of stack ``dev`` with these changes."""
    return Review("dev", read_plan({"resource_changes": list(changes)} | plan))


EVERYONE = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Principal": "*", "Resource": "*"}]})


def stage(category: str, **action: Any) -> dict[str, Any]:
    """A stage of one action, as ``aws_codepipeline`` has it."""
    return {"name": category, "action": [{"category": category, "name": category, "run_order": 1} | action]}


PLAN, APPROVE, DEPLOY = stage("Build"), stage("Approval"), stage("Deploy")
CHECKED = {"before_entry": [{"condition": [{"result": "SKIP", "rule": [{"name": "changes"}]}]}]}


def pipeline(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, Any]:
    """A change of a pipeline's stages."""
    return change("aws_codepipeline.p", "update", before={"stage": before}, after={"stage": after})


def build(name: str, before: Any, after: Any) -> dict[str, Any]:
    """A change of one attribute of a build project."""
    return change("aws_codebuild_project.b", "update", before={name: before}, after={name: after})


def api(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A change of an API whose one operation is described so."""
    bodies = [json.dumps({"openapi": "3.0.1", "paths": {"/x": {"get": each}}}) for each in (before, after)]
    return change("aws_api_gateway_rest_api.a", "update", before={"body": bodies[0]}, after={"body": bodies[1]})


@pytest.mark.parametrize(
    ("item", "risk"),
    [
        (change("aws_lambda_function.bot", "update", before={"memory_size": 1}, after={"memory_size": 2}), "ordinary"),
        (change("aws_lambda_function.bot", "delete"), "ordinary"),
        (change("aws_dynamodb_table.turns", "update"), "ordinary"),
        (change("aws_dynamodb_table.turns", "create"), "ordinary"),
        (change("aws_dynamodb_table.turns", "delete"), "destructive"),
        (change("aws_dynamodb_table.turns", "delete", "create"), "destructive"),
        (change("aws_dynamodb_table.turns", "create", "delete"), "destructive"),
        (change("aws_s3_bucket.artifacts", "delete", deposed="abc"), "destructive"),
        (change("aws_dynamodb_table.turns", "forget"), "sensitive"),
        (change("aws_iam_role.bot", "create"), "sensitive"),
        (change("aws_kms_key.state", "update"), "sensitive"),
        (change("aws_lambda_permission.api", "create"), "sensitive"),
        (change("aws_s3_bucket_policy.artifacts", "update"), "sensitive"),
        (change("aws_lambda_function.bot", "update", before={"role": "a"}, after={"role": "b"}), "sensitive"),
        (
            change("aws_dynamodb_table.t", "update", before={"deletion_protection_enabled": True}, after={}),
            "sensitive",
        ),
        (change("aws_lambda_function.bot", "no-op"), "none"),
        (change("aws_kms_replica_key.state", "delete"), "destructive"),
        (change("aws_docdb_cluster.any", "delete"), "destructive"),
        (change("aws_secretsmanager_secret_version.any", "delete", "create"), "ordinary"),
        (change("aws_docdb_cluster.any", "delete", "create"), "destructive"),
        (change("elsewhere_database.any", "delete"), "destructive"),
        (change("elsewhere_database.any", "create"), "sensitive"),
        (change("aws_ssoadmin_account_assignment.any", "create"), "sensitive"),
        (change("aws_dynamodb_table.turns", "create", "forget"), "sensitive"),
        (change("aws_default_security_group.any", "update"), "sensitive"),
        (change("aws_lambda_layer_version_permission.any", "create"), "sensitive"),
        (change("aws_s3_bucket.a", "create", before=None, after={"acl": "public-read"}), "sensitive"),
        (
            change("aws_s3_bucket.a", "update", before={"acl": "private"}, after={"acl": "log-delivery-write"}),
            "sensitive",
        ),
        (change("aws_s3_bucket_lifecycle_configuration.a", "create"), "sensitive"),
        (change("aws_sqs_queue.q", "create", before=None, after={"policy": EVERYONE}), "sensitive"),
        (
            change("aws_api_gateway_method.m", "update", before={"authorization": "AWS_IAM"}, after={}),
            "sensitive",
        ),
        (
            change("aws_cloudwatch_log_group.l", "update", before={"retention_in_days": 9}, after={}),
            "sensitive",
        ),
        (pipeline([PLAN, APPROVE, DEPLOY], [PLAN, DEPLOY]), "sensitive"),
        (pipeline([PLAN, APPROVE], [PLAN]), "sensitive"),
        (pipeline([PLAN, APPROVE, DEPLOY], [PLAN, DEPLOY, APPROVE]), "sensitive"),
        (pipeline([PLAN, APPROVE | CHECKED, DEPLOY], [PLAN, APPROVE, DEPLOY]), "sensitive"),
        (
            pipeline([APPROVE | CHECKED], [APPROVE | {"before_entry": [{"condition": [{"result": "FAIL"}]}]}]),
            "sensitive",
        ),
        (pipeline([stage("Approval"), DEPLOY], [stage("Approval", run_order=2), DEPLOY]), "sensitive"),
        (pipeline([PLAN, APPROVE], [stage("Build", name="p"), APPROVE]), "ordinary"),
        (build("environment", [{"privileged_mode": False}], [{"privileged_mode": True}]), "sensitive"),
        (build("environment", [{"compute_type": "SMALL"}], [{"compute_type": "LARGE"}]), "ordinary"),
        (build("source", [{"buildspec": "version: 0.2"}], [{"buildspec": "version: 0.2\n"}]), "sensitive"),
        (build("service_role", "one", "other"), "sensitive"),
        (change("aws_api_gateway_method.m", "create", before=None, after={"authorization": "NONE"}), "sensitive"),
        (change("aws_api_gateway_method.m", "create", before=None, after={"authorization": "AWS_IAM"}), "ordinary"),
        (change("aws_apigatewayv2_route.r", "create", before=None, after={"authorization_type": "NONE"}), "sensitive"),
        (api({"security": [{"token": []}]}, {}), "sensitive"),
        (api({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}, {}), "sensitive"),
        (api({"summary": "one"}, {"summary": "other"}), "ordinary"),
        (change("aws_lb.web", "update", before={"enable_deletion_protection": True}, after={}), "sensitive"),
    ],
)
def test_each_change_has_its_grade(item: dict[str, Any], risk: str) -> None:
    """Losing data is the gravest; permissions, keys and public access come next; reading is nothing.

    Of a type that no rule knows the worst is assumed.
    """
    assert str(review(item).planned.risk) == risk


AFTER: dict[str, list[Any]] = {
    "aws_codepipeline": [
        {"stage": [{"action": [{"configuration": {"ProjectName": "other"}}]}]},
        {"stage": [{"action": [{"configuration": {"FullRepositoryId": "else/where"}}]}]},
        {"stage": [{"action": [{"input_artifacts": ["other"]}]}]},
        {"stage": [{"before_entry": [{"condition": [{"rule": [{"configuration": {"Value": "true"}}]}]}]}]},
        {"artifact_store": [{"location": "elsewhere"}]},
        {"trigger": [{"provider_type": "CodeStarSourceConnection"}]},
        {"execution_mode": "PARALLEL"},
        {"pipeline_type": "V1"},
    ],
    "aws_codebuild_project": [
        {"source": [{"location": "https://github.com/else/where.git"}]},
        {"secondary_sources": [{"location": "elsewhere"}]},
        {"environment": [{"image": "else/where:latest"}]},
        {"environment": [{"environment_variable": [{"name": "FORKS", "value": "shown"}]}]},
        {"project_visibility": "PUBLIC_READ"},
        {"encryption_key": "other"},
        {"logs_config": [{"cloudwatch_logs": [{"status": "DISABLED"}]}]},
        {"cache": [{"type": "S3", "location": "elsewhere"}]},
        {"file_system_locations": [{"location": "elsewhere", "mount_point": "/mnt"}]},
    ],
    "aws_codedeploy_deployment_group": [
        {"alarm_configuration": [{"enabled": False}]},
        {"auto_rollback_configuration": [{"enabled": False}]},
        {"deployment_config_name": "CodeDeployDefault.LambdaAllAtOnce"},
    ],
    "aws_cloudwatch_event_rule": [
        {"event_pattern": '{"source": ["aws.s3"]}'},
        {"state": "DISABLED"},
        {"schedule_expression": "rate(999 days)"},
    ],
    "aws_cloudwatch_event_target": [{"arn": "arn:aws:events:eu-west-1:999999999999:event-bus/theirs"}],
    "aws_scheduler_schedule": [{"schedule_expression": "rate(999 days)"}, {"end_date": "2020-01-01T00:00:00Z"}],
    "aws_cloudwatch_metric_alarm": [{"actions_enabled": False}, {"alarm_actions": ["arn:other"]}],
    "aws_cloudwatch_log_group": [{"retention_in_days": 1}, {"skip_destroy": False}],
    "aws_sns_topic_subscription": [{"endpoint": "https://example.org"}],
    "aws_s3_bucket": [
        {"versioning": [{"enabled": False}]},
        {"grant": [{"permissions": ["READ"], "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}]},
        {"lifecycle_rule": [{"enabled": True, "expiration": [{"days": 1}]}]},
        {"replication_configuration": [{"rules": [{"destination": [{"account_id": "999999999999"}]}]}]},
        {"website": [{"index_document": "index.html"}]},
        {"logging": [{"target_bucket": "other"}]},
        {"object_lock_enabled": False},
    ],
    "aws_dynamodb_table": [
        {"point_in_time_recovery": [{"enabled": False}]},
        {"replica": [{"region_name": "us-east-1"}]},
        {"stream_enabled": True},
    ],
    "aws_db_instance": [
        {"backup_retention_period": 0},
        {"vpc_security_group_ids": ["sg-2"]},
        {"multi_az": False},
        {"iam_database_authentication_enabled": True},
        {"delete_automated_backups": True},
    ],
    "aws_rds_cluster": [{"enable_http_endpoint": True}, {"storage_encrypted": False}],
    "aws_ecr_repository": [{"force_delete": True}, {"image_tag_mutability": "MUTABLE"}],
    "aws_secretsmanager_secret": [{"recovery_window_in_days": 0}],
    "aws_sqs_queue": [
        {"message_retention_seconds": 60},
        {"sqs_managed_sse_enabled": False},
        {"policy": json.dumps({"Statement": [{"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}]})},
    ],
    "aws_ssm_parameter": [{"type": "String"}, {"key_id": "alias/other"}],
    "aws_lambda_function": [
        {"environment": [{"variables": {"LOG_CONTENT": "true"}}]},
        {"environment": [{"variables": {"POWERTOOLS_LOGGER_LOG_EVENT": "true"}}]},
        {"environment": [{"variables": {"RETENTION_DAYS": "3650"}}]},
        {"environment": [{"variables": {"ALLOWED_ORIGINS": "*"}}]},
        {"environment": [{"variables": {"AWS_ENDPOINT_URL": "https://example.org"}}]},
        {"environment": [{"variables": {"HTTPS_PROXY": "https://example.org"}}]},
        {"environment": [{"variables": {"https_proxy": "https://example.org"}}]},
        {"code_signing_config_arn": "arn:other"},
        {"dead_letter_config": [{"target_arn": "arn:other"}]},
    ],
    "aws_api_gateway_authorizer": [{"authorizer_uri": "arn:other"}],
    "aws_api_gateway_method": [{"api_key_required": False}, {"authorizer_id": "other"}],
    "aws_api_gateway_method_settings": [{"settings": [{"data_trace_enabled": True}]}],
    "aws_api_gateway_stage": [{"access_log_settings": [{"destination_arn": "arn:other"}]}],
    "aws_api_gateway_rest_api": [
        {"endpoint_configuration": [{"types": ["REGIONAL"]}]},
        {"disable_execute_api_endpoint": False},
        {"body": "openapi: 3.0.1"},
    ],
    "aws_apigatewayv2_api": [{"cors_configuration": [{"allow_origins": ["*"]}]}],
    "aws_api_gateway_integration": [{"uri": "https://example.org"}, {"type": "HTTP"}, {"credentials": "arn:other"}],
    "aws_apigatewayv2_integration": [{"integration_uri": "https://example.org"}, {"credentials_arn": "arn:other"}],
    "aws_api_gateway_base_path_mapping": [{"api_id": "other"}],
    "aws_cognito_user_pool": [{"mfa_configuration": "OFF"}, {"password_policy": [{"minimum_length": 6}]}],
}
"""What turns something sensitive on, or a protection off."""


@pytest.mark.parametrize(("type_", "after"), [(type_, after) for type_, each in AFTER.items() for after in each])
def test_what_opens_something_or_takes_its_protection_is_never_ordinary(type_: str, after: dict[str, Any]) -> None:
    """Access, protection, and the delivery itself: by the attribute that changes, whatever it was before."""
    before: dict[str, Any] = dict.fromkeys(after)

    assert str(review(change(f"{type_}.it", "update", before=before, after=after)).planned.risk) == "sensitive"


@pytest.mark.parametrize("name", ["uri", "type", "credentials"])
def test_where_a_document_has_requests_sent_is_never_ordinary(name: str) -> None:
    """They hold what people say."""
    before, after = (
        {"body": json.dumps({"paths": {"/v1": {"get": {"x-amazon-apigateway-integration": {name: value}}}}})}
        for value in ("ours", "theirs")
    )
    item = change("aws_api_gateway_rest_api.it", "update", before=before, after=after)

    assert str(review(item).planned.risk) == "sensitive"


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        ("aws_lambda_function", {"environment": [{"variables": {"BOT_NAME": "A", "CATALOG": "x"}}]}, {"timeout": 9}),
        ("aws_cloudwatch_metric_alarm", {"threshold": 1}, {"threshold": 2}),
        ("aws_dynamodb_table", {"billing_mode": "PROVISIONED"}, {"billing_mode": "PAY_PER_REQUEST"}),
        ("aws_codebuild_project", {"build_timeout": 30}, {"build_timeout": 60}),
        ("aws_sqs_queue", {"visibility_timeout_seconds": 30}, {"visibility_timeout_seconds": 60}),
    ],
)
def test_what_opens_nothing_stays_ordinary(type_: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Whoever is asked about everything reads nothing."""
    assert str(review(change(f"{type_}.it", "update", before=before, after=after)).planned.risk) == "ordinary"


@pytest.mark.parametrize(
    "address", ["aws_lambda_function.f.environment", "aws_s3_bucket.b.grant", "aws_codepipeline.p.stage"]
)
def test_a_block_that_cannot_be_known_yet_may_hold_what_is_sensitive(address: str) -> None:
    """As blocks are that are made for each of something unknown."""
    type_, _, name = address.split(".")
    item = change(address, "update", before={name: []}, after={}, after_unknown={name: True}) | {"type": type_}

    assert str(review(item).planned.risk) == "sensitive"


def test_variables_that_are_a_secret_as_a_whole_may_hold_what_is_sensitive() -> None:
    """Nobody sees which of them changes."""
    before, after = ({"environment": [{"variables": {"A": value}}]} for value in "12")
    marks = {"environment": [{"variables": True}]}
    item = change("aws_lambda_function.f", "update", before=before, after=after, after_sensitive=marks)

    assert str(review(item).planned.risk) == "sensitive"


@pytest.mark.parametrize(
    "type_",
    [
        "aws_cloudwatch_metric_alarm",
        "aws_cloudwatch_composite_alarm",
        "aws_cloudwatch_log_metric_filter",
        "aws_api_gateway_rest_api",
        "aws_apigatewayv2_api",
        "aws_cloudwatch_event_rule",
        "aws_api_gateway_stage",
        "aws_api_gateway_domain_name",
        "aws_api_gateway_base_path_mapping",
        "aws_scheduler_schedule",
        "aws_budgets_budget",
        "aws_codedeploy_deployment_group",
        "aws_api_gateway_request_validator",
        "aws_codepipeline",
        "aws_codebuild_project",
    ],
)
def test_taking_away_what_watches_or_delivers_is_sensitive_and_making_it_is_not(type_: str) -> None:
    """Nothing is lost, and nobody hears of the next time."""
    assert str(review(change(f"{type_}.it", "delete", after=None)).planned.risk) == "sensitive"
    assert str(review(change(f"{type_}.it", "create", before=None)).planned.risk) == "ordinary"


@pytest.mark.parametrize("type_", ["aws_api_gateway_api_key", "aws_sns_topic", "aws_codebuild_report_group"])
def test_what_others_put_in_or_hold_is_lost_with_its_resource(type_: str) -> None:
    """A new key has another value, and a new topic none of those who subscribed by hand."""
    assert str(review(change(f"{type_}.it", "delete", "create")).planned.risk) == "destructive"


@pytest.mark.parametrize("type_", ["aws_api_gateway_rest_api", "aws_apigatewayv2_api"])
def test_an_api_that_is_made_anew_has_another_address(type_: str) -> None:
    """Whoever knows the old one meets nothing there."""
    item = change(f"{type_}.it", "delete", "create", before={"id": "x"}, after={}, after_unknown={"id": True})

    assert str(review(item).planned.risk) == "sensitive"


def test_nothing_to_do_is_no_change() -> None:
    """Data sources that are read, and outputs that stay, are not changes."""
    read = change("aws_caller_identity.me", "read") | {"mode": "data"}
    planned = review(read, change("aws_iam_role.bot", "no-op"), output_changes={"url": {"actions": ["no-op"]}}).planned

    assert (planned.has_changes, str(planned.risk)) == (False, "none")


def test_what_only_the_state_notices_is_a_change() -> None:
    """A moved or imported resource, or a new output, has to be applied to become true."""
    moved = review(change("aws_iam_role.b", "no-op", previous_address="aws_iam_role.a"))
    imported = review(change("aws_iam_role.b", "no-op", importing={"id": "b"}))
    output = review(output_changes={"url": {"actions": ["create"], "before": None, "after": "https://example.org"}})

    assert [found.planned.has_changes for found in (moved, imported, output)] == [True, True, True]
    assert "moved from aws_iam_role.a" in moved.markdown()
    assert '+ url: "https://example.org"' in output.markdown()


def test_attributes_show_as_a_small_difference() -> None:
    """Only what differs is shown, inside of JSON documents too, with what forces a replacement first."""
    found = review(
        change(
            "aws_iam_policy.bot",
            "delete",
            "create",
            before={
                "name": "a",
                "policy": json.dumps({"Statement": [{"Effect": "Deny", "Action": "s3:*"}]}),
                "path": "/",
            },
            after={
                "name": "b",
                "policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}),
                "path": "/",
            },
            after_unknown={"arn": True},
            replace_paths=[["name"]],
        )
    ).markdown()

    lines = found.splitlines()
    first = lines.index('!   name: "a" -> "b"  (forces replacement)')
    assert lines[first + 1] == "+   arn: (known after apply)"
    assert "path:" not in found


def test_the_dangerous_comes_first() -> None:
    """Destroyed data stands above everything, and in the summary too."""
    found = review(
        change("aws_lambda_function.bot", "update"),
        change("aws_iam_role.bot", "create"),
        change("aws_dynamodb_table.turns", "delete", "create"),
    )

    assert found.summary == (
        "dev: 1 to replace, 1 to add, 1 to change (destructive): "
        "REPLACE aws_dynamodb_table.turns, aws_iam_role.bot, aws_lambda_function.bot"
    )
    text = found.markdown()
    assert "LOSES A TABLE AND ITS ITEMS" in text
    assert (
        text.index("aws_dynamodb_table.turns") < text.index("aws_iam_role.bot") < text.index("aws_lambda_function.bot")
    )


def test_no_length_loses_what_is_destroyed() -> None:
    """However many other changes there are, every destroyed resource is named; what is left out is counted."""
    long = {f"attribute_{index}": "x" * 150 for index in range(40)}
    updates = [change(f"aws_lambda_function.f{index}", "update", before={}, after=long) for index in range(200)]
    destroys = [change(f"aws_sqs_queue.q{index}", "delete") for index in range(900)]

    found = review(*updates, *destroys)

    text = found.markdown()
    assert all(f"- aws_sqs_queue.q{index} " in text for index in range(900))
    assert len(text) < REVIEW_LIMIT + 90 * 900
    assert "of 200 under “Changed”" in text.splitlines()[-1]
    assert "**Cut for length:**" in text.splitlines()[-1]
    assert len(found.summary) <= SUMMARY_LIMIT


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_no_value_breaks_out_of_its_block(address: str, value: str) -> None:
    """Names and values are someone else's: they cannot end the block they stand in, nor move the terminal's cursor."""
    found = review(change(f"aws_ssm_parameter.{address}", "update", before={}, after={"value": value}))
    text = found.markdown()

    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert len(found.summary) <= SUMMARY_LIMIT
    assert "\n" not in found.summary
    fence = next(line for line in text.splitlines() if line.endswith("`diff")).removesuffix("diff")
    assert set(fence) == {"`"}
    assert [line for line in text.splitlines() if line.startswith(fence)] == [f"{fence}diff", fence]


def test_secrets_are_hidden_on_both_sides_and_where_they_were_copied() -> None:
    """A secret on one side is hidden on the other, and an unmarked copy of it is found."""
    plan = {
        "resource_changes": [
            change(
                "aws_ssm_parameter.token",
                "update",
                before={"value": "old-secret", "copy": "is old-secret!", "list": [{"a": "listed-secret"}]},
                after={"value": "new-secret", "copy": "is new-secret!", "list": [{"a": "listed-other"}]},
                before_sensitive={"value": True},
                after_sensitive={"list": [{"a": True}]},
            )
        ],
        "output_changes": {
            "token": {"actions": ["update"], "before": "old-secret", "after": "new-secret", "before_sensitive": True}
        },
        "variables": {"password": {"value": "hunter22"}},
        "prior_state": {"values": "old-secret"},
        "configuration": {"constant": "new-secret"},
    }

    hidden = concealed(plan)
    text = json.dumps(without_secrets(hidden)) + Review("dev", read_plan(hidden)).markdown()

    assert not [word for word in ("old-secret", "new-secret", "listed", "hunter22") if word in text]
    assert "!   value: (sensitive value) -> (sensitive value)" in text


def test_drift_that_the_plan_answers_stands_apart() -> None:
    """What somebody changed by hand is not what the code changes; what the provider computes is neither."""
    drift = change("aws_lambda_function.bot", "update", before={"timeout": 3}, after={"timeout": 9})
    answer = change("aws_lambda_function.bot", "update", before={"timeout": 9}, after={"timeout": 3})
    computed = change("aws_iam_role.bot", "update", before={}, after={"inline_policy": "x"})

    found = review(answer, resource_drift=[drift, computed]).markdown()

    assert "## Changed outside Terraform" in found
    assert "aws_iam_role.bot" not in found


def test_nothing_that_became_an_empty_list_is_no_drift() -> None:
    """The provider reads attributes that nobody set so, and a reader would see a resource without a line below it."""
    drift = change("aws_lambda_function.bot", "update", before={"layers": None}, after={"layers": []})
    answer = change("aws_lambda_function.bot", "update", before={"timeout": 9}, after={"timeout": 3})

    assert "Changed outside Terraform" not in review(answer, resource_drift=[drift]).markdown()


def test_moves_and_imports_are_counted_beside_what_else_happens() -> None:
    """A resource that moves and changes at once is counted as both."""
    found = review(
        change("aws_lambda_function.b", "update", previous_address="aws_lambda_function.a", after={"timeout": 9}),
        change("aws_sqs_queue.i", "update", importing={"id": "i"}),
        change("aws_sqs_queue.m", "no-op", previous_address="aws_sqs_queue.n"),
        change("aws_sns_topic.f", "forget"),
    )

    assert found.verdict == "dev: 1 to forget, 2 to change, 1 to import, 2 to move (sensitive)"


def test_what_terraform_itself_stands_on_is_sensitive() -> None:
    """A changed lock table or state bucket can undo every guarantee that a plan gives."""
    lock = change("aws_dynamodb_table.locks", "update", before={"name": "acme-locks"}, after={"name": "acme-locks"})
    plan = {"resource_changes": [lock]}

    assert str(read_plan(plan, frozenset({"acme-locks"})).risk) == "sensitive"
    assert str(read_plan(plan, frozenset({"other-locks"})).risk) == "ordinary"


def test_an_unheard_of_action_that_deletes_counts_as_a_loss() -> None:
    """A later Terraform may have words that this one does not know."""
    found = review(change("aws_dynamodb_table.turns", "delete", "reincarnate"))

    assert str(found.planned.risk) == "destructive"
    assert "1 to replace" in found.verdict


def test_the_cut_comes_from_the_bottom_and_says_what_it_took() -> None:
    """Whatever the limit, what is destroyed stays; after the first thing that is begun only, nothing else is shown."""
    long = {f"attribute_{index}": "x" * 150 for index in range(20)}
    changes = [
        change("aws_dynamodb_table.lost", "delete"),
        *(change(f"aws_iam_role.r{index}", "update", before={}, after=long) for index in range(5)),
        change("aws_lambda_function.f", "update", before={"timeout": 1}, after={"timeout": 2}),
        change("aws_cloudwatch_metric_alarm.a", "create"),
    ]
    found = Review("dev", read_plan({"resource_changes": changes}), behaviour="Hello", foot="Plan `abc`.")

    text, tiny = found.markdown(12_000), found.markdown(10)

    *_, cut, foot = text.strip().split("\n\n")
    assert cut.startswith("**Cut for length:** 2 of 5 under “Sensitive”; 1 of 1 under “Answers that change”; 1 of 1")
    assert foot == "Plan `abc`."
    assert re.findall(r"aws_iam_role\.r\d|… \d+ more lines|aws_lambda_function", text) == [
        *(f"aws_iam_role.r{index}" for index in range(4)),
        "… 16 more lines",
    ]
    assert "aws_dynamodb_table.lost" in tiny
    assert len(text) <= 12_000


def test_what_is_too_long_to_be_shown_is_named_and_what_lets_in_more_stands_first() -> None:
    """One policy may be longer than a comment: of which resource it is, and that it opens something, is read still."""
    many = json.dumps({"Statement": [{"Effect": "Allow", "Action": f"s3:{'x' * 60}{index}"} for index in range(2000)]})
    text = review(
        change("aws_iam_policy.harmless", "update", before={"description": "a"}, after={"description": "b"}),
        change("aws_iam_policy.long", "update", before={"policy": "{}"}, after={"policy": many}),
    ).markdown()

    assert "! aws_iam_policy.long — who may do what; ALLOWS MORE" in text
    assert "**Cut for length:** 2 of 2 under “Sensitive”" in text
    assert "\n… " in text
    assert 50_000 < len(text) <= 60_000


def test_data_that_is_lost_is_called_by_name() -> None:
    """Before any detail stands what is gone for good, and what that held."""
    found = review(
        change("aws_dynamodb_table.turns", "delete", "create"), change("aws_lambda_function.bot", "delete")
    ).markdown()

    assert "**1 of 2 hold data:** `aws_dynamodb_table.turns` (a table and its items)." in found
    assert "**Destructive:** it loses a table and its items." in found


@pytest.mark.parametrize("value", ["hunter2secret", 'with "quotes"\nand lines', 1234567, "4711", 471])
def test_a_copy_of_a_secret_is_hidden_wherever_it_turns_up(value: Any) -> None:
    """Long ones also inside of other text, short ones as whole values; numbers and escaped ones as well."""
    text = str(value)
    copies = {"plain": value, "text": text, "in_json": json.dumps({"x": value}), "in_text": f"({text})"}
    shown = copies if len(text) >= 6 else {"plain": value, "text": text}
    plan = {
        "resource_changes": [
            change(
                "aws_ssm_parameter.token",
                "create",
                before=None,
                after={"value": value},
                after_sensitive={"value": True},
            ),
            change("aws_ssm_parameter.copy", "update", before={}, after=shown),
        ]
    }

    hidden = concealed(plan)
    written = json.dumps(without_secrets(hidden)) + Review("dev", read_plan(hidden)).markdown()

    assert text not in written
    assert json.dumps(text)[1:-1] not in written


def test_a_secret_of_one_letter_hides_itself_and_not_the_plan() -> None:
    """In its own resource its copy is hidden; elsewhere the same number means something else."""
    plan = {
        "resource_changes": [
            change(
                "terraform_data.pin",
                "update",
                before={"input": 1, "output": 1},
                after={"input": 7, "output": 7},
                after_sensitive={"input": True},
            ),
            change("aws_lambda_function.f", "update", before={"timeout": 7}, after={"timeout": 9}),
        ]
    }

    text = Review("dev", read_plan(concealed(plan))).markdown()

    assert "timeout: 7 -> 9" in text
    assert "output: 7" not in text


def test_what_importing_generates_is_not_written_down() -> None:
    """Terraform puts the configuration it makes up for an import into the plan, secrets included."""
    item = change("aws_ssm_parameter.i", "no-op", importing={"id": "i"}, generated_config='value = "hunter2"')

    assert "hunter2" not in json.dumps(without_secrets({"resource_changes": [item]}))


HOSTILE = "<script>alert(1)</script> ![x](https://example.org/x.png) [y](javascript:alert(1)) <!-- # --> </main>"


def test_the_page_stands_alone_and_runs_nothing() -> None:
    """Whatever resources, values or answers are called, the page loads nothing, runs nothing and stays in shape."""
    found = Review(
        "dev",
        read_plan({"resource_changes": [change(f'aws_ssm_parameter.a["{HOSTILE}"]', "update", after={"v": HOSTILE})]}),
        behaviour=f"{HOSTILE}\n\n# No changes\n\n```\nopen",
        foot="Plan `abc`.",
    )

    made = page(found.markdown(), title=HOSTILE, risk=found.planned.risk)

    parser = Elements()
    parser.feed(made)
    assert not parser.names & {"script", "img", "iframe", "object", "embed", "link", "form"}
    assert not any(name.startswith("on") or name == "src" for name, _ in parser.attributes)
    assert not any("javascript:" in (value or "") for name, value in parser.attributes if name == "href")
    assert "default-src 'none'" in made
    assert made.index("No changes") < made.index("</blockquote>")
    assert made.count("</main>") == 1
    assert made.index("</blockquote>") < made.index("<code>abc</code>")


class Elements(HTMLParser):
    """The names and attributes of all elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs


def test_the_page_colours_each_line_by_its_sign() -> None:
    """Losses, changes and additions are told apart at a glance."""
    found = review(change("aws_lambda_function.f", "delete"), change("aws_sns_topic.t", "create"))

    made = page(found.markdown(), title="dev", risk=found.planned.risk)

    assert '<span class="minus">- aws_lambda_function.f</span>' in made
    assert '<span class="plus">+ aws_sns_topic.t</span>' in made


def test_a_type_that_no_rule_knows_is_said_to_be_one() -> None:
    """Who has to approve the loss learns why, and by which name."""
    text = review(change("aws_docdb_cluster.any", "delete")).markdown()

    assert "**Destructive:** it loses what a type that no rule knows may hold." in text
    assert "**1 of 1 hold data:** `aws_docdb_cluster.any`" in text


def test_a_document_that_is_nested_deeper_than_anyone_reads_is_shown_as_a_text() -> None:
    """Whatever someone wrote into an attribute, there is a review, of a length that can be read."""
    text = review(change("aws_ssm_parameter.a", "update", after={"value": "[" * 3000 + "]" * 3000})).markdown()

    assert '+   value: "[[[' in text
    assert max(map(len, text.splitlines())) < 300


def test_of_a_long_text_what_changed_is_seen() -> None:
    """A buildspec begins alike; what is run is what has to be approved."""
    spec = "version: 0.2\nphases:\n  build:\n    commands:\n" + "      - make one more\n" * 40
    before, after = ({"buildspec": spec + f"      - {command}\n"} for command in ("make test", "curl example.org"))

    shown = review(change("aws_codebuild_project.build", "update", before=before, after=after)).markdown()

    assert "- make test" in shown
    assert "- curl example.org" in shown
