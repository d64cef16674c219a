"""CodeBuild actions: input artifacts go into a build, output artifacts and exported variables come out."""

import json

from rehearsal.codebuild import BuildRequest, BuildResult
from rehearsal.codepipeline.artifacts import ArtifactStore
from rehearsal.codepipeline.model import ActionError, Outcome
from rehearsal.codepipeline.providers import Builds, Task
from rehearsal.protocol import Caller, JsonService, ServiceError


class CodeBuildAction:
    """Runs a CodeBuild project.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
    """

    def __init__(self, builds: Builds, store: ArtifactStore) -> None:
        self._builds, self._store = builds, store

    def __call__(self, task: Task) -> Outcome:
        """Start the build, wait for it, and store what it made."""
        request = self._request(task)
        try:
            build_id = self._builds.start(request)
        except ServiceError as error:
            raise ActionError("ConfigurationError", f"Error calling startBuild: {error.message}") from error
        task.run.external_url = self._log(build_id, task)
        task.run.external_id = build_id
        result = self._builds.wait(build_id)
        task.run.external_url = task.run.external_url or result.log.as_uri()
        if result.status != "SUCCEEDED":
            reason = f"Build terminated with state: {result.status}. {result.message}".strip()
            raise ActionError("JobFailed", reason)
        return self._outcome(task, result)

    def _request(self, task: Task) -> BuildRequest:
        sources = {}
        for artifact in task.inputs:
            sources[artifact.name] = task.folder / f"{artifact.name}.zip"
            self._store.get(task.definition, task.pipeline.region, artifact, sources[artifact.name])
        primary = task.configuration.get("PrimarySource") or task.inputs[0].name
        return BuildRequest(
            project=task.configuration["ProjectName"],
            account=task.role.split(":")[4],
            region=task.pipeline.region,
            sources=sources,
            primary_source=primary,
            environment=_environment(task),
            artifact_names=task.output_names,
            resolved_source_version=next((each.revision for each in task.inputs if each.name == primary), None),
            initiator=f"codepipeline/{task.pipeline.name}",
        )

    def _outcome(self, task: Task, result: BuildResult) -> Outcome:
        artifacts = []
        revision = next((each.revision for each in task.inputs if each.revision), None)
        for name in task.output_names:
            if name not in result.artifacts:
                raise ActionError("JobFailed", f"the build made no artifact {name}, look at its buildspec's artifacts")
            made = self._store.put(task.definition, task.pipeline.region, name, result.artifacts[name], revision)
            artifacts.append(made)
        return Outcome(dict(result.exported), artifacts)

    def _log(self, build_id: str, task: Task) -> str:
        if not isinstance(self._builds, JsonService):
            return ""
        caller = Caller(task.role.split(":")[4], task.pipeline.region, "")
        found = self._builds._call("BatchGetBuilds", {"ids": [build_id]}, caller)["builds"]
        return str(found[0].get("logs", {}).get("deepLink", "")) if found else ""


def _environment(task: Task) -> list[dict[str, str]]:
    text = task.configuration.get("EnvironmentVariables", "[]")
    try:
        variables: list[dict[str, str]] = json.loads(text)
    except ValueError as error:
        message = f"EnvironmentVariables is no JSON once its variables are resolved: {error}"
        raise ActionError("ConfigurationError", message) from error
    return [{"type": "PLAINTEXT"} | variable for variable in variables]
