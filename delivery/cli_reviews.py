"""Commands about pull requests: planning a branch, commenting, and handing on what that takes."""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from delivery.aws import asking, client
from delivery.errors import DeliveryError, UsageError
from delivery.options import Add, Command
from delivery.progress import say
from delivery.project import Project

DELIVERED = "pipeline,chatbot-*"
"""What a push brings up to date."""


def register(add: Add) -> None:
    """Add the commands to the command line."""
    review = add("review", "print what the working tree would change in what is deployed, without any lock")
    review.add_argument("--stacks", default=DELIVERED, metavar="PATTERNS", help="which (default: %(default)s)")

    branch = add("pull-request", "synthesize and plan a branch that is not trusted, in its build")
    branch.add_argument("--branch", required=True, type=Path, metavar="DIR", help="the branch's files")
    branch.add_argument("--stacks", required=True, metavar="PATTERN", help="which of its stacks are planned")
    branch.add_argument("--bucket", required=True, help="where what was found is put")

    comment = add("comment", "comment on a pull request what its branch's build found")
    comment.add_argument("--build", required=True, metavar="ARN", help="the build that planned the branch")
    comment.add_argument("--provider", required=True, help="GitHub, Bitbucket or CodeCommit")
    comment.add_argument("--repository", required=True, help="its name there")
    comment.add_argument("--bucket", required=True, help="where that build put what it found")
    comment.add_argument("--name", required=True, help="the project's name")
    comment.add_argument("--forks", choices=["refused", "shown"], default="refused", help="reviews of forks' branches")

    publish = add("publish", "hand on this delivery, for pull requests to be reviewed with")
    publish.add_argument("--to", required=True, type=place, metavar="s3://BUCKET/KEY", help="where it is put")


def place(text: str) -> tuple[str, str]:
    """Return the bucket and the key that ``text`` names; raises ``ArgumentTypeError``."""
    bucket, _, key = text.removeprefix("s3://").partition("/")
    if not (text.startswith("s3://") and bucket and key):
        raise argparse.ArgumentTypeError(f"{text!r} is no s3://BUCKET/KEY")
    return bucket, key


def _review(options: argparse.Namespace, project: Project) -> None:
    from dataclasses import replace
    from fnmatch import fnmatchcase
    from functools import partial

    from delivery.answers import changed_answers
    from delivery.plan import make_plan
    from delivery.terraform import Terraform

    patterns = options.stacks.split(",")
    names = project.in_order(name for name in project.stack_names if any(fnmatchcase(name, one) for one in patterns))
    if not names:
        raise UsageError(f"no stack in cdktf.out/stacks matches {options.stacks!r}: run `make synth` first")
    terraform = Terraform.of(project, {**os.environ, "TF_CLI_ARGS_plan": "-lock=false"})
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        for name in names:
            stack = project.stack(name)
            answers = partial(changed_answers, project, stack)
            review = make_plan(project, terraform, stack, Path(folder) / name, behaviour=answers).review
            print(replace(review, foot="Planned to be read: it was not kept, and cannot be applied.").markdown())


def _pull_request(options: argparse.Namespace, project: Project) -> None:
    from delivery.pull_request import review_branch
    from delivery.reviewing import FINDINGS

    build = _needed(os.environ, "CODEBUILD_BUILD_ID").rpartition(":")[2]
    commit = _needed(os.environ, "CODEBUILD_RESOLVED_SOURCE_VERSION")
    roles: dict[str, str] = json.loads(os.environ.get("DEPLOY_ROLES") or "{}")
    with tempfile.TemporaryDirectory(prefix="plan-") as folder:
        findings = review_branch(
            project, options.branch, Path(folder), commit=commit, stacks=options.stacks, roles=roles
        )
    with asking("what was found cannot be handed on"):
        body: dict[str, Any] = {"Body": findings.text(), "ContentType": "application/json"}
        client("s3").put_object(Bucket=options.bucket, Key=f"{FINDINGS}/{build}/review.json", **body)
    for name, lines in findings.problems.items():
        for line in lines:
            say(f"{name}: {line}" if name else line)
    if findings.problems:
        raise DeliveryError("not all of the branch could be planned: see above")


def _comment(options: argparse.Namespace, _: Project) -> None:
    from delivery.comments.hosting import service_of
    from delivery.reviewing import Build, comment

    build = Build.of(options.build)
    service = service_of(options.provider, options.repository, build.number, os.environ)
    comment(build, service, options.bucket, options.name, forks=options.forks == "shown")


def _publish(options: argparse.Namespace, project: Project) -> None:
    from delivery.publish import publish_delivery

    publish_delivery(project, *options.to)


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise UsageError(f"this runs inside a build: environment variable {name} is missing")
    return value


COMMANDS: Mapping[str, Command] = {
    "review": _review,
    "pull-request": _pull_request,
    "comment": _comment,
    "publish": _publish,
}
