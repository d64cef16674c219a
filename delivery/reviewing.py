"""From a build that planned a branch to the comment on its pull request: the build's file is data, and a stranger's."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from delivery.allowed import STACK
from delivery.aws import asking, client, code
from delivery.changes import read_plan
from delivery.comments import Service, State, Status, publish
from delivery.comments.body import compose
from delivery.errors import DeliveryError
from delivery.layout import fenced
from delivery.progress import say
from delivery.publication import CONSOLES
from delivery.pull_request import WHOLE, Findings
from delivery.review import Review
from delivery.reviewed import fingerprint, remember

FINDINGS: Final = "pull-requests/builds"
MOST_BYTES: Final = 64_000_000
MOST_LINES: Final = 40
NUMBER: Final = re.compile(r"pr/([0-9]{1,18})")
VARIABLE: Final = "PULL_REQUEST"
CONTEXT: Final = "review"
SUCCEEDED: Final = "SUCCEEDED"
FORK: Final = "a fork"
"""The key of the problem that a branch in another repository is; no stack can be called so."""


@dataclass(frozen=True)
class Build:
    """A build that planned a branch, as CodeBuild itself tells of it."""

    id: str
    number: str
    commit: str
    status: str
    url: str

    @property
    def findings(self) -> str:
        """The key of the object that it may have left."""
        return f"{FINDINGS}/{self.id}/review.json"

    @classmethod
    def of(cls, arn: str) -> "Build":
        """Ask CodeBuild; raises ``DeliveryError`` for a build that is not one of a pull request.

        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html
        """
        with asking(f"build {arn}"):
            builds = client("codebuild").batch_get_builds(ids=[arn])["builds"]
        if not builds:
            raise DeliveryError(f"there is no build {arn}")
        (build,) = builds
        variables = {each["name"]: each["value"] for each in build["environment"].get("environmentVariables", [])}
        named = NUMBER.fullmatch(build.get("sourceVersion", ""))
        number = named[1] if named else variables.get(VARIABLE, "")
        commit = str(build.get("resolvedSourceVersion", ""))
        if not re.fullmatch("[0-9]{1,18}", number) or not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", commit):
            raise DeliveryError(f"build {arn} is not one of a pull request: nothing to comment on")
        return cls(build["id"].rpartition(":")[2], number, commit, build["buildStatus"], _page(build["arn"]))


def comment(build: Build, service: Service, bucket: str, name: str, *, forks: bool = False) -> None:
    """Let the one comment of ``build``'s pull request say what it found; ``name`` is the project's.

    What was found of a fork's branch is left out unless ``forks`` is set: an administrator can have one built. Keeps
    which plans were shown, so that the pipeline can tell whether its own are among them. Raises ``DeliveryError``.
    """
    findings = read(bucket, build) if forks or not service.standing().is_fork else _fork(build)
    reviews = _reviews(findings)
    status = Status(
        f"{name}/{CONTEXT}",
        State.FAILURE if findings.problems else State.SUCCESS,
        "; ".join([*map(_problem, findings.problems), *(review.verdict for review in reviews)]),
        build.url,
    )
    marker = f"{name}: {CONTEXT}"
    room = service.limit - len(service.hidden(marker).encode()) - 2
    text = compose(reviews, head=_head(findings), foot=_foot(build), limit=room)
    if not publish(service, marker=marker, text=text, commit=build.commit, status=status):
        return
    for review in reviews:
        if review.planned.has_changes:
            remember(
                bucket,
                review.stack,
                findings.plans[review.stack],
                pull_request=build.number,
                commit=build.commit,
                url=build.url,
            )


def read(bucket: str, build: Build) -> Findings:
    """Return what ``build`` found; a file that is missing, too large or of another form is a finding too."""
    from botocore.exceptions import ClientError

    with asking("what the branch's build found cannot be read"):
        try:
            answer = client("s3").get_object(Bucket=bucket, Key=build.findings)
        except ClientError as error:
            if code(error) not in ("NoSuchKey", "404"):
                raise
            return _nothing(build, f"its build ended as {build.status.lower()}, before anything was planned")
        if answer["ContentLength"] > MOST_BYTES:
            return _nothing(build, "what its build found is too large to be shown")
        content = answer["Body"].read(MOST_BYTES)
    try:
        return _complete(parse(content, build.commit), build)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        say(f"{build.findings}: {type(error).__name__}: {error}")
        return _nothing(build, "what its build found is of no form that is known here")


def parse(content: bytes, commit: str) -> Findings:
    """Return findings written by a stranger, with names and sizes of ours; raises what reading nonsense raises."""
    data = json.loads(content)
    plans = {name: _object(plan) for name, plan in _object(data["plans"]).items() if STACK.fullmatch(name)}
    for name, plan in plans.items():
        # Once here, where what it raises is a finding.
        Review(name, read_plan(plan)).markdown()
        fingerprint(plan)
    problems = {_name(name): _lines(lines) for name, lines in _object(data["problems"]).items()}
    return Findings(commit, plans, problems, _lines(data["notes"]))


def _nothing(build: Build, why: str) -> Findings:
    return Findings(build.commit, problems={WHOLE: [why]})


def _complete(findings: Findings, build: Build) -> Findings:
    """Return ``findings``, or what they lack though they name no problem themselves."""
    if findings.problems:
        return findings
    if build.status != SUCCEEDED:
        return _nothing(build, f"its build ended as {build.status.lower()}: what it left is not shown")
    return findings if findings.plans else replace(findings, problems={WHOLE: ["no stack of the branch was planned"]})


def _fork(build: Build) -> Findings:
    line = "it comes from a fork: push the branch into this repository, or let forks in (allow_forks in the settings)"
    return Findings(build.commit, problems={FORK: [line]})


def _reviews(findings: Findings) -> list[Review]:
    return [Review(name, read_plan(plan)) for name, plan in findings.plans.items()]


def _head(findings: Findings) -> str:
    paragraphs = ["## What this pull request would change"]
    for name, lines in findings.problems.items():
        about = _problem(f"`{name}`" if STACK.fullmatch(name) else name)
        paragraphs.append(f"**{about[0].upper()}{about[1:]}:**\n\n{_block(lines)}")
    if findings.notes:
        paragraphs.append(_block(findings.notes))
    return "\n\n".join(paragraphs)


def _foot(build: Build) -> str:
    return (
        f"Planned from {build.commit[:12]} and what is deployed now, under a role that reads only "
        f"([log]({build.url})). After the merge the pipeline plans anew, and says whether its plan is this one."
    )


def _problem(name: str) -> str:
    return {WHOLE: "nothing was planned", FORK: "no plan of it is shown"}.get(name, f"{name} was not planned")


def _block(lines: list[str]) -> str:
    return fenced(f"! {line}" for line in lines)


def _name(name: str) -> str:
    return name if name == WHOLE or STACK.fullmatch(name) else "a-stack-with-a-strange-name"


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object is needed")
    return value


def _lines(lines: Any) -> list[str]:
    if not isinstance(lines, list):
        raise TypeError("lines are a list")
    shown = ["".join(letter if letter.isprintable() else "?" for letter in str(line))[:300] for line in lines]
    return shown[:MOST_LINES]


def _page(arn: str) -> str:
    """Return where CodeBuild's console shows a build."""
    _, partition, _, region, account, rest = arn.split(":", 5)
    project, _, build = rest.removeprefix("build/").partition(":")
    console = CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{console}/codesuite/codebuild/{account}/projects/{project}/build/{project}%3A{build}/"
