"""Drift: where it is looked for, what that may read, and who hears of it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from stacks.project import Environment, SettingsError
from stacks.settings import PROJECT
from tests.infrastructure.synthesis import Stack, synthesize
from tests.infrastructure.test_pull_requests import actions, project, the
from tests.infrastructure.test_stacks import ANOTHER, resources, statements

PROD = PROJECT.environments[-1]
NAME = f"{PROJECT.name}-{PROD.name}-drift"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    """A project whose prod is in another account."""
    return synthesize(ANOTHER, tmp_path_factory.mktemp("elsewhere"))


def test_drift_is_looked_for_daily_where_plans_are_approved(stacks: dict[str, Stack]) -> None:
    """Elsewhere only if settings say so."""
    rules = [
        (rule["name"], rule["schedule_expression"])
        for rule in resources(stacks["pipeline"], "aws_cloudwatch_event_rule").values()
        if "schedule_expression" in rule
    ]

    assert rules == [(NAME, "rate(1 day)")]


def test_settings_say_when_to_look(tmp_path: Path) -> None:
    """A schedule of one's own, in any environment; never; and then there is no topic either."""
    dev, prod = Environment(name="dev", drift_schedule="cron(0 6 * * ? *)"), replace(PROD, drift_schedule="never")
    one = synthesize(replace(PROJECT, environments=(dev, prod)), tmp_path / "one")["pipeline"]
    none = synthesize(replace(PROJECT, environments=(prod,)), tmp_path / "none")["pipeline"]

    (rule,) = (r for r in resources(one, "aws_cloudwatch_event_rule").values() if "schedule_expression" in r)
    assert (rule["name"], rule["schedule_expression"]) == (f"{PROJECT.name}-dev-drift", "cron(0 6 * * ? *)")
    assert resources(none, "aws_sns_topic") == {}


@pytest.mark.parametrize(
    "schedule", ["daily", "rate(1 days)", "rate(2 day)", "rate(0 days)", "cron(* * *)", "rate(1 day) x"]
)
def test_a_schedule_that_eventbridge_does_not_take_is_refused(schedule: str) -> None:
    """With one that it takes."""
    with pytest.raises(SettingsError, match=re.escape("is no schedule such as 'rate(1 day)' or 'never'")):
        Environment(name="prod", drift_schedule=schedule)


def test_looking_changes_nothing_but_the_lock_and_what_it_told(stacks: dict[str, Stack]) -> None:
    """It reads as a plan does."""
    pipeline = stacks["pipeline"]
    found = list(statements(the(pipeline, "aws_iam_role_policy", f"drift_{PROD.name}_policy")))
    writes = {a for a in actions(found) if not re.match(r"\w[\w-]*:(Get|List|Describe|GET|Lookup)", a)}

    assert writes == {
        *("logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt", "kms:GenerateDataKey"),
        *("dynamodb:PutItem", "dynamodb:DeleteItem", "s3:PutObject", "sns:Publish", "cloudwatch:PutMetricData"),
    }
    written = [r for s in found if "s3:PutObject" in s["Action"] for r in s["Resource"]]
    assert [resource.partition("/")[2] for resource in written] == [f"chatbot-{PROD.name}/drift.json"]
    assert "cache" not in project(pipeline, NAME)


def test_an_apply_keeps_what_it_applied_where_the_look_finds_it(stacks: dict[str, Stack]) -> None:
    """Beside the state, where nothing expires."""
    pipeline = stacks["pipeline"]
    apply = list(statements(the(pipeline, "aws_iam_role_policy", f"{PROD.name}_apply_policy")))
    look = list(statements(the(pipeline, "aws_iam_role_policy", f"drift_{PROD.name}_policy")))
    place = f"arn:aws:s3:::{PROJECT.bucket_name('state')}/chatbot-{PROD.name}/deployed.zip"

    assert any("s3:PutObject" in s["Action"] and s["Resource"] == [place] for s in apply)
    assert any("s3:GetObject" in s["Action"] and s["Resource"] == [place] for s in look)
    commands = project(pipeline, f"{PROJECT.name}-{PROD.name}-apply")["source"]["buildspec"]
    assert " --keep " in commands.partition("delivery apply")[2]


def test_an_alarm_follows_the_metric_and_stays_as_the_last_look_left_it(stacks: dict[str, Stack]) -> None:
    """A day without a look is no all-clear."""
    (alarm,) = resources(stacks["pipeline"], "aws_cloudwatch_metric_alarm").values()
    (variables,) = (project(stacks["pipeline"], NAME)["environment"]["environment_variable"],)

    assert alarm["treat_missing_data"] == "ignore"
    assert alarm["dimensions"] == {"Stack": f"chatbot-{PROD.name}"}
    assert {"name": "NAMESPACE", "value": alarm["namespace"]} in variables
    assert alarm["metric_name"] in (Path(__file__).parents[2] / "delivery" / "drift.py").read_text()


def test_an_environment_elsewhere_is_looked_at_as_its_plan_would(elsewhere: dict[str, Stack]) -> None:
    """Under the role there, which trusts the look too, and may ask who changed something."""
    look = list(statements(the(elsewhere["pipeline"], "aws_iam_role_policy", "drift_prod_policy")))
    access = elsewhere["access-prod"]
    trusted = json.loads(resources(access, "aws_iam_role")["plan"]["assume_role_policy"])["Statement"][0]["Principal"]

    home = "arn:aws:iam::111122223333:role"
    assert [s["Resource"] for s in look if s["Action"] == ["sts:AssumeRole"]] == [
        ["arn:aws:iam::444455556666:role/acme-prod-plan"]
    ]
    assert trusted == {"AWS": [f"{home}/acme-prod-plan", f"{home}/acme-prod-drift"]}
    assert "cloudtrail:LookupEvents" in actions(
        list(statements(resources(access, "aws_iam_role_policy")["plan_policy"]))
    )
    assert not [s for s in look if "lambda:GetFunction" in s["Action"]]
