"""What a pull request and a comment on one are, in CodeCommit's shapes."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rehearsal.events import event

Answer = dict[str, Any]


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
