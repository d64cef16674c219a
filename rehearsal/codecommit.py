"""CodeCommit: repositories that real git pushes to, and the events that its pushes raise."""

import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from rehearsal.cloud import Cloud
from rehearsal.codepipeline import CodePipeline
from rehearsal.constraints import enforce
from rehearsal.events import Start, deliver, event
from rehearsal.protocol import Caller, ServiceError
from rehearsal.pullrequests import PullRequestOperations
from rehearsal.repositories import Push, Repositories, RepositoryError

Answer = dict[str, Any]


@dataclass
class Repository:
    """What CodeCommit knows of a repository besides its commits."""

    account: str
    region: str
    name: str
    description: str
    tags: dict[str, str]
    key: str
    default_branch: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def arn(self) -> str:
        """The repository's ARN."""
        return f"arn:aws:codecommit:{self.region}:{self.account}:{self.name}"


class CodeCommit(PullRequestOperations):
    """The operations that Terraform, source actions and pull requests need; the rest is refused by name.

    ``builds`` starts the build projects that rules target.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/Welcome.html
    """

    service: ClassVar[str] = "codecommit"
    target_prefixes = ("CodeCommit_20150413",)

    def __init__(
        self, cloud: Cloud, repositories: Repositories, codepipeline: CodePipeline, builds: Start | None = None
    ) -> None:
        self._builds = {"codebuild": builds} if builds else {}
        super().__init__(lambda told: deliver(told, self._builds))
        self._repositories, self._codepipeline = repositories, codepipeline
        self._known: dict[tuple[str, str, str], Repository] = {}
        self._lock = threading.RLock()
        repositories.attach(cloud)
        repositories.listen(self.pushed)

    def create_repository(self, caller: Caller, **parameters: Any) -> Answer:
        """Make a repository. Its name is the id under which git finds it."""
        enforce(self.service, "CreateRepository", parameters)
        name = parameters["repositoryName"]
        with self._lock:
            if (caller.account, caller.region, name) in self._known:
                raise ServiceError("RepositoryNameExistsException", f"Repository named {name} already exists")
            try:
                self._repositories.path(name)
            except RepositoryError as error:
                raise ServiceError("InvalidRepositoryNameException", str(error)) from error
            repository = Repository(
                caller.account,
                caller.region,
                name,
                parameters.get("repositoryDescription", ""),
                dict(parameters.get("tags", {})),
                parameters.get("kmsKeyId", ""),
            )
            self._known[caller.account, caller.region, name] = repository
            return {"repositoryMetadata": self._metadata(repository)}

    def get_repository(self, caller: Caller, **parameters: Any) -> Answer:
        """Return one repository."""
        return {"repositoryMetadata": self._metadata(self._found(caller, parameters["repositoryName"]))}

    def list_repositories(self, caller: Caller, **_: Any) -> Answer:
        """Return the caller's repositories, all in one page."""
        with self._lock:
            mine = [each for key, each in self._known.items() if key[:2] == (caller.account, caller.region)]
        return {"repositories": [{"repositoryName": each.name, "repositoryId": each.id} for each in mine]}

    def delete_repository(self, caller: Caller, **parameters: Any) -> Answer:
        """Forget a repository; its commits stay on disk until the rehearsal starts anew."""
        with self._lock:
            gone = self._known.pop((caller.account, caller.region, parameters["repositoryName"]), None)
        return {"repositoryId": gone.id} if gone else {}

    def update_repository_description(self, caller: Caller, **parameters: Any) -> Answer:
        """Change the description."""
        description = parameters.get("repositoryDescription", "")
        self._found(caller, parameters["repositoryName"]).description = description
        return {}

    def update_default_branch(self, caller: Caller, **parameters: Any) -> Answer:
        """Change the default branch."""
        self.get_branch(caller, repositoryName=parameters["repositoryName"], branchName=parameters["defaultBranchName"])
        self._found(caller, parameters["repositoryName"]).default_branch = parameters["defaultBranchName"]
        return {}

    def get_branch(self, caller: Caller, **parameters: Any) -> Answer:
        """Return a branch's name and commit."""
        repository, branch = self._found(caller, parameters["repositoryName"]), parameters["branchName"]
        commit = self._repositories.head(repository.name, branch)
        if commit is None:
            raise ServiceError("BranchDoesNotExistException", f"{repository.name} has no branch {branch}")
        return {"branch": {"branchName": branch, "commitId": commit}}

    def list_branches(self, caller: Caller, **parameters: Any) -> Answer:
        """Return the names of all branches."""
        return {"branches": sorted(self._repositories.branches(self._found(caller, parameters["repositoryName"]).name))}

    def tag_resource(self, _caller: Caller, **parameters: Any) -> Answer:
        """Add tags to a repository."""
        self._by_arn(parameters["resourceArn"]).tags.update(parameters["tags"])
        return {}

    def untag_resource(self, _caller: Caller, **parameters: Any) -> Answer:
        """Take tags from a repository."""
        tags = self._by_arn(parameters["resourceArn"]).tags
        for key in parameters["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, _caller: Caller, **parameters: Any) -> Answer:
        """Return a repository's tags."""
        return {"tags": dict(self._by_arn(parameters["resourceArn"]).tags)}

    def pushed(self, push: Push) -> None:
        """Raise ``CodeCommit Repository State Change`` for a push, and start the pipelines that its rules target.

        https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
        """
        with self._lock:
            concerned = [each for each in self._known.values() if each.name == push.repository]
        for repository in concerned:
            deliver(_event(repository, push), self._builds | {"codepipeline": self._pipelines(push)})
        self.follow(push)

    def _pipelines(self, push: Push) -> Start:
        return lambda match: self._codepipeline.triggers.event(match.target, match.rule, push)

    def _found(self, caller: Caller, name: str) -> Repository:
        with self._lock:
            if (caller.account, caller.region, name) not in self._known:
                raise ServiceError("RepositoryDoesNotExistException", f"{name} does not exist")
            return self._known[caller.account, caller.region, name]

    def _by_arn(self, arn: str) -> Repository:
        parts = arn.split(":")
        if len(parts) != 6:
            raise ServiceError("InvalidResourceArnException", f"{arn} is not the ARN of a repository")
        return self._found(Caller(parts[4], parts[3], ""), parts[5])

    def _metadata(self, repository: Repository) -> Answer:
        address = self._repositories.path(repository.name).as_uri()
        shown = {
            "accountId": repository.account,
            "repositoryId": repository.id,
            "repositoryName": repository.name,
            "creationDate": repository.created,
            "lastModifiedDate": repository.created,
            # Where git really reaches it: the machine has no git-codecommit host.
            "cloneUrlHttp": address,
            "cloneUrlSsh": address,
            "Arn": repository.arn,
        }
        optional = {"repositoryDescription": repository.description, "defaultBranch": repository.default_branch}
        return shown | {key: value for key, value in (optional | {"kmsKeyId": repository.key}).items() if value}


def _event(repository: Repository, push: Push) -> Answer:
    detail = {
        "callerUserArn": f"arn:aws:iam::{repository.account}:user/git",
        "commitId": push.commit,
        "event": "referenceUpdated" if push.previous else "referenceCreated",
        "referenceFullName": f"refs/heads/{push.branch}",
        "referenceName": push.branch,
        "referenceType": "branch",
        "repositoryId": repository.id,
        "repositoryName": repository.name,
    }
    return event(
        "aws.codecommit",
        "CodeCommit Repository State Change",
        account=repository.account,
        region=repository.region,
        resources=[repository.arn],
        detail=detail | ({"oldCommitId": push.previous} if push.previous else {}),
    )
