"""Webhooks of build projects: kept as they were made, and asked which events of pull requests start a build.

https://docs.aws.amazon.com/codebuild/latest/userguide/webhooks.html
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rehearsal.codebuild import projects
from rehearsal.constraints import enforce
from rehearsal.protocol import Caller, JsonService, ServiceError

CALLERS: Final = ("GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED")

APPROVERS: Final = {
    "GITHUB": ["GITHUB_ADMIN", "GITHUB_MAINTAIN", "GITHUB_WRITE"],
    "BITBUCKET": ["BITBUCKET_ADMIN", "BITBUCKET_WRITE"],
    "GITLAB": ["GITLAB_OWNER", "GITLAB_MAINTAINER", "GITLAB_DEVELOPER"],
}
"""Whose comment counts where a policy names nobody.
https://docs.aws.amazon.com/codebuild/latest/userguide/pull-request-build-policy.html"""


@dataclass(frozen=True)
class PullRequestEvent:
    """What a host tells of a pull request: ``role`` is that of its author in the repository it goes to.

    ``approved_by`` is the role of whoever commented ``/codebuild_run(commit)``, if anybody did.
    """

    number: str
    actor: str
    role: str
    base: str
    head: str
    is_fork: bool = False
    event: str = "PULL_REQUEST_CREATED"
    approved_by: str = ""


FILTERS: Final[dict[str, Callable[[PullRequestEvent, str], bool]]] = {
    "EVENT": lambda told, pattern: told.event in [each.strip() for each in pattern.split(",")],
    "ACTOR_ACCOUNT_ID": lambda told, pattern: bool(re.search(pattern, told.actor)),
    "BASE_REF": lambda told, pattern: bool(re.search(pattern, told.base)),
    "HEAD_REF": lambda told, pattern: bool(re.search(pattern, told.head)),
}
"""Whether an event passes a filter, by its type.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html"""


class WebhookOperations(JsonService):
    """Creating, changing and deleting the webhook of a project."""

    _projects: projects.Projects

    def create_webhook(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateWebhook.html"""
        _check("CreateWebhook", parameters)
        name = parameters.pop("projectName")
        project = self._project(caller, name)
        kind = project["source"]["type"]
        if kind not in CALLERS:
            raise ServiceError("InvalidInputException", f"a project with a source of type {kind} has no webhooks")
        if "webhook" in project:
            raise ServiceError("ResourceAlreadyExistsException", f"{name} has a webhook already")
        address = f"https://codebuild.{caller.region}.amazonaws.com/webhooks/{secrets.token_hex(8)}"
        made = {"buildType": "BUILD", "url": address, "payloadUrl": address, "secret": secrets.token_hex(16)}
        policy = _policy(kind, parameters.pop("pullRequestBuildPolicy", {}))
        return {"webhook": self._keep(caller, name, made | parameters | policy)}

    def update_webhook(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateWebhook.html"""
        _check("UpdateWebhook", parameters)
        name = parameters.pop("projectName")
        webhook = self._webhook(caller, name)
        rotate = {"secret": secrets.token_hex(16)} if parameters.pop("rotateSecret", False) else {}
        if "pullRequestBuildPolicy" in parameters:
            kind = self._project(caller, name)["source"]["type"]
            parameters |= _policy(kind, parameters["pullRequestBuildPolicy"])
        return {"webhook": self._keep(caller, name, webhook | parameters | rotate)}

    def delete_webhook(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DeleteWebhook.html"""
        self._webhook(caller, parameters["projectName"])
        self._projects.hang(caller, parameters["projectName"], None)
        return {}

    def starts(self, caller: Caller, name: str, told: PullRequestEvent) -> bool:
        """Tell whether an event is one that the project's webhook builds; raises ``ServiceError`` without a webhook."""
        webhook = self._webhook(caller, name)
        groups = webhook.get("filterGroups", [])
        return (not groups or any(all(_passes(told, each) for each in group) for group in groups)) and _is_approved(
            webhook["pullRequestBuildPolicy"], told
        )

    def _project(self, caller: Caller, name: str) -> dict[str, Any]:
        project = self._projects.get(caller, name)
        if project is None:
            raise projects.unknown(name)
        return project

    def _webhook(self, caller: Caller, name: str) -> dict[str, Any]:
        project = self._project(caller, name)
        if "webhook" not in project:
            raise ServiceError("ResourceNotFoundException", f"{name} has no webhook")
        return dict(project["webhook"])

    def _keep(self, caller: Caller, name: str, webhook: dict[str, Any]) -> dict[str, Any]:
        webhook["lastModifiedSecret"] = webhook.get("lastModifiedSecret", datetime.now(UTC))
        self._projects.hang(caller, name, webhook)
        return webhook


def _policy(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the policy with the defaults that AWS gives it."""
    usual = {"requiresCommentApproval": "ALL_PULL_REQUESTS", "approverRoles": APPROVERS[kind.partition("_")[0]]}
    return {"pullRequestBuildPolicy": usual | given}


def _is_approved(policy: dict[str, Any], told: PullRequestEvent) -> bool:
    asked = {"DISABLED": False, "ALL_PULL_REQUESTS": True, "FORK_PULL_REQUESTS": told.is_fork}
    if not asked[policy["requiresCommentApproval"]]:
        return True
    return bool({told.role, told.approved_by} & set(policy["approverRoles"]))


def _passes(told: PullRequestEvent, wanted: dict[str, Any]) -> bool:
    kind = wanted["type"]
    if kind not in FILTERS:
        raise ServiceError("InvalidInputException", f"the rehearsal does not emulate filters of type {kind}")
    return FILTERS[kind](told, wanted["pattern"]) != bool(wanted.get("excludeMatchedPattern"))


def _check(operation: str, parameters: dict[str, Any]) -> None:
    """Every group names its events, and its patterns are regular expressions.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html
    """
    enforce("codebuild", operation, parameters)
    for group in parameters.get("filterGroups", []):
        if not any(each["type"] == "EVENT" for each in group):
            raise ServiceError("InvalidInputException", "every filter group needs a filter of type EVENT")
        for each in group:
            try:
                re.compile(each["pattern"])
            except re.error as error:
                message = f"{each['pattern']!r} is no regular expression: {error}"
                raise ServiceError("InvalidInputException", message) from error
