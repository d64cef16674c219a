"""Approval actions: wait for a person, and tell them through SNS."""

import json
import logging
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.codepipeline.model import ActionError, new_id, now
from rehearsal.codepipeline.providers import Task
from rehearsal.codepipeline.roles import Roles

TIMEOUT_MINUTES = 7 * 24 * 60
LOG = logging.getLogger(__name__)


class ManualApproval:
    """Waits for PutApprovalResult, for seven days unless ``timeoutInMinutes`` says otherwise.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles

    def __call__(self, task: Task) -> None:
        """Open the approval. Raises ``ActionError`` when its notification cannot be sent."""
        token = new_id()
        if topic := task.configuration.get("NotificationArn"):
            self._notify(task, topic, token)
        task.run.token = token

    def _notify(self, task: Task, topic: str, token: str) -> None:
        minutes = task.run.declaration.get("timeoutInMinutes", TIMEOUT_MINUTES)
        approval = {
            "pipelineName": task.pipeline.name,
            "stageName": task.run.stage,
            "actionName": task.run.name,
            "token": token,
            "expires": (now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%MZ"),
            "externalEntityLink": task.configuration.get("ExternalEntityLink"),
            "customData": task.configuration.get("CustomData"),
        }
        message = json.dumps({"region": task.pipeline.region, "approval": approval})
        subject = f"APPROVAL NEEDED: AWS CodePipeline {task.pipeline.name} for action {task.run.name}"
        try:
            client = self._roles.client("sns", task.role, topic.split(":")[3])
            client.publish(TopicArn=topic, Subject=subject[:100], Message=message)
        except (ClientError, BotoCoreError, IndexError) as error:
            raise ActionError("ConfigurationError", f"the approval cannot be announced at {topic}: {error}") from error
