"""CodePipeline executes what it stores: stages, artifacts, variables, conditions, approvals and execution modes."""

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud import Cloud
from tests.rehearsal.pipelines import (
    ACCOUNT,
    World,
    account,
    approval,
    build,
    check,
    environment,
    eventually,
    pipelines,
    stage,
    trust,
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with account("executed") as running:
        yield running


@pytest.fixture
def world(cloud: Cloud, tmp_path: Path) -> Iterator[World]:
    with pipelines(cloud, "executed", tmp_path, minute=0.01) as opened:
        yield opened


def test_creating_a_pipeline_runs_it_from_the_pushed_commit_to_the_last_stage(world: World) -> None:
    """A new pipeline runs at once: source, build, and every artifact lies in the bucket under a key of its own."""
    commit = world.push("First\n\nwith a body")
    world.builds.scripts["compile"] = lambda _: ("SUCCEEDED", {"DIGEST": "abc"})
    execution = world.create(
        stage("Build", build("compile", outputs=("package",), namespace="build")),
        stage(
            "Test",
            build("smoke", inputs=("package",), configuration={"EnvironmentVariables": environment("#{build.DIGEST}")}),
        ),
    )

    world.ends(execution, "Succeeded")
    actions = world.actions(execution)
    assert actions["Source"]["output"]["outputVariables"]["CommitId"] == commit
    assert actions["Source"]["output"]["outputVariables"]["CommitMessage"] == "First\n\nwith a body"
    made = actions["compile"]["output"]["outputArtifacts"][0]["s3location"]
    assert made["key"].startswith("shop/package/")
    stored = world.cloud.client("s3").get_object(Bucket=made["bucket"], Key=made["key"])["Body"].read()
    assert zipfile.ZipFile(io.BytesIO(stored)).read("made-by-a-build.txt") == b"package"
    assert world.builds.requests[1].environment == [{"name": "VALUE", "value": "abc", "type": "PLAINTEXT"}]
    assert world.builds.requests[0].resolved_source_version == commit
    assert world.builds.requests[1].resolved_source_version == commit
    found = world.api.get_pipeline_execution(pipelineName="shop", pipelineExecutionId=execution)["pipelineExecution"]
    assert found["trigger"]["triggerType"] == "CreatePipeline"
    assert found["artifactRevisions"][0]["revisionId"] == commit


def test_actions_of_one_run_order_run_side_by_side_and_the_next_ones_after_them(world: World) -> None:
    """Both builds of run order 1 have started before either ended; the one of run order 2 waits for both."""
    world.push()
    world.builds.hold("left")
    world.builds.hold("right")
    execution = world.create(
        stage("Build", build("left"), build("right"), build("after") | {"runOrder": 2}),
    )

    eventually(lambda: {"left", "right"} <= {each.project for each in world.builds.requests})
    world.builds.release("left")
    eventually(lambda: world.actions(execution)["left"]["status"] == "Succeeded")
    assert "after" not in world.actions(execution)
    world.builds.release("right")
    world.ends(execution, "Succeeded")
    assert world.builds.requests[-1].project == "after"


def test_a_push_starts_an_execution_for_exactly_that_commit(world: World) -> None:
    """Every push is a new execution with the pushed commit as its source revision; other branches start none."""
    world.push()
    first = world.create(stage("Build", build("compile")))
    world.ends(first, "Succeeded")

    world.push("elsewhere", branch="feature/other")
    commit = world.push("second")
    second = world.latest()
    world.ends(second, "Succeeded")

    summaries = world.api.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert [each["pipelineExecutionId"] for each in summaries] == [second, first]
    assert summaries[0]["sourceRevisions"][0]["revisionId"] == commit
    assert summaries[0]["trigger"]["triggerType"] == "WebhookV2"


def test_a_failed_action_fails_its_stage_and_execution_and_says_why(world: World) -> None:
    """The build's message stands in errorDetails, the stage is Failed and nothing after it starts."""
    world.push()
    world.builds.scripts["compile"] = lambda _: ("FAILED", {})
    execution = world.create(stage("Build", build("compile")), stage("Deploy", build("deploy")))

    world.ends(execution, "Failed")
    details = world.actions(execution)["compile"]["output"]["executionResult"]["errorDetails"]
    assert details["code"] == "JobFailed"
    assert "exit status 1" in details["message"]
    assert world.stage_status("Build") == "Failed"
    assert world.stage_status("Deploy") is None


@pytest.mark.parametrize(
    ("answer", "ending", "approved"), [("Approved", "Succeeded", True), ("Rejected", "Failed", False)]
)
def test_an_approval_decides_whether_the_pipeline_goes_on(
    world: World, answer: str, ending: str, approved: bool
) -> None:
    """An approval waits with a token; the answer, who gave it and their words are on record."""
    world.push()
    execution = world.create(stage("Approve", approval()), stage("Deploy", build("deploy")))

    world.answer("Approve", answer, summary="I have read it")
    world.ends(execution, ending)
    record = world.stage("Approve")["actionStates"][0]["latestExecution"]
    assert record["summary"] == "I have read it"
    assert record["lastUpdatedBy"] == f"arn:aws:iam::{ACCOUNT}:user/rehearsal"
    assert [each.project for each in world.builds.requests] == ["deploy"] * approved


def test_an_approval_takes_its_own_token_only_and_only_once(world: World) -> None:
    """A wrong token is refused; a used one is refused as completed."""
    world.push()
    world.create(stage("Approve", approval()), stage("Again", approval()))
    token = world.token("Approve")

    with pytest.raises(ClientError, match="InvalidApprovalTokenException"):
        world.answer("Approve", token="00000000-0000-0000-0000-000000000000")
    world.answer("Approve", token=token)
    with pytest.raises(ClientError, match="ApprovalAlreadyCompletedException"):
        world.answer("Approve", token=token)


def test_an_approval_that_nobody_answers_fails_when_its_time_is_up(world: World) -> None:
    """timeoutInMinutes ends an approval, and the token is worth nothing afterwards."""
    world.push()
    execution = world.create(stage("Approve", approval(timeoutInMinutes=5)))

    world.ends(execution, "Failed")
    error = world.actions(execution)["approve"]["output"]["executionResult"]["errorDetails"]
    assert "5 minutes" in error["message"]


@pytest.mark.parametrize(("changes", "status"), [("true", "Succeeded"), ("false", "Skipped")])
def test_a_before_entry_condition_skips_the_stage_unless_it_holds(world: World, changes: str, status: str) -> None:
    """A stage whose VariableCheck does not hold is Skipped, and the execution goes on behind it."""
    world.push()
    world.builds.scripts["plan"] = lambda _: ("SUCCEEDED", {"HAS_CHANGES": changes})
    condition = check("#{plan.HAS_CHANGES}", "EQ", "true")
    execution = world.create(
        stage("Plan", build("plan", namespace="plan")),
        stage("Apply", build("apply"), beforeEntry=condition),
        stage("Verify", build("verify")),
    )

    world.ends(execution, "Succeeded")
    assert world.stage_status("Apply") == status
    assert ("apply" in world.actions(execution)) == (status == "Succeeded")
    assert "verify" in world.actions(execution)
    judged = world.stage("Apply")["beforeEntryConditionState"]["latestExecution"]["status"]
    assert judged == ("Succeeded" if status == "Succeeded" else "Failed")


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("EQ", "blue-7", True),
        ("EQ", "blue", False),
        ("NE", "blue", True),
        ("NE", "blue-7", False),
        ("CONTAINS", "lue", True),
        ("CONTAINS", "green", False),
        ("MATCHES", r"blue-\d", True),
        ("MATCHES", r"blue", False),
    ],
)
def test_variable_checks_compare_as_documented(world: World, operator: str, value: str, holds: bool) -> None:
    """EQ, NE, CONTAINS (a substring) and MATCHES (the whole text) decide whether a stage may be entered."""
    world.push()
    execution = world.create(
        stage("Deploy", approval(), beforeEntry=check("#{variables.COLOUR}", operator, value, "FAIL")),
        variables=[{"name": "COLOUR", "defaultValue": "blue-7"}],
    )

    if holds:
        world.answer("Deploy")
    world.ends(execution, "Succeeded" if holds else "Failed")


def test_a_condition_on_a_variable_that_nobody_made_fails_the_stage(world: World) -> None:
    """An unresolvable condition is an error, not a reason to skip."""
    world.push()
    execution = world.create(stage("Deploy", approval(), beforeEntry=check("#{plan.NOPE}", "EQ", "true")))

    world.ends(execution, "Failed")
    state = world.stage("Deploy")["beforeEntryConditionState"]["latestExecution"]
    assert state["status"] == "Errored"
    assert "#{plan.NOPE}" in state["summary"]


def test_a_failing_on_success_condition_fails_the_stage(world: World) -> None:
    """A stage whose actions succeeded still fails when its onSuccess condition does not hold."""
    world.push()
    world.builds.scripts["smoke"] = lambda _: ("SUCCEEDED", {"ERRORS": "3"})
    condition = check("#{smoke.ERRORS}", "EQ", "0", "FAIL")
    execution = world.create(stage("Smoke", build("smoke", namespace="smoke"), onSuccess=condition))

    world.ends(execution, "Failed")
    assert world.stage_status("Smoke") == "Failed"


def test_on_failure_retry_runs_the_failed_actions_once_more(world: World) -> None:
    """RETRY with FAILED_ACTIONS repeats the failed action alone, once, and says so."""
    world.push()
    results = iter(["FAILED", "SUCCEEDED"])
    world.builds.scripts["flaky"] = lambda _: (next(results), {})
    retry = {"result": "RETRY", "retryConfiguration": {"retryMode": "FAILED_ACTIONS"}}
    execution = world.create(stage("Build", build("steady"), build("flaky"), onFailure=retry))

    world.ends(execution, "Succeeded")
    assert sorted(each.project for each in world.builds.requests) == ["flaky", "flaky", "steady"]
    assert world.stage("Build")["retryStageMetadata"]["latestRetryTrigger"] == "AutomatedStageRetry"


@pytest.mark.parametrize(
    ("mode", "projects"),
    [("FAILED_ACTIONS", ["flaky", "flaky", "steady"]), ("ALL_ACTIONS", ["flaky", "flaky", "steady", "steady"])],
)
def test_a_failed_stage_can_be_retried_and_the_execution_goes_on(world: World, mode: str, projects: list[str]) -> None:
    """RetryStageExecution repeats what failed, or everything, under the same execution id."""
    world.push()
    results = iter(["FAILED", "SUCCEEDED"])
    world.builds.scripts["flaky"] = lambda _: (next(results), {})
    execution = world.create(stage("Build", build("steady"), build("flaky")), stage("Deploy", approval()))
    world.ends(execution, "Failed")

    retry = {"pipelineName": "shop", "stageName": "Build", "pipelineExecutionId": execution, "retryMode": mode}
    assert world.api.retry_stage_execution(**retry)["pipelineExecutionId"] == execution
    world.answer("Deploy")
    world.ends(execution, "Succeeded")
    assert sorted(each.project for each in world.builds.requests) == projects
    with pytest.raises(ClientError, match="StageNotRetryableException"):
        world.api.retry_stage_execution(**retry)


def test_what_cannot_be_resolved_fails_the_action_with_the_reference_and_what_there_is(world: World) -> None:
    """A reference to a variable that was never exported is named, with the namespace's variables."""
    world.push()
    configuration = {"EnvironmentVariables": environment("#{source.Missing}")}
    execution = world.create(stage("Build", build("compile", configuration=configuration)))

    world.ends(execution, "Failed")
    message = world.actions(execution)["compile"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "#{source.Missing}" in message
    assert "CommitId" in message


def test_a_configuration_value_that_grows_beyond_1000_characters_fails_the_action(world: World) -> None:
    """The limit counts after variables were resolved."""
    world.push("x" * 1001)
    configuration = {"CustomData": "#{source.CommitMessage}"}
    execution = world.create(stage("Approve", approval(configuration=configuration)))

    world.ends(execution, "Failed")
    message = world.actions(execution)["approve"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "1,001 characters" in message


def test_starting_takes_variables_and_a_commit_and_is_idempotent_by_token(world: World) -> None:
    """StartPipelineExecution overrides defaults and the source's commit; the same token starts nothing again."""
    old = world.push("old")
    world.push("new")
    configuration = {"CustomData": "#{variables.WHO} #{codepipeline.PipelineExecutionId}"}
    first = world.create(
        stage("Approve", approval(configuration=configuration)), variables=[{"name": "WHO", "defaultValue": "nobody"}]
    )
    world.answer("Approve")
    world.ends(first, "Succeeded")

    request = {
        "name": "shop",
        "variables": [{"name": "WHO", "value": "Ada"}],
        "sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": old}],
        "clientRequestToken": "once",
    }
    second = world.api.start_pipeline_execution(**request)["pipelineExecutionId"]
    assert world.api.start_pipeline_execution(**request)["pipelineExecutionId"] == second
    world.answer("Approve")
    world.ends(second, "Succeeded")
    actions = world.actions(second)
    assert actions["approve"]["input"]["resolvedConfiguration"]["CustomData"] == f"Ada {second}"
    assert actions["Source"]["output"]["outputVariables"]["CommitId"] == old
    with pytest.raises(ClientError, match="does not declare variable WHAT"):
        world.api.start_pipeline_execution(name="shop", variables=[{"name": "WHAT", "value": "x"}])


def test_a_newer_execution_supersedes_the_one_that_waits_in_front_of_a_locked_stage(world: World) -> None:
    """While an approval holds its stage, of two executions waiting in front of it only the newest goes on."""
    world.push()
    first = world.create(stage("Approve", approval()))
    world.token("Approve")
    world.push("second")
    second = world.latest()
    eventually(lambda: world.stage("Approve").get("inboundExecution", {}).get("pipelineExecutionId") == second)
    world.push("third")
    third = world.latest()

    world.ends(second, "Superseded")
    assert world.status(first) == "InProgress"
    world.answer("Approve")
    world.ends(first, "Succeeded")
    world.answer("Approve")
    world.ends(third, "Succeeded")


def test_queued_executions_go_one_after_the_other_in_their_order(world: World) -> None:
    """In QUEUED mode nobody is superseded."""
    world.push()
    first = world.create(stage("Approve", approval()), executionMode="QUEUED")
    world.token("Approve")
    others = [world.api.start_pipeline_execution(name="shop")["pipelineExecutionId"] for _ in range(2)]
    eventually(lambda: len(world.stage("Approve").get("inboundExecutions", [])) == 2)

    for execution in [first, *others]:
        eventually(
            lambda current=execution: world.stage("Approve")["latestExecution"]["pipelineExecutionId"] == current
        )
        world.answer("Approve")
        world.ends(execution, "Succeeded")


def test_parallel_executions_do_not_wait_for_each_other(world: World) -> None:
    """In PARALLEL mode two executions are in the same stage at once."""
    world.push()
    world.builds.hold("compile")
    first = world.create(stage("Build", build("compile")), executionMode="PARALLEL")
    second = world.api.start_pipeline_execution(name="shop")["pipelineExecutionId"]

    eventually(lambda: len(world.builds.requests) == 2)
    world.builds.release("compile")
    world.ends(first, "Succeeded")
    world.ends(second, "Succeeded")


def test_stopping_waits_for_running_actions_unless_they_are_abandoned(world: World) -> None:
    """Stop and wait leaves the running build to end; abandon does not wait. Either unlocks the stage."""
    world.push()
    world.builds.hold("compile")
    execution = world.create(stage("Build", build("compile")), stage("Deploy", build("deploy")))
    eventually(lambda: bool(world.builds.requests))
    stop = {"pipelineName": "shop", "pipelineExecutionId": execution, "reason": "wrong commit"}

    world.api.stop_pipeline_execution(**stop)
    assert world.status(execution) == "Stopping"
    assert world.stage_status("Build") == "Stopping"
    with pytest.raises(ClientError, match="DuplicatedStopRequestException"):
        world.api.stop_pipeline_execution(**stop)
    world.api.stop_pipeline_execution(**stop, abandon=True)

    world.ends(execution, "Stopped")
    assert world.actions(execution)["compile"]["status"] == "Abandoned"
    assert world.stage_status("Build") == "Stopped"
    summary = world.api.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"][0]
    assert summary["stopTrigger"]["reason"] == "wrong commit"
    with pytest.raises(ClientError, match="PipelineExecutionNotStoppableException"):
        world.api.stop_pipeline_execution(**stop)


def test_an_updated_definition_cancels_what_runs_after_its_current_actions(world: World) -> None:
    """UpdatePipeline lets running actions complete, then cancels their execution; nothing new is started."""
    world.push()
    world.builds.hold("compile")
    execution = world.create(stage("Build", build("compile")), stage("Deploy", build("deploy")))
    eventually(lambda: bool(world.builds.requests))

    updated = world.api.update_pipeline(pipeline=world.definition(stage("Build", build("compile"))))
    assert updated["pipeline"]["version"] == 2
    assert world.status(execution) == "InProgress"
    world.builds.release("compile")
    world.ends(execution, "Cancelled")
    assert world.actions(execution)["compile"]["status"] == "Succeeded"
    assert world.stage_status("Build") == "Cancelled"
    assert world.latest() == execution


def test_a_disabled_transition_keeps_executions_out_until_it_is_enabled(world: World) -> None:
    """An execution waits in front of a disabled transition, and goes on when it is enabled."""
    world.push()
    world.builds.hold("compile")
    execution = world.create(stage("Build", build("compile")), stage("Deploy", build("deploy")))
    transition = {"pipelineName": "shop", "stageName": "Deploy", "transitionType": "Inbound"}
    world.api.disable_stage_transition(**transition, reason="release freeze")
    world.builds.release("compile")

    eventually(lambda: "inboundExecution" in world.stage("Deploy"))
    state = world.stage("Deploy")["inboundTransitionState"]
    assert (state["enabled"], state["disabledReason"]) == (False, "release freeze")
    world.api.enable_stage_transition(**transition)
    world.ends(execution, "Succeeded")


def test_what_is_missing_fails_the_source_action_by_name(world: World) -> None:
    """A branch that nobody pushed and a bucket that does not exist are named in the action's error."""
    execution = world.create(stage("Build", build("compile")))
    world.ends(execution, "Failed")
    error = world.actions(execution)["Source"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "No Branch [main] found" in error

    store = {"type": "S3", "location": "no-such-bucket"}
    world.api.update_pipeline(pipeline=world.definition(stage("Build", build("compile")), artifactStore=store))
    world.push()
    execution = world.latest()
    world.ends(execution, "Failed")
    error = world.actions(execution)["Source"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "no-such-bucket" in error


def test_deleting_a_pipeline_abandons_what_it_was_doing(world: World) -> None:
    """A deleted pipeline is gone at once, also while an approval waits, and can be deleted again."""
    world.push()
    world.create(stage("Approve", approval()))
    world.token("Approve")

    world.api.delete_pipeline(name="shop")
    world.api.delete_pipeline(name="shop")
    with pytest.raises(ClientError, match="PipelineNotFoundException"):
        world.api.get_pipeline(name="shop")


def test_closing_leaves_no_thread_behind(world: World) -> None:
    """With a build running and an approval open, close ends every execution's threads and stops the build."""
    world.push()
    world.builds.hold("compile")
    world.create(stage("Build", build("compile"), approval()))
    eventually(lambda: bool(world.builds.requests))

    world.service.close()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith(("execution shop", "action "))]
    assert world.builds.stopped


def test_an_operation_that_is_not_emulated_is_refused_by_name(world: World) -> None:
    """RollbackStage exists on AWS and not here, and says so."""
    with pytest.raises(ClientError, match="does not emulate codepipeline RollbackStage"):
        world.api.rollback_stage(
            pipelineName="shop", stageName="Build", targetPipelineExecutionId="00000000-0000-0000-0000-000000000000"
        )


def test_a_deleted_connection_fails_the_source_action(world: World) -> None:
    """The connection is looked up when the source runs, and named when it is gone."""
    world.push()
    world.cloud.client("codeconnections").delete_connection(ConnectionArn=world.connection)
    execution = world.create(stage("Build", build("compile")))

    world.ends(execution, "Failed")
    error = world.actions(execution)["Source"]["output"]["executionResult"]["errorDetails"]
    assert f"Unable to use Connection {world.connection}" in error["message"]


def test_a_role_that_no_longer_trusts_codepipeline_fails_the_action(world: World) -> None:
    """The trust policy counts when the pipeline runs, not only when it was made."""
    iam = world.cloud.client("iam")
    policy = trust(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})
    iam.create_role(RoleName="fickle", AssumeRolePolicyDocument=policy)
    role = f"arn:aws:iam::{ACCOUNT}:role/fickle"
    world.push()
    execution = world.create(stage("Build", build("compile")), roleArn=role)
    world.ends(execution, "Succeeded")

    other = trust(Condition={"StringEquals": {"aws:SourceAccount": "999988887777"}})
    iam.update_assume_role_policy(RoleName="fickle", PolicyDocument=other)
    execution = world.api.start_pipeline_execution(name="shop")["pipelineExecutionId"]
    world.ends(execution, "Failed")
    error = world.actions(execution)["Source"]["output"]["executionResult"]["errorDetails"]
    assert f"not authorized to perform AssumeRole on role {role}" in error["message"]


def test_a_commit_that_was_never_pushed_fails_the_source_action(world: World) -> None:
    """A revision override that does not exist is named; nothing else is built instead."""
    world.push()
    first = world.create(stage("Build", build("compile")))
    world.ends(first, "Succeeded")
    unknown = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "a" * 40}
    execution = world.api.start_pipeline_execution(name="shop", sourceRevisions=[unknown])["pipelineExecutionId"]

    world.ends(execution, "Failed")
    error = world.actions(execution)["Source"]["output"]["executionResult"]["errorDetails"]
    assert "a" * 40 in error["message"]
    assert len(world.builds.requests) == 1
