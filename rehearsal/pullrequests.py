"""CodeCommit's pull requests, and the events that they raise."""

import itertools
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rehearsal.approvalrules import ApprovalOperations
from rehearsal.constraints import enforce
from rehearsal.identity import caller_arn
from rehearsal.protocol import Caller, ServiceError
from rehearsal.pullrequest import Answer, PullRequest
from rehearsal.remarks import CommentOperations
from rehearsal.repositories import Push, Repositories


class PullRequestOperations(ApprovalOperations, CommentOperations):
    """Creating, finding and closing pull requests; nothing is merged by the API here."""

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

    def _pulls_of(self, caller: Caller) -> list[PullRequest]:
        with self._pulls_lock:
            return [pull for key, pull in self._pulls.items() if key[:2] == (caller.account, caller.region)]
