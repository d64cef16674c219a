"""Drift, lived: something is changed by hand in a rehearsed AWS, told, told no more, and put right."""

import json
from typing import Any

import pytest

from tests.rehearsal.team import PROJECT, Team

FUNCTION, STACK, PROJECT_NAME = "acme-dev-chatbot", "chatbot-dev", "acme-dev-drift"


class Listener:
    """Somebody who subscribed to the topic."""

    def __init__(self, ours: Team) -> None:
        self._sqs, sns = ours.client("sqs"), ours.client("sns")
        self._queue = self._sqs.create_queue(QueueName="listener")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self.topic = f"arn:aws:sns:{PROJECT.region}:{PROJECT.account}:acme-drift"
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def heard(self) -> list[dict[str, Any]]:
        """What has come since it was asked last."""
        found = []
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture(scope="module")
def listener(ours: Team) -> Listener:
    return Listener(ours)


def look(ours: Team) -> str:
    """Run the build that the schedule starts; return its log."""
    before = len(ours.client("codebuild").list_builds_for_project(projectName=PROJECT_NAME)["ids"])
    ours.client("codebuild").start_build(projectName=PROJECT_NAME)
    build = ours.builds(PROJECT_NAME, before + 1)[-1]
    log = ours.log(build)
    assert build["buildStatus"] == "SUCCEEDED", log
    return log


def test_what_moved_is_told_once_with_its_attributes_and_again_when_it_is_over(ours: Team, listener: Listener) -> None:
    """Nothing before it moved, nothing while it stays; a metric follows it all the way."""
    function = ours.client("lambda")
    was = function.get_function_configuration(FunctionName=FUNCTION)["Timeout"]

    assert "chatbot-dev: as released" in look(ours)
    assert listener.heard() == []

    function.update_function_configuration(FunctionName=FUNCTION, Timeout=99)
    look(ours)
    (told,) = listener.heard()
    assert told["Subject"] == "chatbot-dev: 1 resource has drifted"
    assert f"! timeout: {was} -> 99" in told["Message"]
    assert "who did it is not known: CloudTrail is unavailable here" in told["Message"]

    assert "chatbot-dev: drifted as told at " in look(ours)
    assert listener.heard() == []

    function.update_function_configuration(FunctionName=FUNCTION, Timeout=was)
    look(ours)
    (over,) = listener.heard()
    assert over["Subject"] == "chatbot-dev: drift is over"
    assert f"! timeout: {was} -> 99" in over["Message"]

    metrics = ours.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "drift",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "acme",
                        "MetricName": "DriftedResources",
                        "Dimensions": [{"Name": "Stack", "Value": STACK}],
                    },
                    "Period": 86_400,
                    "Stat": "Sum",
                },
            }
        ],
        StartTime="2020-01-01T00:00:00Z",
        EndTime="2100-01-01T00:00:00Z",
    )
    assert sum(metrics["MetricDataResults"][0]["Values"]) == 2
    assert ours.state(STACK) == ours.deployed


def test_before_the_first_release_there_is_nothing_to_compare_with(ours: Team, listener: Listener) -> None:
    """It is said, and costs no message."""
    done = ours.delivery("drift", "--stack", "chatbot-prod", "--topic", listener.topic, "--namespace", "acme")

    assert done.returncode == 0, done.stderr
    assert "chatbot-prod: nothing was released by the pipeline yet" in done.stderr
    assert listener.heard() == []


def test_a_release_that_comes_in_between_is_not_taken_for_drift(ours: Team, listener: Listener) -> None:
    """The look waits for its lock, and would compare what it left with the release before."""
    function, file = ours.client("lambda"), ours.project / "cdktf.out" / "stacks" / STACK / "released"
    was = function.get_function_configuration(FunctionName=FUNCTION)["Timeout"]
    with ours.begin("drift", "--stack", STACK, "--topic", listener.topic, "--namespace", "acme") as looking:
        assert looking.stderr
        with ours.locked(STACK):
            while "planning" not in (line := looking.stderr.readline()):
                assert line, looking.wait()
            function.update_function_configuration(FunctionName=FUNCTION, Timeout=98)
            file.touch()
            ours.run("keep", "--stack", STACK)
        said = looking.stderr.read()
    file.unlink()
    function.update_function_configuration(FunctionName=FUNCTION, Timeout=was)
    ours.run("keep", "--stack", STACK)

    assert looking.returncode == 0, said
    assert "chatbot-dev: a release came in between: the next look tells" in said
    assert listener.heard() == []
