"""CodeCommit's pull requests, the comments on them, and the events that they raise."""

import itertools
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rehearsal.approvalrules import ApprovalOperations
from rehearsal.constraints import enforce
from rehearsal.events import event
from rehearsal.identity import caller_arn
from rehearsal.protocol import Caller, ServiceError
from rehearsal.repositories import Push, Repositories

Answer = dict[str, Any]
COMMENT_CHARACTERS = 10_240
"""https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html"""


@dataclass
class Remark:
    """A comment on a pull request as a whole."""

    author: str
    content: str
    before: str
    after: str
    token: str
    deleted: bool = False
    id: str = field(default_factory=lambda: f"{uuid.uuid4()}:{uuid.uuid4()}")
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    def describe(self) -> Answer:
        """Return the comment in AWS's shape."""
        return {
            "commentId": self.id,
            "content": "" if self.deleted else self.content,
            "creationDate": self.created,
            "lastModifiedDate": self.modified,
            "authorArn": self.author,
            "deleted": self.deleted,
            "clientRequestToken": self.token,
        }


@dataclass
class PullRequest:
    """A branch that somebody wants to have merged."""

    id: str
    account: str
    region: str
    repository: str
    title: str
    description: str
    author: str
    source: str
    destination: str
    source_commit: str
    destination_commit: str
    status: str = "OPEN"
    remarks: list[Remark] = field(default_factory=list)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    active: datetime = field(default_factory=lambda: datetime.now(UTC))
    revision: str = field(default_factory=lambda: uuid.uuid4().hex)
    rules: list[Answer] = field(default_factory=list)
    approvals: dict[tuple[str, str], str] = field(default_factory=dict)
    """What each has said of each revision."""

    def describe(self) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_PullRequest.html"""
        target = {
            "repositoryName": self.repository,
            "sourceReference": f"refs/heads/{self.source}",
            "destinationReference": f"refs/heads/{self.destination}",
            "sourceCommit": self.source_commit,
            "destinationCommit": self.destination_commit,
            "mergeMetadata": {"isMerged": False},
        }
        return {
            "pullRequestId": self.id,
            "title": self.title,
            "description": self.description,
            "lastActivityDate": self.active,
            "creationDate": self.created,
            "pullRequestStatus": self.status,
            "authorArn": self.author,
            "pullRequestTargets": [target],
            "clientRequestToken": "",
            "revisionId": self.revision,
            "approvalRules": self.rules,
        }

    def event(self, name: str, caller: str) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html#pullRequestCreated"""
        return event(
            "aws.codecommit",
            "CodeCommit Pull Request State Change",
            account=self.account,
            region=self.region,
            resources=[f"arn:aws:codecommit:{self.region}:{self.account}:{self.repository}"],
            detail={
                "author": self.author,
                "callerUserArn": caller,
                "creationDate": self.created.strftime("%a %b %d %H:%M:%S UTC %Y"),
                "description": self.description,
                "destinationCommit": self.destination_commit,
                "destinationReference": f"refs/heads/{self.destination}",
                "event": name,
                "isMerged": "False",
                "lastModifiedDate": self.active.strftime("%a %b %d %H:%M:%S UTC %Y"),
                "notificationBody": f"A pull request event occurred in repository {self.repository}.",
                "pullRequestId": self.id,
                "pullRequestStatus": self.status.capitalize(),
                "repositoryNames": [self.repository],
                "revisionId": self.revision,
                "sourceCommit": self.source_commit,
                "sourceReference": f"refs/heads/{self.source}",
                "title": self.title,
            },
        )


class PullRequestOperations(ApprovalOperations):
    """Creating, finding and closing pull requests, and commenting on them; nothing is merged by the API here."""

    _repositories: Repositories

    def __init__(self, tell: Callable[[Answer], None]) -> None:
        super().__init__()
        self._tell = tell
        self._pulls: dict[tuple[str, str, str], PullRequest] = {}
        self._numbers = itertools.count(1)
        self._pulls_lock = threading.RLock()

    def create_pull_request(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreatePullRequest.html"""
        enforce("codecommit", "CreatePullRequest", parameters)
        (target,) = parameters["targets"]
        name = target["repositoryName"]
        source = target["sourceReference"].removeprefix("refs/heads/")
        destination = target.get("destinationReference", "main").removeprefix("refs/heads/")
        if source == destination:
            raise ServiceError("SourceAndDestinationAreSameException", f"{source} cannot be merged into itself")
        pull = PullRequest(
            id=str(next(self._numbers)),
            account=caller.account,
            region=caller.region,
            repository=name,
            title=parameters["title"],
            description=parameters.get("description", ""),
            author=caller_arn(caller),
            source=source,
            destination=destination,
            source_commit=self._tip(name, source),
            destination_commit=self._tip(name, destination),
            rules=self.rules_for(caller, name, destination),
        )
        with self._pulls_lock:
            self._pulls[caller.account, caller.region, pull.id] = pull
        self._tell(pull.event("pullRequestCreated", pull.author))
        return {"pullRequest": pull.describe()}

    def get_pull_request(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetPullRequest.html"""
        return {"pullRequest": self._pull(caller, parameters["pullRequestId"]).describe()}

    def update_pull_request_status(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdatePullRequestStatus.html"""
        enforce("codecommit", "UpdatePullRequestStatus", parameters)
        pull = self._pull(caller, parameters["pullRequestId"])
        pull.status, pull.active = parameters["pullRequestStatus"], datetime.now(UTC)
        self._tell(pull.event("pullRequestStatusChanged", caller_arn(caller)))
        return {"pullRequest": pull.describe()}

    def post_comment_for_pull_request(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_PostCommentForPullRequest.html"""
        pull = self._pull(caller, parameters["pullRequestId"])
        if parameters.get("location"):
            raise ServiceError("InvalidFilePositionException", "the rehearsal takes no comments on lines of a file")
        content, token = _content(parameters), parameters.get("clientRequestToken", "")
        with self._pulls_lock:
            remark = next((each for each in pull.remarks if token and each.token == token), None)
            if remark is not None and remark.content != content:
                raise ServiceError("IdempotencyParameterMismatchException", "the token came with another comment")
            if remark is None:
                after = parameters["afterCommitId"]
                remark = Remark(caller_arn(caller), content, parameters["beforeCommitId"], after, token)
                pull.remarks.append(remark)
        return {"pullRequestId": pull.id, "repositoryName": pull.repository, "comment": remark.describe()}

    def get_comments_for_pull_request(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetCommentsForPullRequest.html"""
        pull = self._pull(caller, parameters["pullRequestId"])
        start, most = int(parameters.get("nextToken", "0")), parameters.get("maxResults", 100)
        shown = [
            {
                "pullRequestId": pull.id,
                "repositoryName": pull.repository,
                "beforeCommitId": each.before,
                "afterCommitId": each.after,
                "comments": [each.describe()],
            }
            for each in pull.remarks[start : start + most]
        ]
        more = {"nextToken": str(start + most)} if len(pull.remarks) > start + most else {}
        return {"commentsForPullRequestData": shown} | more

    def update_comment(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateComment.html

        Who the author is for this, where a role has several sessions, is not documented: here they are several.
        """
        remark = self._remark(caller, parameters["commentId"])
        if remark.author != caller_arn(caller):
            raise ServiceError("CommentNotCreatedByCallerException", "only its author can modify a comment")
        remark.content, remark.modified = _content(parameters), datetime.now(UTC)
        return {"comment": remark.describe()}

    def delete_comment_content(self, caller: Caller, **parameters: Any) -> Answer:
        """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteCommentContent.html"""
        remark = self._remark(caller, parameters["commentId"])
        remark.deleted = True
        return {"comment": remark.describe()}

    def follow(self, push: Push) -> None:
        """Move the open pull requests from the pushed branch to its new commit, and those to it along."""
        with self._pulls_lock:
            open_ones = [each for each in self._pulls.values() if each.status == "OPEN"]
            mine = [each for each in open_ones if each.repository == push.repository]
        for pull in mine:
            if pull.destination == push.branch:
                pull.destination_commit = push.commit
            if pull.source == push.branch and pull.source_commit != push.commit:
                pull.source_commit, pull.revision, pull.active = push.commit, uuid.uuid4().hex, datetime.now(UTC)
                user = f"arn:aws:iam::{pull.account}:user/git"
                self._tell(pull.event("pullRequestSourceBranchUpdated", user))

    def _tip(self, repository: str, branch: str) -> str:
        commit = self._repositories.head(repository, branch)
        if commit is None:
            raise ServiceError("ReferenceDoesNotExistException", f"{repository} has no branch {branch}")
        return commit

    def _pull(self, caller: Caller, number: str) -> PullRequest:
        with self._pulls_lock:
            if (caller.account, caller.region, number) not in self._pulls:
                raise ServiceError("PullRequestDoesNotExistException", f"there is no pull request {number}")
            return self._pulls[caller.account, caller.region, number]

    def _remark(self, caller: Caller, name: str) -> Remark:
        with self._pulls_lock:
            mine = [pull for key, pull in self._pulls.items() if key[:2] == (caller.account, caller.region)]
        found = [each for pull in mine for each in pull.remarks if each.id == name]
        if not found:
            raise ServiceError("CommentDoesNotExistException", f"there is no comment {name}")
        if found[0].deleted:
            raise ServiceError("CommentDeletedException", "this comment has already been deleted")
        return found[0]


def _content(parameters: Answer) -> str:
    content = str(parameters["content"])
    if not content:
        raise ServiceError("CommentContentRequiredException", "the comment is empty")
    if len(content) > COMMENT_CHARACTERS:
        message = f"The comment is too large. Comments are limited to {COMMENT_CHARACTERS:,} characters."
        raise ServiceError("CommentContentSizeLimitExceededException", message)
    return content
