"""CodeCommit's pull requests, and the builds that their events start: from a repository, beside a source from S3."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.codebuild import CodeBuild
from rehearsal.codecommit import CodeCommit
from rehearsal.codepipeline import CodePipeline
from rehearsal.repositories import Repositories
from rehearsal.transform import transformed
from tests.rehearsal.pipelines import git
from tests.rehearsal.workshop import REGION, Offline, Workshop, trust, workshop

HOSTILE = '"}],"x":"$(touch pwned)'


@dataclass
class Studio:
    """A workshop with CodeCommit, a repository in it and a checkout of that."""

    shop: Workshop
    repositories: Repositories
    checkout: Path

    @property
    def codecommit(self) -> Any:
        return self.shop.cloud.client("codecommit")

    def push(self, branch: str, text: str = "text", reference: str = "") -> str:
        """Commit ``text`` and push it."""
        (self.checkout / "file.txt").write_text(text)
        git(self.checkout, "add", "-A")
        git(self.checkout, "commit", "-q", "--allow-empty", "-m", text)
        address = str(self.repositories.path("code"))
        git(self.checkout, "push", "-q", "--force", address, f"HEAD:{reference or f'refs/heads/{branch}'}")
        return git(self.checkout, "rev-parse", "HEAD")

    def open(self, branch: str = "feature", title: str = "A change") -> str:
        """Open a pull request and return its number."""
        target = {"repositoryName": "code", "sourceReference": branch, "destinationReference": "main"}
        made = self.codecommit.create_pull_request(title=title, targets=[target])
        return str(made["pullRequest"]["pullRequestId"])

    def rule(self, pattern: dict[str, Any], project: str, **target: Any) -> None:
        """Let events start builds of ``project``."""
        events, iam = self.shop.cloud.client("events"), self.shop.cloud.client("iam")
        role = f"events-{project}"
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust("events.amazonaws.com"))["Role"]["Arn"]
        events.put_rule(Name=project, EventPattern=json.dumps(pattern))
        arn_of_project = f"arn:aws:codebuild:{REGION}:{self.shop.cloud.account}:project/{project}"
        target = {"Id": "build", "Arn": arn_of_project, "RoleArn": arn} | target
        events.put_targets(Rule=project, Targets=[target])

    def ended(self, project: str) -> list[dict[str, Any]]:
        """Wait for the builds of ``project`` and return them, oldest first."""
        ids = self.shop.client.list_builds_for_project(projectName=project, sortOrder="ASCENDING")["ids"]
        for each in ids:
            self.shop.codebuild.wait(each)
            self.shop.codebuild.builds.find(each).thread.join()
        return list(self.shop.client.batch_get_builds(ids=ids)["builds"]) if ids else []

    def output(self, build: dict[str, Any]) -> list[str]:
        """Return what a build's commands printed."""
        log = Path(build["logs"]["deepLink"].removeprefix("file://")).read_text()
        return [line for line in log.splitlines() if not line.startswith("[Container]")]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with workshop(tmp_path / "cloud") as shop:
        repositories = Repositories(tmp_path / "git")
        with closing(CodeBuild(shop.cloud, tmp_path / "builds", Offline(), repositories=repositories)) as codebuild:
            shop.codebuild = codebuild
            codepipeline = CodePipeline(shop.cloud, codebuild, repositories)
            shop.cloud.add([codebuild, CodeCommit(shop.cloud, repositories, codepipeline, codebuild.target)])
            checkout = tmp_path / "checkout"
            checkout.mkdir()
            git(checkout, "init", "-q", "-b", "main")
            studio = Studio(shop, repositories, checkout)
            studio.codecommit.create_repository(repositoryName="code")
            studio.push("main")
            yield studio
            codepipeline.close()


def project(studio: Studio, command: str, source: dict[str, str], **more: Any) -> str:
    """A project that builds by itself."""
    buildspec = json.dumps({"version": 0.2, "phases": {"build": {"commands": [command]}}}, indent=1)
    return studio.shop.project(source=source | {"buildspec": buildspec}, artifacts={"type": "NO_ARTIFACTS"}, **more)


CODE = {"type": "CODECOMMIT", "location": f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/code"}
OPENED = {
    "source": ["aws.codecommit"],
    "detail-type": ["CodeCommit Pull Request State Change"],
    "detail": {"event": ["pullRequestCreated", "pullRequestSourceBranchUpdated"]},
}
TRANSFORMER = {
    "InputPathsMap": {"number": "$.detail.pullRequestId", "commit": "$.detail.sourceCommit"},
    "InputTemplate": '{"sourceVersion":<commit>,"environmentVariablesOverride":'
    '[{"name":"NUMBER","value":<number>,"type":"PLAINTEXT"}]}',
}


def test_a_pull_request_and_every_push_to_it_start_a_build_of_that_commit(studio: Studio) -> None:
    """The rule hands over commit and number; other branches, closed pull requests and strange titles start nothing."""
    builds = project(studio, 'echo "$NUMBER $(cat file.txt) $CODEBUILD_RESOLVED_SOURCE_VERSION"', CODE)
    studio.rule(OPENED, builds, InputTransformer=TRANSFORMER)
    first = studio.push("feature", "one")
    number = studio.open(title=HOSTILE)
    second = studio.push("feature", "two")
    studio.push("other", "three")
    studio.codecommit.update_pull_request_status(pullRequestId=number, pullRequestStatus="CLOSED")
    studio.push("feature", "four")

    ended = studio.ended(builds)

    assert [studio.output(build) for build in ended] == [[f"{number} one {first}"], [f"{number} two {second}"]]
    assert {build["initiator"] for build in ended} == {f"rule/{builds}"}
    assert [build["resolvedSourceVersion"] for build in ended] == [first, second]


def test_the_end_of_a_build_starts_the_next(studio: Studio) -> None:
    """It is told which build that was, and how it ended."""
    first = project(studio, "exit 3", CODE)
    second = project(studio, 'echo "$BUILD $STATUS"', {"type": "NO_SOURCE"})
    fails = {"source": ["aws.codebuild"], "detail": {"project-name": [first], "build-status": ["FAILED", "SUCCEEDED"]}}
    variables = ({"name": "BUILD", "value": "<id>"}, {"name": "STATUS", "value": "<status>"})
    template = json.dumps({"environmentVariablesOverride": variables})
    paths = {"id": "$.detail.build-id", "status": "$.detail.build-status"}
    studio.rule(fails, second, InputTransformer={"InputPathsMap": paths, "InputTemplate": template})

    studio.shop.client.start_build(projectName=first, sourceVersion="main")

    (build,) = studio.ended(first)
    assert [studio.output(each) for each in studio.ended(second)] == [[f"{build['arn']} FAILED"]]


def test_a_build_has_a_second_source_from_s3_beside_its_own(studio: Studio, tmp_path: Path) -> None:
    """It lies in a folder of its own, which a variable names."""
    s3 = studio.shop.cloud.client("s3")
    s3.create_bucket(Bucket="tools", CreateBucketConfiguration={"LocationConstraint": REGION})
    subprocess.run(
        ["python3", "-m", "zipfile", "-c", "t.zip", str(studio.checkout / "file.txt")], cwd=tmp_path, check=True
    )
    s3.upload_file(str(tmp_path / "t.zip"), "tools", "main.zip")
    second = {"type": "S3", "location": "tools/main.zip", "sourceIdentifier": "main"}
    builds = project(studio, "ls $CODEBUILD_SRC_DIR_main; ls", CODE, secondarySources=[second])
    studio.push("main", "more")

    studio.shop.client.start_build(projectName=builds)

    assert [studio.output(each) for each in studio.ended(builds)] == [["file.txt", "file.txt"]]


@pytest.mark.parametrize(("kind", "host"), [("GITHUB", "github.com"), ("BITBUCKET", "bitbucket.org")])
def test_other_hosts_repositories_are_built_at_a_pull_request(studio: Studio, kind: str, host: str) -> None:
    """https://docs.aws.amazon.com/codebuild/latest/userguide/sample-source-version.html has ``pr/25``."""
    builds = project(studio, "cat file.txt", {"type": kind, "location": f"https://{host}/code.git"})
    commit = studio.push("", "from a fork", reference="refs/pull/25/head")
    studio.shop.client.start_build(projectName=builds, sourceVersion="pr/25")
    studio.shop.client.start_build(projectName=builds, sourceVersion="pr/26")

    good, bad = studio.ended(builds)

    assert studio.output(good) == ["from a fork"]
    assert (good["sourceVersion"], good["resolvedSourceVersion"]) == ("pr/25", commit)
    assert bad["phases"][-2]["contexts"][0]["message"].endswith("there is no pr/26 in code, push it first")


def test_comments_have_an_author_a_limit_and_an_end(studio: Studio) -> None:
    """What CodeCommit refuses is refused by the same names."""
    commit = studio.push("feature")
    number = studio.open()
    pull = studio.codecommit.get_pull_request(pullRequestId=number)["pullRequest"]
    post = {
        "pullRequestId": number,
        "repositoryName": "code",
        "beforeCommitId": pull["pullRequestTargets"][0]["destinationCommit"],
        "afterCommitId": commit,
    }
    made = [
        studio.codecommit.post_comment_for_pull_request(**post, content="hello", clientRequestToken="t") for _ in "12"
    ]
    comment = made[0]["comment"]["commentId"]
    other = studio.shop.cloud.client("codecommit", aws_access_key_id="somebody-else")

    def code(call: Callable[..., Any], **parameters: Any) -> str:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        return str(caught.value.response["Error"]["Code"])

    assert made[1]["comment"]["commentId"] == comment
    assert code(other.update_comment, commentId=comment, content="x") == "CommentNotCreatedByCallerException"
    assert (
        code(studio.codecommit.update_comment, commentId=comment, content="x" * 10_241)
        == "CommentContentSizeLimitExceededException"
    )
    studio.codecommit.update_comment(commentId=comment, content="x" * 10_240)
    other.delete_comment_content(commentId=comment)
    assert code(studio.codecommit.update_comment, commentId=comment, content="x") == "CommentDeletedException"
    listed = studio.codecommit.get_comments_for_pull_request(pullRequestId=number)["commentsForPullRequestData"]
    assert [(each["deleted"], each["content"]) for thread in listed for each in thread["comments"]] == [(True, "")]
    assert code(studio.codecommit.get_pull_request, pullRequestId="99") == "PullRequestDoesNotExistException"


def test_a_webhook_is_kept_as_it_was_made(studio: Studio) -> None:
    """Terraform reads it back with its project; CodeCommit, which has none, is refused."""
    builds = project(studio, "true", {"type": "GITHUB", "location": "https://github.com/acme/bot.git"})
    groups = [[{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "ACTOR_ACCOUNT_ID", "pattern": "^(1)$"}]]
    client = studio.shop.client
    client.create_webhook(projectName=builds, filterGroups=groups)
    changed = [[{"type": "EVENT", "pattern": "PUSH"}]]
    client.update_webhook(projectName=builds, filterGroups=changed)

    assert client.batch_get_projects(names=[builds])["projects"][0]["webhook"]["filterGroups"] == changed
    client.delete_webhook(projectName=builds)
    assert "webhook" not in client.batch_get_projects(names=[builds])["projects"][0]
    with pytest.raises(ClientError, match="CODECOMMIT has no webhooks"):
        client.create_webhook(projectName=project(studio, "true", CODE), filterGroups=groups)
    with pytest.raises(ClientError, match="is no regular expression"):
        client.create_webhook(projectName=builds, filterGroups=[[*changed[0], {"type": "BASE_REF", "pattern": "("}]])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail"}, {"state": 'a "b"', "list": ["x", "y"]}),
        ({"InputPath": "$.detail.list[1]"}, "y"),
        (
            {"InputTransformer": {"InputPathsMap": {"s": "$.detail.state"}, "InputTemplate": '{"a": <s>}'}},
            {"a": 'a "b"'},
        ),
        ({"InputTransformer": {"InputPathsMap": {"l": "$.detail.list"}, "InputTemplate": "<l>"}}, ["x", "y"]),
        ({"InputTransformer": {"InputPathsMap": {"s": "$.detail.state"}, "InputTemplate": '{"a": "<s>"}'}}, None),
    ],
)
def test_a_target_is_given_what_its_rule_makes_of_the_event(target: dict[str, Any], expected: Any) -> None:
    """Strings get their quotes outside of quotes only: inside, a value with quotes breaks the JSON, as on AWS."""
    event = {"detail": {"state": 'a "b"', "list": ["x", "y"]}}

    assert transformed({"Arn": "arn"} | target, event) == expected
