"""Webhooks of build projects: kept as Terraform made them. Nobody out there calls them, so they start nothing here.

https://docs.aws.amazon.com/codebuild/latest/userguide/webhooks.html
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Any

from rehearsal.codebuild import projects
from rehearsal.protocol import Caller, JsonService, ServiceError

CALLERS = ("GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED")


class WebhookOperations(JsonService):
    """Creating, changing and deleting the webhook of a project."""

    _projects: projects.Projects

    def create_webhook(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateWebhook.html"""
        name = parameters.pop("projectName")
        project = self._project(caller, name)
        if project["source"]["type"] not in CALLERS:
            message = f"a project with a source of type {project['source']['type']} has no webhooks"
            raise ServiceError("InvalidInputException", message)
        if "webhook" in project:
            raise ServiceError("ResourceAlreadyExistsException", f"{name} has a webhook already")
        _check(parameters)
        address = f"https://codebuild.{caller.region}.amazonaws.com/webhooks/{secrets.token_hex(8)}"
        made = {"buildType": "BUILD", "url": address, "payloadUrl": address, "secret": secrets.token_hex(16)}
        return {"webhook": self._keep(caller, name, made | parameters)}

    def update_webhook(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateWebhook.html"""
        name = parameters.pop("projectName")
        rotate = {"secret": secrets.token_hex(16)} if parameters.pop("rotateSecret", False) else {}
        _check(parameters)
        return {"webhook": self._keep(caller, name, self._webhook(caller, name) | parameters | rotate)}

    def delete_webhook(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DeleteWebhook.html"""
        self._webhook(caller, parameters["projectName"])
        self._projects.hang(caller, parameters["projectName"], None)
        return {}

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


def _check(parameters: dict[str, Any]) -> None:
    """Every group names its events, and its patterns are regular expressions.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html
    """
    for group in parameters.get("filterGroups", []):
        if not any(each["type"] == "EVENT" for each in group):
            raise ServiceError("InvalidInputException", "every filter group needs a filter of type EVENT")
        for each in group:
            try:
                re.compile(each["pattern"])
            except re.error as error:
                message = f"{each['pattern']!r} is no regular expression: {error}"
                raise ServiceError("InvalidInputException", message) from error
