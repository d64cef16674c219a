"""What an AWS call can meet on its way: a cloud that is gone, or a pipeline that is not there."""

from collections.abc import Iterator
from contextlib import contextmanager

from rehearsal.errors import RehearsalError
from rehearsal.serving import Serving


@contextmanager
def reaching(serving: Serving, pipeline: str) -> Iterator[None]:
    """Turn botocore's errors into ``RehearsalError``, one line each."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "PipelineNotFoundException":
            raise RehearsalError(_absent(serving, pipeline)) from None
        raise RehearsalError(f"the emulated AWS refused: {error}") from None
    except BotoCoreError as error:
        raise RehearsalError(f"the emulated AWS at {serving.endpoint} does not answer any more: {error}") from None


def _absent(serving: Serving, pipeline: str) -> str:
    listed = serving.client("codepipeline").list_pipelines().get("pipelines", [])
    names = ", ".join(each["name"] for each in listed) or "none"
    if serving.state == "starting":
        return f"pipeline {pipeline} is not there yet: the rehearsal is still starting"
    return f"there is no pipeline {pipeline} (there are: {names}); what does [tool.rehearsal] pipeline say?"
