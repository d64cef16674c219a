"""What is synthesized: the properties that every stack must have, and those that keep environments apart."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.review import SUMMARY_LIMIT
from delivery.risk import UNHEARD_OF, grade, holds
from stacks.project import Approval, Environment, Project, Provider, Source
from stacks.settings import PROJECT
from tests.infrastructure.synthesis import ROOT, Stack, run_main, synthesize

FIRST = f"chatbot-{PROJECT.environments[0].name}"
NAMES = ("name", "bucket", "function_name", "alarm_name")


def resources(stack: Stack, kind: str) -> dict[str, Any]:
    """The resources of one Terraform type, by name."""
    found: dict[str, Any] = stack.get("resource", {}).get(kind, {})
    return found


def statements(value: object) -> Iterator[dict[str, Any]]:
    """Every IAM statement anywhere in a stack."""
    if isinstance(value, str) and '"Statement"' in value:
        yield from json.loads(value)["Statement"]
    elif isinstance(value, dict):
        for each in value.values():
            yield from statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from statements(each)


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below ``folder``."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_environment_the_state_and_the_pipeline_are_stacks(stacks: dict[str, Stack]) -> None:
    """All of them are synthesized every time, so that prod's mistakes appear before prod."""
    environments = {f"chatbot-{environment.name}" for environment in PROJECT.environments}
    access = {f"access-{each.name}" for each in PROJECT.environments if PROJECT.is_remote(each)}

    assert set(stacks) == {"state", "pipeline"} | environments | access


def test_a_review_has_a_rule_for_every_type_that_is_synthesized(stacks: dict[str, Stack]) -> None:
    """Of others it assumes the worst, and would ask for a second approval where nothing can be lost."""
    types = {kind for stack in stacks.values() for kind in stack.get("resource", {})}

    assert {kind for kind in types if UNHEARD_OF in grade("create", kind, [])[1] + holds(kind)} == set()


def test_every_stack_keeps_its_state_in_the_bucket_under_a_key_of_its_own_and_locks_it(
    stacks: dict[str, Stack],
) -> None:
    """A stack without a backend would lose its state with the build's container."""
    backends = {name: stack["terraform"]["backend"]["s3"] for name, stack in stacks.items()}

    assert {backend["key"] for backend in backends.values()} == {f"{name}/terraform.tfstate" for name in stacks}
    assert {backend["dynamodb_table"] for backend in backends.values()} == {f"{PROJECT.name}-locks"}


def test_the_provider_lock_lies_beside_every_stack(synthesized: Path, stacks: dict[str, Stack]) -> None:
    """Terraform takes the provider that the lock names, and no other."""
    lock = (ROOT / ".terraform.lock.hcl").read_bytes()

    for name in stacks:
        assert (synthesized / "stacks" / name / ".terraform.lock.hcl").read_bytes() == lock


def test_two_stacks_never_name_the_same_thing(stacks: dict[str, Stack]) -> None:
    """Two environments that shared a name would overwrite each other."""
    named = [
        (kind, value[key])
        for stack in stacks.values()
        for kind, group in stack["resource"].items()
        for value in group.values()
        for key in NAMES
        if isinstance(value.get(key), str) and "${" not in value[key] and kind != "aws_iam_role_policy"
        if not kind.startswith("aws_lambda_alias")
    ]

    assert sorted(named) == sorted(set(named))


def test_a_statement_for_every_resource_allows_only_what_aws_cannot_limit(stacks: dict[str, Stack]) -> None:
    """Least privilege: everything else names its resources."""
    everywhere = {
        action
        for stack in stacks.values()
        for statement in statements(stack)
        if statement["Effect"] == "Allow" and statement.get("Resource") == ["*"]
        for action in statement["Action"]
    }

    assert everywhere == {
        *("cloudtrail:LookupEvents", "cloudwatch:PutMetricData"),
        *("kms:ListAliases", "logs:DescribeLogGroups"),
    }


def allowed(stacks: dict[str, Stack], project: str) -> list[dict[str, Any]]:
    """What the role of one of the last environment's projects may do."""
    policies = resources(stacks["pipeline"], "aws_iam_role_policy")
    last = PROJECT.environments[-1].name
    (policy,) = (value for name, value in policies.items() if name.startswith(f"{last}_{project}"))
    return list(statements(policy))


def test_planning_can_change_nothing_but_the_lock(stacks: dict[str, Stack]) -> None:
    """The plan's role reads; what it writes are logs, artifacts, the lock's item and the ledger's."""
    plan = allowed(stacks, "plan")
    writes = {
        action
        for statement in plan
        for action in statement["Action"]
        if not re.match(r"\w+:(Get|List|Describe|GET)", action)
    }

    assert writes == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:PutObject",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "dynamodb:UpdateItem",
    }
    assert not any("conversations" in json.dumps(s) and "Item" in json.dumps(s) for s in plan)


def test_who_plans_cannot_write_what_was_applied_nor_who_applies_what_was_planned(stacks: dict[str, Stack]) -> None:
    """Each writes its own attribute of the ledger's items, of its own environment alone."""
    last = PROJECT.environments[-1].name
    for project, attributes in (("plan", {"plan", "created_at"}), ("apply", {"apply"})):
        (write,) = (each for each in allowed(stacks, project) if each["Action"] == ["dynamodb:UpdateItem"])
        condition = write["Condition"]["ForAllValues:StringEquals"]
        assert write["Resource"][0].endswith(f":table/{PROJECT.name}-ledger")
        assert condition["dynamodb:LeadingKeys"] == [last]
        assert set(condition["dynamodb:Attributes"]) == {"environment", "plan_sha256"} | attributes


def test_state_locks_and_ledger_outlive_a_mistake(stacks: dict[str, Stack]) -> None:
    """Encrypted with the project's key, restorable to any second, and destroyed by no plan."""
    tables = resources(stacks["state"], "aws_dynamodb_table")

    assert set(tables) == {"locks", "ledger"}
    for table in tables.values():
        assert table["lifecycle"]["prevent_destroy"] is True
        assert table["point_in_time_recovery"]["enabled"] is True
        assert table["server_side_encryption"]["kms_key_arn"] == "${aws_kms_key.key.arn}"
        assert table["billing_mode"] == "PAY_PER_REQUEST"


def test_every_project_has_a_role_of_its_own(stacks: dict[str, Stack]) -> None:
    """What plans cannot apply, and what builds can do neither."""
    projects = resources(stacks["pipeline"], "aws_codebuild_project")
    roles = [project["service_role"] for project in projects.values()]

    assert len(set(roles)) == len(projects)
    assert len(projects) == 2 + 3 * len(PROJECT.environments) + sum(
        bool(e.looks_for_drift) for e in PROJECT.environments
    )


def test_the_stages_stand_in_the_order_in_which_a_change_travels(stacks: dict[str, Stack]) -> None:
    """Each environment is planned after the one before it is verified."""
    (pipeline,) = resources(stacks["pipeline"], "aws_codepipeline").values()

    expected = ["Source", "Build", "UpdatePipeline"]
    for environment in PROJECT.environments:
        approve = ["approve"] if environment.approval is not Approval.NEVER else []
        approve += ["approve-destructive"] if environment.destructive_approval else []
        expected += [f"{environment.name}-{part}" for part in ("plan", *approve, "deploy")]
    assert [stage["name"] for stage in pipeline["stage"]] == expected


def test_each_environments_plan_is_compared_with_that_of_the_one_before(stacks: dict[str, Stack]) -> None:
    """Its artifact is the second input of the next plan; the first environment has none to be compared with."""
    (pipeline,) = resources(stacks["pipeline"], "aws_codepipeline").values()
    inputs = [s["action"][0]["input_artifacts"] for s in pipeline["stage"] if s["name"].endswith("-plan")]
    projects = resources(stacks["pipeline"], "aws_codebuild_project").values()
    commands = {each["name"]: each["source"]["buildspec"] for each in projects}
    names = [environment.name for environment in PROJECT.environments]

    assert inputs == [["build"], *(["build", f"{name}_plan"] for name in names[:-1])]
    for name, before in zip(names[1:], names, strict=False):
        assert f'--before "$CODEBUILD_SRC_DIR_{before}_plan"' in commands[f"{PROJECT.name}-{name}-plan"]
    assert "--before" not in commands[f"{PROJECT.name}-{names[0]}-plan"]


def test_the_build_may_list_states_and_read_none(stacks: dict[str, Stack]) -> None:
    """It names those whose stack is gone."""
    policies = resources(stacks["pipeline"], "aws_iam_role_policy")
    (policy,) = (value for name, value in policies.items() if name.startswith("build_"))
    bucket = f"arn:aws:s3:::{PROJECT.bucket_name('state')}"
    found = [s["Action"] for s in statements(policy) if any(str(r).startswith(bucket) for r in s["Resource"])]

    assert found == [["s3:ListBucket"]]


def test_the_output_holds_no_path_of_the_machine(synthesized: Path) -> None:
    """What one machine synthesizes, another must be able to apply."""
    for path in synthesized.glob("**/*.json"):
        assert str(synthesized) not in path.read_text()
        assert str(ROOT) not in path.read_text()


def test_synthesis_in_another_folder_gives_the_same_bytes(synthesized: Path, tmp_path: Path) -> None:
    """Otherwise UpdatePipeline would find a change in every execution."""
    assert run_main(tmp_path).returncode == 0

    assert contents(tmp_path / "cdktf.out") == contents(synthesized)


ANOTHER = Project(
    name="acme",
    bot_name="Acme",
    account="111122223333",
    region="eu-west-1",
    source=Source(provider=Provider.CODECOMMIT, repository="bot"),
    environments=(
        Environment(name="dev"),
        Environment(name="preview", approval=Approval.ALWAYS),
        Environment(
            name="prod",
            account="444455556666",
            region="us-east-1",
            approval=Approval.ON_CHANGE,
            destructive_approval=True,
        ),
    ),
)


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    """Another team's project: CodeCommit, an environment of its own, prod in another account and region."""
    return synthesize(ANOTHER, tmp_path_factory.mktemp("another"))


def test_a_line_in_the_settings_is_a_new_environment(another: dict[str, Stack]) -> None:
    """Its stack, its projects and its stages follow from that line."""
    (pipeline,) = resources(another["pipeline"], "aws_codepipeline").values()

    assert "chatbot-preview" in another
    assert [s["name"] for s in pipeline["stage"] if s["name"].startswith("preview")] == [
        "preview-plan",
        "preview-approve",
        "preview-deploy",
    ]


def test_an_approval_is_skipped_for_an_empty_plan_only_where_settings_say_on_change(another: dict[str, Stack]) -> None:
    """`always` asks for an empty plan too."""
    (pipeline,) = resources(another["pipeline"], "aws_codepipeline").values()
    stages = {stage["name"]: stage for stage in pipeline["stage"]}

    assert "before_entry" not in stages["preview-approve"]
    assert stages["prod-approve"]["before_entry"]["condition"]["result"] == "SKIP"


def test_a_loss_of_data_is_approved_in_a_stage_of_its_own_that_is_skipped_otherwise(
    another: dict[str, Stack],
) -> None:
    """So that other people can be let approve it: IAM grants the answer to an approval by its stage."""
    (pipeline,) = resources(another["pipeline"], "aws_codepipeline").values()
    names = [stage["name"] for stage in pipeline["stage"]]
    stage = pipeline["stage"][names.index("prod-approve-destructive")]
    condition = stage["before_entry"]["condition"]

    assert names[names.index("prod-approve") + 1] == "prod-approve-destructive"
    assert (condition["result"], condition["rule"][0]["configuration"]) == (
        "SKIP",
        {"Variable": "#{prod-plan.RISK}", "Operator": "EQ", "Value": "destructive"},
    )


def test_an_approval_shows_summary_risk_and_digest_and_links_to_the_review(another: dict[str, Stack]) -> None:
    """Within what CodePipeline lets a configuration value hold, however long the summary."""
    (pipeline,) = resources(another["pipeline"], "aws_codepipeline").values()
    approvals = [stage for stage in pipeline["stage"] if "-approve" in stage["name"]]

    assert len(approvals) == 3
    for stage in approvals:
        (action,) = stage["action"]
        planned = f"{stage['name'].partition('-')[0]}-plan"
        values = {"SUMMARY": "x" * SUMMARY_LIMIT, "RISK": "destructive", "PLAN_SHA256": "0" * 64}
        shown = action["configuration"]["CustomData"]
        for name, value in values.items():
            assert f"#{{{planned}.{name}}}" in shown
            shown = shown.replace(f"#{{{planned}.{name}}}", value)
        assert len(shown) <= 1000
        assert action["configuration"]["ExternalEntityLink"] == f"#{{{planned}.REVIEW_URL}}"


def test_plans_are_gone_after_two_weeks_and_reviews_after_a_year(stacks: dict[str, Stack]) -> None:
    """A plan holds a copy of the state, a review nothing that is secret; no rule for all objects cuts that short."""
    (bucket,) = resources(stacks["pipeline"], "aws_s3_bucket").values()
    expiring = {
        rule.get("prefix"): rule["expiration"]["days"] for rule in bucket["lifecycle_rule"] if "expiration" in rule
    }

    pull_requests = {"pull-requests/builds/": 14, "pull-requests/reviewed/": 90}
    assert expiring == {f"{PROJECT.name}/": 14, "cache/": 14, "reviews/": 400} | pull_requests


def test_an_environment_in_another_account_is_reached_through_a_role_that_no_plan_freezes(
    another: dict[str, Stack],
) -> None:
    """The variable is ephemeral, and differs between plan and apply."""
    prod = another["chatbot-prod"]
    (provider,) = prod["provider"]["aws"]

    assert prod["variable"]["deploy_role_arn"]["ephemeral"] is True
    assert provider["assume_role"] == [{"role_arn": "${var.deploy_role_arn}"}]
    assert provider["allowed_account_ids"] == ["444455556666"]
    assert provider["region"] == "us-east-1"
    assert prod["terraform"]["backend"]["s3"]["region"] == "eu-west-1"
    assert set(resources(another["access-prod"], "aws_iam_role")) == {"plan", "apply"}


def test_a_push_to_codecommit_starts_the_pipeline_through_eventbridge(another: dict[str, Stack]) -> None:
    """CodePipeline does not poll."""
    rules = resources(another["pipeline"], "aws_cloudwatch_event_rule").values()
    (rule,) = (each for each in rules if "event_pattern" in each)
    pattern = json.loads(rule["event_pattern"])

    assert pattern["resources"] == ["arn:aws:codecommit:eu-west-1:111122223333:bot"]
    assert pattern["detail"]["referenceName"] == ["main"]


@pytest.mark.parametrize("provider", [Provider.GITHUB, Provider.BITBUCKET, Provider.GITLAB])
def test_the_other_providers_are_reached_through_a_connection(tmp_path: Path, provider: Provider) -> None:
    """One connection, which the source action uses."""
    source = Source(provider=provider, repository="acme/bot")

    pipeline = synthesize(replace(ANOTHER, source=source, environments=ANOTHER.environments[:1]), tmp_path)["pipeline"]

    (connection,) = resources(pipeline, "aws_codeconnections_connection").values()
    (action,) = next(iter(resources(pipeline, "aws_codepipeline").values()))["stage"][0]["action"]
    assert connection["provider_type"] == provider
    assert action["configuration"]["FullRepositoryId"] == "acme/bot"


def test_too_many_environments_for_one_pipeline_are_refused(tmp_path: Path) -> None:
    """CodePipeline's limit is met at synth, in one line."""
    settings = """
from stacks.project import Environment, Project, Source
PROJECT = Project(
    name="acme", bot_name="Acme", account="111122223333", region="eu-west-1",
    source=Source(provider="GitHub", repository="acme/bot"),
    environments=tuple(
        Environment(name=f"env{number}", approval="always", destructive_approval=True) for number in range(12)
    ),
)
"""

    done = run_main(tmp_path, settings)

    assert done.returncode == 2
    assert done.stderr == "main.py: the pipeline has 51 stages; CodePipeline allows 50: use fewer environments\n"
