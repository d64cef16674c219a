"""From a build of a pull request on GitHub to its comment, by the command that CodeBuild runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.allowed import FUNCTIONS
from tests.rehearsal.test_pullrequests import Studio, project, studio
from tests.rehearsal.workshop import REGION
from tests.unit.delivery.hosts import TOKEN, Host, github, serving

__all__ = ["studio"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def address(host: Host) -> Iterator[str]:
    with serving(lambda it: github(host)(it)) as found:
        yield found


def bucket(studio: Studio) -> str:
    """A bucket's name is one in the world."""
    return f"artifacts-{studio.shop.cloud.account}"


def built(studio: Studio, host: Host, findings: dict[str, Any] | None, command: str = "true") -> str:
    """Have the pull request's branch built by ``command``; leave what its plan found. Returns the build's ARN."""
    builds = project(studio, command, {"type": "GITHUB", "location": "https://github.com/code.git"})
    host.head = studio.push("", "from a fork", reference="refs/pull/7/head")
    studio.shop.client.start_build(projectName=builds, sourceVersion="pr/7")
    (build,) = studio.ended(builds)
    s3 = studio.shop.cloud.client("s3")
    s3.create_bucket(Bucket=bucket(studio), CreateBucketConfiguration={"LocationConstraint": REGION})
    if findings is not None:
        key = f"pull-requests/builds/{build['id'].rpartition(':')[2]}/review.json"
        s3.put_object(Bucket=bucket(studio), Key=key, Body=json.dumps(findings))
    return str(build["arn"])


def comment(
    studio: Studio, address: str, build: str, token: str = TOKEN, more: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command as the comment's build does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HTTP", "http"))}
    living = {
        "AWS_ENDPOINT_URL": studio.shop.cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "REVIEW_TOKEN": token,
        "GITHUB_API_URL": address,
        "NO_PROXY": "127.0.0.1",
    }
    arguments = ["--provider", "GitHub", "--repository", "acme/bot", "--bucket", bucket(studio), "--name", "acme"]
    return subprocess.run(
        [sys.executable, "-m", "delivery", "comment", "--build", build, *arguments, *more],
        cwd=ROOT,
        env=clean | living,
        capture_output=True,
        text=True,
    )


QUEUE = {
    "address": "aws_sqs_queue.q",
    "mode": "managed",
    "type": "aws_sqs_queue",
    "change": {"actions": ["delete"], "before": {"name": "q"}, "after": None},
}
PLAN = {"resource_changes": [QUEUE], "output_changes": {}}


def test_a_branchs_plan_becomes_one_comment_and_a_status(studio: Studio, host: Host, address: str) -> None:
    """On the commit that CodeBuild built, whatever the file says; and the plan is remembered as reviewed."""
    build = built(studio, host, {"commit": "x", "plans": {"chatbot-dev": PLAN}, "problems": {}, "notes": []})
    done = [comment(studio, address, build) for _ in "12"]
    (text,), (status, _) = host.texts(), host.statuses
    keys = [each["Key"] for each in studio.shop.cloud.client("s3").list_objects_v2(Bucket=bucket(studio))["Contents"]]

    assert [each.returncode for each in done] == [0, 0], done[0].stderr
    assert text.startswith("<!-- acme: review -->")
    assert "- aws_sqs_queue.q — LOSES A QUEUE AND ITS MESSAGES" in text
    assert host.head[:12] in text
    assert (status["state"], status["context"], status["sha"]) == ("success", "acme/review", host.head)
    assert status["description"] == "chatbot-dev: 1 to destroy (destructive)"
    assert re.search(r"console\.aws\.amazon\.com/codesuite/codebuild/\d+/projects/", status["target_url"])
    assert len([key for key in keys if key.startswith("pull-requests/reviewed/chatbot-dev/")]) == 1


def test_what_a_forks_branch_would_change_is_shown_where_settings_let_forks_in(
    studio: Studio, host: Host, address: str
) -> None:
    """Otherwise the one comment says why there is none, the status fails, and no plan counts as reviewed."""
    build = built(studio, host, {"commit": "x", "plans": {"chatbot-dev": PLAN}, "problems": {}, "notes": []})
    host.fork = "stranger/bot"
    refused = comment(studio, address, build)
    (text,), (status,) = host.texts(), host.statuses
    prefix = {"Bucket": bucket(studio), "Prefix": "pull-requests/reviewed/"}
    remembered = studio.shop.cloud.client("s3").list_objects_v2(**prefix)["KeyCount"]
    shown = comment(studio, address, build, more=("--forks", "shown"))

    assert (refused.returncode, shown.returncode) == (0, 0), refused.stderr + shown.stderr
    assert "**No plan of it is shown:**" in text
    assert "! it comes from a fork: push the branch into this repository, or let forks in" in text
    assert "aws_sqs_queue" not in text
    assert (status["state"], status["description"], remembered) == ("failure", "no plan of it is shown", 0)
    assert "- aws_sqs_queue.q — LOSES A QUEUE AND ITS MESSAGES" in host.texts()[0]
    assert host.statuses[-1]["state"] == "success"


NOTHING: dict[str, Any] = {"commit": "x", "plans": {}, "problems": {}, "notes": []}


@pytest.mark.parametrize(
    ("findings", "command", "said"),
    [
        (None, "true", "its build ended as succeeded, before anything was planned"),
        ({"plans": 5}, "true", "what its build found is of no form that is known here"),
        (NOTHING, "true", "no stack of the branch was planned"),
        (NOTHING | {"plans": {"chatbot-dev": PLAN}}, "false", "its build ended as failed: what it left is not shown"),
    ],
)
def test_a_build_that_left_nothing_of_use_fails_the_status(
    studio: Studio, host: Host, address: str, findings: dict[str, Any] | None, command: str, said: str
) -> None:
    """Its author learns that nothing was planned, and where to look."""
    done = comment(studio, address, built(studio, host, findings, command))
    (text,), (status,) = host.texts(), host.statuses

    assert done.returncode == 0, done.stderr
    assert f"! {said}" in text
    assert (status["state"], status["description"]) == ("failure", "nothing was planned")


def test_the_token_is_in_no_output_whatever_goes_wrong(studio: Studio, host: Host, address: str) -> None:
    """One line, exit code 1, and not the token."""
    done = comment(studio, address, built(studio, host, None), token="wrong-s3cret")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("GitHub: it takes no such token (401)")
    assert "wrong-s3cret" not in done.stdout + done.stderr


def test_a_build_that_is_of_no_pull_request_is_one_line(studio: Studio, host: Host, address: str) -> None:
    """Somebody started it by hand."""
    builds = project(studio, "true", {"type": "NO_SOURCE"})
    studio.shop.client.start_build(projectName=builds)
    (build,) = studio.ended(builds)
    done = comment(studio, address, build["arn"])

    assert done.returncode == 1
    assert done.stderr == f"build {build['arn']} is not one of a pull request: nothing to comment on\n"


COMPUTE = """
abs alltrue anytrue base64decode base64encode base64gzip base64sha256 base64sha512 basename bcrypt can ceil
chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat contains
csvdecode dirname distinct element endswith ephemeralasnull flatten floor format formatdate formatlist indent
index issensitive join jsondecode jsonencode keys length log lookup lower matchkeys max md5 merge min one
parseint plantimestamp pow range regex regexall replace reverse sensitive setintersection setproduct
setsubtract setunion sha1 sha256 sha512 signum slice sort split startswith strcontains strrev substr sum
textdecodebase64 textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber
toset tostring transpose trim trimprefix trimspace trimsuffix try upper urlencode uuid uuidv5 values
yamldecode yamlencode zipmap
"""


def test_every_function_of_terraforms_is_known_to_compute_or_refused() -> None:
    """A newer Terraform's further functions have to be looked at before a branch may call them."""
    terraform = shutil.which("terraform") or str(next(ROOT.glob(".tools/terraform/*/terraform")))
    command = [terraform, "metadata", "functions", "-json"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    found = json.loads(subprocess.run(command, env=clean, capture_output=True, text=True, check=True).stdout)
    names = {name.removeprefix("core::") for name in found["function_signatures"]}

    assert names - FUNCTIONS == set(COMPUTE.split())
    assert names >= FUNCTIONS
