"""The record of a release: the same wherever it is kept, and as an attestation."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from delivery.attestation import statement
from delivery.errors import UsageError
from delivery.history import outcome_of, show, who_of
from delivery.orphans import Orphan
from delivery.project import Project
from delivery.record import Apply, Approval, Plan, Record, Release, StateVersion

RECORD = Record(
    environment="prod",
    plan_sha256="ab" * 32,
    created_at="2026-11-25T10:00:00+00:00",
    plan=Plan(
        stack="chatbot-prod",
        release=Release(commit="c0ffee", release="r1", lambda_sha256="cd" * 32),
        has_changes=True,
        risk="sensitive",
        summary="chatbot-prod: 1 to change (sensitive): aws_iam_role.bot",
        state=StateVersion(lineage="11111111-2222", serial=4),
        files={"cdk.tf.json": "ef" * 32, ".terraform.lock.hcl": "01" * 32, "assets/zip/lambda.zip": "cd" * 32},
        terraform_version="1.11.4",
        providers={"hashicorp/aws": "5.100.0"},
        expires_at="2026-12-03T10:00:00+00:00",
        pipeline="acme",
        execution="e1",
        review="https://example.org/review",
    ),
)
APPLY = Apply(
    status="applied",
    by="arn:aws:sts::111122223333:assumed-role/acme-prod-apply/AWSCodeBuild-1",
    started_at="2026-11-25T11:00:00+00:00",
    ended_at="2026-11-25T11:01:00+00:00",
    pipeline="acme",
    execution="e1",
    approvals=(Approval(by="arn:aws:iam::111122223333:user/ann", at="2026-11-25T10:59:00+00:00", comment="fine"),),
    state=StateVersion(lineage="11111111-2222", serial=5),
)


@pytest.mark.parametrize("record", [RECORD, replace(RECORD, apply=APPLY)])
def test_a_record_is_read_as_it_was_written(record: Record, tmp_path: Path) -> None:
    """As a file, and from a database whose numbers are decimals; what a later version adds is passed over."""
    record.save(tmp_path / "record.json")
    data = record.as_data() | {"added_later": 1}
    data["plan"]["state"]["serial"] = Decimal(data["plan"]["state"]["serial"])

    assert Record.load(tmp_path / "record.json") == Record.of(data) == record


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"environment": 5}, "record.environment is no str"),
        ({"plan": None}, "record.plan is no Plan"),
        ({"plan": {"stack": "x"}}, "record.plan: "),
        ({"plan": RECORD.plan.as_data() | {"has_changes": "yes"}}, "record.plan.has_changes is no bool"),
        ({"plan": RECORD.plan.as_data() | {"state": {"serial": "4"}}}, "record.plan.state.serial is no int"),
        ({"plan": RECORD.plan.as_data() | {"files": ["a"]}}, "record.plan.files is no "),
        ({"apply": {"status": "applied"}}, "record.apply: "),
    ],
)
def test_what_is_no_record_is_refused_by_the_member_that_is_wrong(change: dict[str, Any], said: str) -> None:
    """Whatever someone wrote into the file."""
    with pytest.raises(ValueError, match=said):
        Record.of(RECORD.as_data() | change)


def test_a_checkout_stands_for_its_own_commit_and_a_build_for_the_recorded_one(tmp_path: Path) -> None:
    """Outside of a repository what the Build stage recorded counts; a broken record is said to be one."""
    project = Project(tmp_path)
    assert project.release() == Release(commit="")

    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "release.json").write_text(json.dumps({"commit": "c0ffee", "release": "r1"}))
    assert (project.commit(), project.release().release) == ("c0ffee", "r1")

    (tmp_path / "build" / "release.json").write_text("[]")
    with pytest.raises(UsageError, match=r"release.json is no record of a release \(release is no Release\)"):
        project.release()


def test_an_attestation_leads_from_the_commit_to_what_was_applied() -> None:
    """As an in-toto statement with SLSA's provenance, whatever SLSA has no word for in members of our own."""
    made = statement(replace(RECORD, apply=APPLY))

    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["subject"] == [{"name": "tfplan", "digest": {"sha256": "ab" * 32}}]
    assert made["predicateType"] == "https://slsa.dev/provenance/v1"
    definition, details = made["predicate"]["buildDefinition"], made["predicate"]["runDetails"]
    dependencies = {each["name"]: each.get("digest", each.get("uri")) for each in definition["resolvedDependencies"]}
    assert dependencies == {
        "source": {"gitCommit": "c0ffee"},
        "lambda.zip": {"sha256": "cd" * 32},
        "chatbot-prod/cdk.tf.json": {"sha256": "ef" * 32},
        "chatbot-prod/.terraform.lock.hcl": {"sha256": "01" * 32},
        "chatbot-prod/assets/zip/lambda.zip": {"sha256": "cd" * 32},
        "terraform": "pkg:generic/terraform@1.11.4",
        "hashicorp/aws": "pkg:generic/hashicorp/aws@5.100.0",
    }
    assert details["metadata"] == {
        "invocationId": "e1",
        "startedOn": "2026-11-25T10:00:00Z",
        "finishedOn": "2026-11-25T11:01:00Z",
    }
    result = details["parley_result"]
    assert (result["status"], result["approvals"][0]["comment"], result["state"]["serial"]) == ("applied", "fine", 5)


def test_a_plan_that_was_not_applied_attests_to_just_that() -> None:
    """No approver, no result, no time of an end."""
    details = statement(RECORD)["predicate"]["runDetails"]

    assert details["parley_result"] == {"status": "planned"}
    assert "finishedOn" not in details["metadata"]


def test_history_names_people_and_roles_as_they_are_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approver with their words; where nobody approved, the role that applied."""
    monkeypatch.setenv("TZ", "UTC")
    approved, alone = replace(RECORD, apply=APPLY), replace(RECORD, apply=replace(APPLY, approvals=()))

    assert [who_of(each) for each in (RECORD, approved, alone)] == ["", "ann “fine”", "acme-prod-apply/AWSCodeBuild-1"]
    assert outcome_of(RECORD) == "planned"
    assert outcome_of(approved).startswith("applied ")
    show([approved, replace(RECORD, environment="[red]dev[/red]")])
    shown = capsys.readouterr().out
    assert "ann “fine”" in shown
    assert "1 to change (sensitive)" in shown
    assert "[red]dev[/red]" in shown


def test_an_approvers_words_do_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """They are anyone's who may approve, and read by everyone else."""
    words = Approval(by="user/ann", at="2026-11-25T10:59:00+00:00", comment="\x1b[2Jfi\u202ene\nall [bold]well[/]")

    show([replace(RECORD, apply=replace(APPLY, approvals=(words,)))])

    shown = capsys.readouterr().out
    assert "fi ne all [bold]well[/]" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_an_orphans_name_does_nothing_to_a_terminal_or_a_shell() -> None:
    """Whoever may write into the state bucket names it; the command is there to be copied."""
    orphan = Orphan("a;\n\x1b[2Jb", "s3://state/a", datetime(2026, 11, 25, tzinfo=UTC))

    assert str(orphan).endswith("--stack 'a;  [2Jb' --out retire")
