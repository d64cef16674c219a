"""Source actions: a commit of a repository becomes the artifact that everything starts from."""

import json
from datetime import datetime

from botocore.exceptions import ClientError

from rehearsal.codepipeline.artifacts import ArtifactStore
from rehearsal.codepipeline.model import ActionError, Outcome, Revision
from rehearsal.codepipeline.providers import Task
from rehearsal.codepipeline.roles import Roles
from rehearsal.repositories import Commit, Repositories, RepositoryError


class ConnectionSource:
    """CodeStarSourceConnection.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
    """

    def __init__(self, repositories: Repositories, store: ArtifactStore, roles: Roles) -> None:
        self._repositories, self._store, self._roles = repositories, store, roles

    def __call__(self, task: Task) -> Outcome:
        """Fetch the branch's tip, or the commit that the execution was started for."""
        configuration = task.configuration
        arn, repository, branch = (configuration[key] for key in ("ConnectionArn", "FullRepositoryId", "BranchName"))
        provider = self._connection_provider(task, arn)
        commit = _commit(self._repositories, task, repository, branch)
        variables = {
            "AuthorDate": commit.author_date,
            "BranchName": branch,
            "CommitId": commit.id,
            "CommitMessage": commit.message,
            "ConnectionArn": arn,
            "FullRepositoryName": repository,
        }
        summary = json.dumps({"ProviderType": provider, "CommitMessage": commit.message[:1500]})
        return _outcome(self._repositories, self._store, task, repository, commit, summary, variables)

    def _connection_provider(self, task: Task, arn: str) -> str:
        parts = arn.split(":")
        if len(parts) < 6 or parts[2] not in ("codeconnections", "codestar-connections"):
            raise ActionError("ConfigurationError", f"{arn} is not the ARN of a connection")
        try:
            client = self._roles.client(parts[2], task.role, parts[3])
            return str(client.get_connection(ConnectionArn=arn)["Connection"]["ProviderType"])
        except ClientError as error:
            raise ActionError("ConfigurationError", f"Unable to use Connection {arn}: {error}") from error


class CodeCommitSource:
    """CodeCommit.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
    """

    def __init__(self, repositories: Repositories, store: ArtifactStore, roles: Roles) -> None:
        self._repositories, self._store, self._roles = repositories, store, roles

    def __call__(self, task: Task) -> Outcome:
        """Fetch the branch's tip, or the commit that the execution was started for."""
        repository, branch = task.configuration["RepositoryName"], task.configuration["BranchName"]
        try:
            client = self._roles.client("codecommit", task.role, task.pipeline.region)
            client.get_repository(repositoryName=repository)
        except ClientError as error:
            raise ActionError("ConfigurationError", f"Repository {repository} cannot be used: {error}") from error
        commit = _commit(self._repositories, task, repository, branch)
        variables = {
            "AuthorDate": commit.author_date,
            "BranchName": branch,
            "CommitId": commit.id,
            "CommitMessage": commit.message,
            "CommitterDate": commit.committer_date,
            "RepositoryName": repository,
        }
        return _outcome(self._repositories, self._store, task, repository, commit, commit.message[:2048], variables)


def _commit(repositories: Repositories, task: Task, repository: str, branch: str) -> Commit:
    try:
        wanted = task.execution.overrides.get(task.run.name) or repositories.head(repository, branch)
        if wanted is None:
            missing = f"No Branch [{branch}] found for FullRepositoryName [{repository}]"
            raise ActionError("ConfigurationError", missing)
        return repositories.commit(repository, wanted)
    except RepositoryError as error:
        raise ActionError("RevisionUnavailable", str(error)) from error


def _outcome(
    repositories: Repositories,
    store: ArtifactStore,
    task: Task,
    repository: str,
    commit: Commit,
    summary: str,
    variables: dict[str, str],
) -> Outcome:
    name = task.output_names[0]
    archive = task.folder / "source.zip"
    try:
        repositories.archive(repository, commit.id, archive)
    except RepositoryError as error:
        raise ActionError("RevisionUnavailable", str(error)) from error
    artifact = store.put(task.definition, task.pipeline.region, name, archive, commit.id)
    url = repositories.path(repository).as_uri()
    created = datetime.fromisoformat(commit.committer_date)
    revision = Revision(task.run.name, name, commit.id, summary, created, url)
    return Outcome(variables, [artifact], revision, commit.id)
