"""Builds run: phases, commands, what follows a failure, and how a build is brought to an end."""

import subprocess
import threading
import time
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.workshop import Workshop, trust, workshop

NO_SOURCE = {"source": {"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {commands: [echo alone]}}\n"}}
NO_ARTIFACTS = {"artifacts": {"type": "NO_ARTIFACTS"}}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory):
    """One workshop for the tests that do not mind each other."""
    with workshop(tmp_path_factory.mktemp("builds")) as shop:
        yield shop


def until(condition, seconds: float = 20) -> None:
    """Wait for ``condition``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def gone(process: int) -> bool:
    """Whether ``process`` has ended, even if nobody has taken note of it yet."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout.strip()
    return not state or state.startswith("Z")


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_all_commands_share_one_shell(shop: Workshop, shell: str):
    """Variables, functions and the current folder persist from command to command and phase to phase."""
    result = shop.run(
        f"""
        version: 0.2
        env: {{shell: {shell}, exported-variables: [DIGEST, MISSING]}}
        phases:
          install:
            commands:
              - mkdir below && cd below
              - PLAIN='two words'; greet() {{ echo "hello $1"; }}
          build:
            commands:
              - echo "$PLAIN" "$(basename "$PWD")"; greet you
              - |
                for number in 1 2
                do
                  echo "number $number"
                done
              - export DIGEST="a
                  b"
              - cat; echo 'nobody reads the script away'
        """
    )
    assert (result.status, result.message) == ("SUCCEEDED", "")
    assert shop.printed(result) == [
        "two words below",
        "hello you",
        "number 1",
        "number 2",
        "nobody reads the script away",
    ]
    assert result.exported == {"DIGEST": "a b", "MISSING": ""}


def test_a_failing_build_phase_is_followed_by_finally_and_post_build(shop: Workshop):
    """The rest of the phase is left out, ``finally`` and post_build run, and they know that the build is failing."""
    build_id = shop.start(
        shop.project(
            """
            version: 0.2
            phases:
              build:
                commands: [echo first, cd / && sh -c 'exit 7', echo never]
                finally: ['echo "finally $CODEBUILD_BUILD_SUCCEEDING"']
              post_build:
                commands: ['echo "after $CODEBUILD_BUILD_SUCCEEDING"']
            """
        )
    )
    result = shop.codebuild.wait(build_id)
    assert result.status == "FAILED"
    assert shop.printed(result) == ["first", "finally 1", "after 0"]
    assert "exit status 7" in result.message
    phases = shop.phases(build_id)
    assert (phases["BUILD"], phases["POST_BUILD"]) == ("FAILED", "SUCCEEDED")


@pytest.mark.parametrize("phase", ["install", "pre_build"])
def test_nothing_is_built_after_a_failed_preparation(shop: Workshop, phase: str):
    """After a failed install or pre_build neither build nor post_build run, and nothing is uploaded."""
    build_id = shop.start(
        shop.project(
            f"""
            version: 0.2
            phases:
              {phase}: {{commands: ['false'], finally: [echo tidy]}}
              build: {{commands: [echo never]}}
              post_build: {{commands: [echo never]}}
            """
        )
    )
    result = shop.codebuild.wait(build_id)
    assert (result.status, shop.printed(result)) == ("FAILED", ["tidy"])
    assert not {"BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS"} & shop.phases(build_id).keys()


@pytest.mark.parametrize(
    ("on_failure", "printed"),
    [
        ("ABORT", ["try"]),
        ("CONTINUE", ["try", "after"]),
        ("RETRY-2", ["try", "try", "try", "after"]),
        ("RETRY-2-no such line", ["try", "after"]),
    ],
)
def test_on_failure_decides_what_follows(shop: Workshop, on_failure: str, printed: list[str]):
    """ABORT ends the build, CONTINUE goes on, RETRY runs the phase again while its output matches."""
    result = shop.run(
        f"""
        version: 0.2
        phases:
          build: {{on-failure: {on_failure}, commands: [echo try; false]}}
          post_build: {{commands: [echo after]}}
        """
    )
    assert (result.status, shop.printed(result)) == ("FAILED", printed)


def test_a_command_that_leaves_the_shell_fails_the_phase_only(shop: Workshop):
    """``exit``, ``set -e`` and a syntax error end the command; later phases find the variables of before."""
    for ending in ("exit 3", "set -e; false", "if true; then", "kill -9 $$"):
        result = shop.run(
            f"""
            version: 0.2
            phases:
              build: {{commands: [KEPT=yes; mkdir d; cd d, '{ending}', echo never]}}
              post_build: {{commands: ['echo "$KEPT $(basename "$PWD")"']}}
            """
        )
        assert (result.status, shop.printed(result)[-1]) == ("FAILED", "yes d"), ending


def test_a_leaving_shell_that_says_all_is_well_goes_on(shop: Workshop):
    """``exit 0`` is a command like any other that succeeds."""
    result = shop.run("version: 0.2\nphases: {build: {commands: [A=1, exit 0, 'echo \"on $A\"']}}\n")
    assert (result.status, shop.printed(result)) == ("SUCCEEDED", ["on 1"])


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "buildspec.yml: no such buildspec in the source"),
        ({"buildspec.yml": "version: 0.2\nphases:\n  biuld: {}\n"}, 'line 3: unknown key "biuld" in phases'),
    ],
)
def test_a_buildspec_that_cannot_be_used_fails_the_download(shop: Workshop, tmp_path: Path, files, told: str):
    """The build fails in DOWNLOAD_SOURCE with YAML_FILE_ERROR and one line that says what to do."""
    with zipfile.ZipFile(tmp_path / "source.zip", "w") as archive:
        archive.writestr("readme", "hello")
        for name, text in files.items():
            archive.writestr(name, text)
    build_id = shop.start(shop.project(), sources={"Source": tmp_path / "source.zip"})
    result = shop.codebuild.wait(build_id)
    assert result.status == "FAILED"
    assert told in result.message
    build = shop.client.batch_get_builds(ids=[build_id])["builds"][0]
    failed = next(phase for phase in build["phases"] if phase.get("phaseStatus") == "FAILED")
    assert (failed["phaseType"], failed["contexts"][0]["statusCode"]) == ("DOWNLOAD_SOURCE", "YAML_FILE_ERROR")


def test_a_build_is_described_as_aws_does(shop: Workshop):
    """Phases, logs, number, exported variables and environment can be read back."""
    project = shop.project("version: 0.2\nenv: {exported-variables: [A]}\nphases: {build: {commands: [A=1]}}\n")
    shop.build(project)
    build_id = shop.start(project, initiator="codepipeline/demo", resolved_source_version="abc")
    result = shop.codebuild.wait(build_id)
    build = shop.client.batch_get_builds(ids=[build_id, "demo:gone"])["builds"][0]
    assert (build["buildNumber"], build["buildStatus"], build["buildComplete"]) == (2, "SUCCEEDED", True)
    assert build["logs"]["deepLink"] == result.log.as_uri()
    assert build["exportedEnvironmentVariables"] == [{"name": "A", "value": "1"}]
    assert (build["initiator"], build["resolvedSourceVersion"]) == ("codepipeline/demo", "abc")
    assert [phase["phaseType"] for phase in build["phases"]] == [
        *("SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD"),
        *("BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"),
    ]
    assert shop.client.list_builds_for_project(projectName=project)["ids"][0] == build_id


def test_a_stopped_build_gets_time_to_tidy_up(shop: Workshop):
    """SIGINT reaches the running program first, which may finish what it has begun; then nothing is left."""
    project = shop.project(
        """
        version: 0.2
        phases:
          build:
            commands:
              - |
                python3.13 -u -c '
                import time, os
                try:
                    print("pid", os.getpid())
                    time.sleep(60)
                except KeyboardInterrupt:
                    time.sleep(0.3)
                    print("state saved")'
          post_build: {commands: [echo never]}
        """
    )
    build_id = shop.start(project)
    log = shop.codebuild.builds.find(build_id).record.log
    until(lambda: log.exists() and "\npid" in log.read_text())
    assert shop.client.stop_build(id=build_id)["build"]["buildStatus"] == "IN_PROGRESS"
    result = shop.codebuild.wait(build_id)
    assert result.status == "STOPPED"
    assert shop.printed(result)[-1] == "state saved"
    assert shop.phases(build_id)["BUILD"] == "STOPPED"
    assert gone(int(shop.printed(result)[0].split()[1]))


def test_a_build_that_takes_too_long_times_out(tmp_path: Path):
    """When the project's minutes are over, programs that ignore SIGINT are ended too."""
    with workshop(tmp_path, minute=0.1, grace=0.1) as shop:
        build_id = shop.start(
            shop.project(
                "version: 0.2\nphases: {build: {commands: [\"trap '' INT; sleep 60; sleep 60\"]}}\n", timeoutInMinutes=5
            )
        )
        result = shop.codebuild.wait(build_id)
        assert (result.status, result.message) == ("TIMED_OUT", "BUILD: timed out")
        assert shop.phases(build_id)["BUILD"] == "TIMED_OUT"


def test_nothing_a_build_starts_outlives_it(shop: Workshop):
    """A daemon that left the session ends with the build, as it would with the container."""
    result = shop.run(
        """
        version: 0.2
        phases:
          build:
            commands:
              - setsid sleep 600 >/dev/null 2>&1 & echo $!
              - sleep 600 & echo $!
              - exit 0
        """
    )
    assert result.status == "SUCCEEDED"
    for pid in map(int, shop.printed(result)):
        assert gone(pid)


def test_closing_stops_every_build(tmp_path: Path):
    """No thread and no process is left when the rehearsal ends, and no build starts any more."""
    with workshop(tmp_path, grace=0.2) as shop:
        project = shop.project("version: 0.2\nphases: {build: {commands: [sleep 600]}}\n")
        ids = [shop.start(project), shop.start(project)]
        until(lambda: all("BUILD" in shop.phases(each) for each in ids))
        shop.codebuild.close()
        assert {shop.codebuild.wait(each).status for each in ids} == {"STOPPED"}
        assert not [thread for thread in threading.enumerate() if thread.name in ids]
        with pytest.raises(Exception, match="the rehearsal is ending"):
            shop.start(project)


def test_a_role_that_does_not_trust_codebuild_is_told_by_name(shop: Workshop):
    """Neither does such a project come to be, nor does a build start whose role lost its trust."""
    iam = shop.cloud.client("iam")
    other = iam.create_role(RoleName="other", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    with pytest.raises(ClientError, match=r"role/other does not exist or does not trust codebuild\.amazonaws\.com"):
        shop.project("version: 0.2\nphases: {}\n", serviceRole=other)
    iam.update_assume_role_policy(RoleName="other", PolicyDocument=trust("codebuild.amazonaws.com"))
    project = shop.project("version: 0.2\nphases: {}\n", serviceRole=other)
    iam.update_assume_role_policy(RoleName="other", PolicyDocument=trust("lambda.amazonaws.com"))
    assert "does not let codebuild.amazonaws.com assume it" in shop.build(project).message


def test_builds_without_a_pipeline(shop: Workshop):
    """StartBuild runs a project without source, and refuses by name what it cannot run."""
    project = shop.project(**NO_SOURCE, **NO_ARTIFACTS)
    variables = [{"name": "WHO", "value": "you", "type": "PLAINTEXT"}]
    spec = "version: 0.2\nphases: {build: {commands: ['echo \"hello $WHO\"']}}\n"
    build = shop.client.start_build(
        projectName=project, buildspecOverride=spec, environmentVariablesOverride=variables
    )["build"]
    assert shop.printed(shop.codebuild.wait(build["id"])) == ["hello you"]
    with pytest.raises(ClientError, match="built by its pipeline only"):
        shop.client.start_build(projectName=shop.project())
    with pytest.raises(ClientError, match="does not emulate builds from GITLAB"):
        shop.client.start_build(projectName=project, sourceTypeOverride="GITLAB")
    with pytest.raises(ClientError, match="does not emulate StartBuild's fleetOverride"):
        shop.client.start_build(projectName=project, fleetOverride={"fleetArn": "x"})
    with pytest.raises(ClientError, match="does not emulate codebuild StartBuildBatch"):
        shop.client.start_build_batch(projectName=project)


def test_a_source_in_s3_is_built(shop: Workshop, tmp_path: Path):
    """A zip file in S3 is a source; what the service role fetches is unpacked."""
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("buildspec.yml", "version: 0.2\nphases: {build: {commands: [ls]}}\n")
    s3 = shop.cloud.client("s3")
    s3.create_bucket(Bucket="sources", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.upload_file(str(tmp_path / "s.zip"), "sources", "demo/s.zip")
    project = shop.project(source={"type": "S3", "location": "sources/demo/s.zip"}, **NO_ARTIFACTS)
    build = shop.client.start_build(projectName=project)["build"]
    assert shop.printed(shop.codebuild.wait(build["id"])) == ["buildspec.yml"]


def test_concurrent_builds_are_limited(shop: Workshop):
    """A project's concurrentBuildLimit refuses the build that would be too many."""
    project = shop.project("version: 0.2\nphases: {build: {commands: [sleep 60]}}\n", concurrentBuildLimit=1)
    first = shop.start(project)
    with pytest.raises(Exception, match="its concurrentBuildLimit"):
        shop.start(project)
    shop.codebuild.stop(first)
    shop.codebuild.wait(first)


def test_logs_reach_cloudwatch(shop: Workshop):
    """The project's log group holds the build's lines in the stream that BatchGetBuilds names."""
    logs = {"cloudWatchLogs": {"status": "ENABLED", "groupName": "/demo/builds", "streamName": "run"}}
    spec = "version: 0.2\nphases: {build: {commands: [seq 3]}}\n"
    build_id = shop.start(shop.project(spec, logsConfig=logs))
    shop.codebuild.wait(build_id)
    named = shop.client.batch_get_builds(ids=[build_id])["builds"][0]["logs"]
    assert named["groupName"] == "/demo/builds"
    events = shop.cloud.client("logs").get_log_events(logGroupName="/demo/builds", logStreamName=named["streamName"])
    assert [event["message"] for event in events["events"] if "[Container]" not in event["message"]] == ["1", "2", "3"]
    assert named["streamName"] == f"run/{build_id.split(':')[1]}"
    assert shop.cloud.account in named["cloudWatchLogsArn"]
