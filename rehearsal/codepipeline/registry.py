"""Which pipelines there are, by account, region and name."""

from collections.abc import Iterator

from rehearsal.codepipeline.model import Declaration, Execution
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.protocol import Caller, ServiceError


class Registry:
    """Finds pipelines and their parts, or says which is missing as the API does. Not locked by itself."""

    def __init__(self) -> None:
        self._pipelines: dict[tuple[str, str, str], Pipeline] = {}

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(list(self._pipelines.values()))

    def add(self, pipeline: Pipeline) -> None:
        """Keep ``pipeline``. Raises ``ServiceError`` where its name is taken."""
        key = (pipeline.account, pipeline.region, pipeline.name)
        if key in self._pipelines:
            raise refused("PipelineNameInUse", f"A pipeline with the name '{pipeline.name}' already exists")
        self._pipelines[key] = pipeline

    def remove(self, pipeline: Pipeline) -> None:
        """Forget ``pipeline``."""
        del self._pipelines[pipeline.account, pipeline.region, pipeline.name]

    def mine(self, caller: Caller) -> list[Pipeline]:
        """Return the pipelines of the caller's account and region."""
        return [each for each in self if (each.account, each.region) == (caller.account, caller.region)]

    def pipeline(self, caller: Caller, name: str) -> Pipeline:
        """Return the caller's pipeline ``name``."""
        try:
            return self._pipelines[caller.account, caller.region, name]
        except KeyError:
            message = f"Account '{caller.account}' does not have a pipeline with name '{name}'"
            raise refused("PipelineNotFound", message) from None

    def by_arn(self, arn: str) -> Pipeline:
        """Return the pipeline of ``arn``."""
        parts = arn.split(":")
        try:
            return self._pipelines[parts[4], parts[3], parts[5]]
        except (KeyError, IndexError):
            raise refused("ResourceNotFound", f"The resource {arn} was not found") from None


def execution_of(pipeline: Pipeline, execution_id: str) -> Execution:
    """Return the execution of ``pipeline`` with that id."""
    for execution in pipeline.executions:
        if execution.id == execution_id:
            return execution
    message = f"Pipeline {pipeline.name} has no execution {execution_id}"
    raise refused("PipelineExecutionNotFound", message)


def stage_of(pipeline: Pipeline, name: str) -> Declaration:
    """Return the stage of that name in the definition in force."""
    for stage in pipeline.definition["stages"]:
        if stage["name"] == name:
            return dict(stage)
    raise refused("StageNotFound", f"Pipeline {pipeline.name} has no stage {name}")


def page_start(token: str) -> int:
    """Return where the page of ``nextToken`` starts."""
    if token and not token.isdecimal():
        raise refused("InvalidNextToken", f"{token!r} is not a token that was returned earlier")
    return int(token or 0)


def refused(code: str, message: str) -> ServiceError:
    """Return the error that the API calls ``code`` + ``Exception``."""
    return ServiceError(f"{code}Exception", message)
