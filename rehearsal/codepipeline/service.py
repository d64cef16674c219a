"""CodePipeline's API: stores definitions, and has them executed."""

import contextlib
from typing import Any, ClassVar

from rehearsal.cloud import Cloud
from rehearsal.codepipeline import views
from rehearsal.codepipeline.approval_api import ApprovalApi
from rehearsal.codepipeline.declaration import checked
from rehearsal.codepipeline.engine import Engine
from rehearsal.codepipeline.execution_api import ExecutionApi
from rehearsal.codepipeline.faults import structure
from rehearsal.codepipeline.model import Declaration, now
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.codepipeline.providers import Builds
from rehearsal.codepipeline.registry import Registry, page_start, refused
from rehearsal.codepipeline.roles import Roles
from rehearsal.codepipeline.state import pipeline_state
from rehearsal.codepipeline.tags_api import TagsApi
from rehearsal.codepipeline.triggers import Triggers
from rehearsal.constraints import enforce
from rehearsal.identity import caller_arn, trusts
from rehearsal.protocol import Caller, JsonService, ServiceError
from rehearsal.repositories import Repositories


class CodePipeline(ExecutionApi, ApprovalApi, TagsApi, JsonService):
    """CodePipeline, whose pipelines really run: builds by ``codebuild``, sources from ``repositories``.

    ``minute`` is how many seconds a minute of an action's time-out takes. Use it as a context manager, or ``close`` it.
    """

    service: ClassVar[str] = "codepipeline"
    target_prefixes = ("CodePipeline_20150709",)

    def __init__(self, cloud: Cloud, codebuild: Builds, repositories: Repositories, *, minute: float = 60) -> None:
        self.registry = Registry()
        self.engine = Engine(Roles(cloud), codebuild, repositories, minute)
        self.triggers = Triggers(self.registry, self.engine, repositories)
        repositories.attach(cloud)
        repositories.listen(self.triggers.pushed)

    def close(self) -> None:
        """Stop every execution; nothing is left running."""
        self.engine.close()

    def __enter__(self) -> "CodePipeline":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_pipeline(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Store a definition, and run it for the first time.

        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html
        """
        enforce(self.service, "CreatePipeline", parameters)
        definition = self._definition(caller, parameters["pipeline"]) | {"version": 1}
        tags = {tag["key"]: tag["value"] for tag in parameters.get("tags", [])}
        pipeline = Pipeline(caller.account, caller.region, [definition], tags)
        with self.engine.changed:
            self.registry.add(pipeline)
            trigger = {"triggerType": "CreatePipeline", "triggerDetail": caller_arn(caller)}
            self.engine.start(pipeline, trigger, defaults(definition), {})
        return {"pipeline": definition, "tags": parameters.get("tags", [])}

    def update_pipeline(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Store a new version of a definition; nothing is run, and what runs is cancelled after its current actions."""
        enforce(self.service, "UpdatePipeline", parameters)
        definition = self._definition(caller, parameters["pipeline"])
        with self.engine.changed:
            try:
                pipeline = self.registry.pipeline(caller, definition["name"])
            except ServiceError as error:
                raise structure(error.message) from error
            pipeline.definitions.append(definition | {"version": len(pipeline.definitions) + 1})
            pipeline.updated = now()
            self.engine.outdate(pipeline)
            return {"pipeline": pipeline.definition}

    def get_pipeline(self, caller: Caller, name: str, version: int | None = None) -> dict[str, Any]:
        """Return a definition: the one in force, or an older version."""
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, name)
            if version is not None and not 1 <= version <= len(pipeline.definitions):
                raise refused("PipelineVersionNotFound", f"Pipeline {name} has no version {version}")
            definition = pipeline.definitions[(version or 0) - 1]
            metadata = {"pipelineArn": pipeline.arn, "created": pipeline.created, "updated": pipeline.updated}
            return {"pipeline": definition, "metadata": metadata}

    def list_pipelines(self, caller: Caller, maxResults: int = 1000, nextToken: str = "") -> dict[str, Any]:  # noqa: N803
        """Return the caller's pipelines."""
        with self.engine.changed:
            mine = sorted(self.registry.mine(caller), key=lambda pipeline: pipeline.name)
            found, following = views.page(mine, _summary, page_start(nextToken), maxResults)
        return {"pipelines": found} | ({"nextToken": str(following)} if following else {})

    def delete_pipeline(self, caller: Caller, name: str) -> dict[str, Any]:
        """Forget a pipeline, and abandon what it was doing; one that is not there is deleted already."""
        with self.engine.changed, contextlib.suppress(ServiceError):
            pipeline = self.registry.pipeline(caller, name)
            for execution in pipeline.executions:
                if not execution.ended:
                    self.engine.stop(pipeline, execution, abandon=True, reason="the pipeline was deleted")
            self.registry.remove(pipeline)
        return {}

    def get_pipeline_state(self, caller: Caller, name: str) -> dict[str, Any]:
        """Return where every stage and action stands."""
        with self.engine.changed:
            return pipeline_state(self.registry.pipeline(caller, name))

    def _definition(self, caller: Caller, declared: Declaration) -> Declaration:
        definition = checked(declared, caller.region)
        arn = f"arn:aws:codepipeline:{caller.region}:{caller.account}:{definition['name']}"
        role = definition["roleArn"]
        if not trusts(role, "codepipeline.amazonaws.com", source_arn=arn):
            raise structure(f"CodePipeline is not authorized to perform AssumeRole on role {role}")
        return definition


def defaults(definition: Declaration) -> dict[str, str]:
    """Return the values of the variables that have a default."""
    declared = definition.get("variables", [])
    return {variable["name"]: variable["defaultValue"] for variable in declared if "defaultValue" in variable}


def _summary(pipeline: Pipeline) -> Declaration:
    definition = pipeline.definition
    shown = {key: definition[key] for key in ("name", "version", "pipelineType", "executionMode")}
    return shown | {"created": pipeline.created, "updated": pipeline.updated}
