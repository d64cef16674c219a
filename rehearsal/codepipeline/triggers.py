"""Change detection: a push to a repository starts the pipelines that have it as their source."""

import json
import logging
import re
from collections.abc import Iterable

from rehearsal.codepipeline.declaration import source_actions
from rehearsal.codepipeline.engine import Engine
from rehearsal.codepipeline.execution_api import check_concurrency
from rehearsal.codepipeline.model import Declaration
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.codepipeline.registry import Registry
from rehearsal.protocol import ServiceError
from rehearsal.repositories import Push, Repositories

WILDCARDS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
BRACES = {"{": "(?:", "}": ")", ",": "|"}
LOG = logging.getLogger(__name__)


class Triggers:
    """Starts executions for pushes.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html
    """

    def __init__(self, registry: Registry, engine: Engine, repositories: Repositories) -> None:
        self._registry, self._engine, self._repositories = registry, engine, repositories

    def pushed(self, push: Push) -> None:
        """Start every pipeline that watches the pushed branch itself (EventBridge's rules are not its business)."""
        with self._engine.changed:
            for pipeline in self._registry:
                for action in source_actions(pipeline.definition):
                    if trigger := self._trigger(pipeline, action, push):
                        self.start(pipeline, trigger, {action["name"]: push.commit})
                        break

    def event(self, arn: str, rule: str, push: Push) -> None:
        """Start the pipeline ``arn``, the target of EventBridge's ``rule`` that matched ``push``."""
        with self._engine.changed:
            pipeline = self._registry.by_arn(arn)
            named = [
                action["name"]
                for action in source_actions(pipeline.definition)
                if action["configuration"].get("RepositoryName") == push.repository
                and action["configuration"].get("BranchName") == push.branch
            ]
            trigger = {"triggerType": "CloudWatchEvent", "triggerDetail": rule}
            self.start(pipeline, trigger, dict.fromkeys(named, push.commit))

    def start(self, pipeline: Pipeline, trigger: Declaration, commits: dict[str, str]) -> None:
        """Start ``pipeline`` with its variables' defaults."""
        try:
            check_concurrency(pipeline)
        except ServiceError as error:
            LOG.warning("%s: %s", pipeline.name, error.message)
            return
        declared = pipeline.definition.get("variables", [])
        defaults = {each["name"]: each["defaultValue"] for each in declared if "defaultValue" in each}
        self._engine.start(pipeline, trigger, defaults, commits)

    def _trigger(self, pipeline: Pipeline, action: Declaration, push: Push) -> Declaration | None:
        configuration = action["configuration"]
        if action["actionTypeId"]["provider"] == "CodeCommit":
            polled = configuration.get("PollForSourceChanges", "true").lower() == "true"
            watched = (configuration["RepositoryName"], configuration["BranchName"]) == (push.repository, push.branch)
            return (
                {"triggerType": "PollForSourceChanges", "triggerDetail": push.repository}
                if polled and watched
                else None
            )
        if configuration["FullRepositoryId"] != push.repository:
            return None
        filters = _filters(pipeline.definition, action["name"])
        if filters is None:
            detects = configuration.get("DetectChanges", "true").lower() == "true"
            wanted = detects and configuration["BranchName"] == push.branch
        else:
            wanted = any(self._passes(each, push) for each in filters)
        detail = {"repository": push.repository, "branch": push.branch, "commit": push.commit}
        return {"triggerType": "WebhookV2", "triggerDetail": json.dumps(detail)[:1024]} if wanted else None

    def _passes(self, push_filter: Declaration, push: Push) -> bool:
        if not _selected(push_filter.get("branches", {}), [push.branch]):
            return False
        paths = push_filter.get("filePaths")
        return not paths or _selected(paths, self._repositories.changed_paths(push))


def _filters(definition: Declaration, action: str) -> list[Declaration] | None:
    """Return the push filters of ``action``, or ``None`` where no trigger names it."""
    named = [
        trigger["gitConfiguration"]
        for trigger in definition.get("triggers", [])
        if trigger["gitConfiguration"]["sourceActionName"] == action
    ]
    return [each for git in named for each in git.get("push", [])] if named else None


def _selected(patterns: Declaration, names: Iterable[str]) -> bool:
    """Tell whether one of ``names`` is included and not excluded; excludes win.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html
    """
    includes, excludes = patterns.get("includes") or ["**"], patterns.get("excludes", [])
    return any(
        any(_glob(pattern).fullmatch(name) for pattern in includes)
        and not any(_glob(pattern).fullmatch(name) for pattern in excludes)
        for name in names
    )


def _glob(pattern: str) -> re.Pattern[str]:
    """``*`` stays within a part of the path, ``**`` crosses them, ``{a,b}`` is either."""
    braces = pattern.count("{") == pattern.count("}")
    depth, text = 0, ""
    for part in re.findall(r"\*\*|.", pattern, re.DOTALL):
        depth += (part == "{") - (part == "}")
        if part in WILDCARDS or (braces and part in "{}") or (depth and braces and part == ","):
            text += (WILDCARDS | BRACES)[part]
        else:
            text += re.escape(part)
    return re.compile(text, re.DOTALL)
