"""The API's operations on tags."""

from typing import Any

from rehearsal.codepipeline.engine import Engine
from rehearsal.codepipeline.registry import Registry
from rehearsal.constraints import enforce
from rehearsal.protocol import Caller


class TagsApi:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_TagResource.html"""

    registry: Registry
    engine: Engine

    def tag_resource(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Add tags to a pipeline."""
        enforce("codepipeline", "TagResource", parameters)
        with self.engine.changed:
            tags = self.registry.by_arn(parameters["resourceArn"]).tags
            tags.update({tag["key"]: tag["value"] for tag in parameters["tags"]})
        return {}

    def untag_resource(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Take tags from a pipeline."""
        with self.engine.changed:
            tags = self.registry.by_arn(parameters["resourceArn"]).tags
            for key in parameters["tagKeys"]:
                tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, _caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Return a pipeline's tags, all in one page."""
        with self.engine.changed:
            tags = self.registry.by_arn(parameters["resourceArn"]).tags
            return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
