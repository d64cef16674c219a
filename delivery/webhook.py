"""Which pull requests CodeBuild builds unasked: the policy of a webhook, which Terraform's provider cannot set.

See docs/decisions/0017-forks-wait-for-an-admin.md.
"""

from typing import Any, Final

from delivery.aws import asking, client
from delivery.errors import DeliveryError
from delivery.progress import say
from delivery.project import Stack
from delivery.state import Backend

OUTPUT: Final = "pull_request_build_policy"
"""The output that names project and policy, in the words of CodeBuild's API."""

KEPT: Final = ("filterGroups", "branchFilter", "buildType")
"""What is sent along as it is: the API does not say what becomes of a part that an update leaves out."""


def set_policy(stack: Stack) -> None:
    """Give the webhook of ``stack`` the policy that its configuration asks for, if any, and see that it has it.

    Changes nothing where it has it already. Raises ``DeliveryError``.
    https://docs.aws.amazon.com/codebuild/latest/userguide/pull-request-build-policy.html
    """
    output = stack.configuration.get("output", {}).get(OUTPUT)
    if not output:
        return
    project, wanted = output["value"]["project"], output["value"]["policy"]
    what = f"which pull requests start builds of {project} cannot be said"
    with asking(what):
        codebuild = client("codebuild", Backend.of(stack).region)
        found = codebuild.batch_get_projects(names=[project])["projects"]
        webhook = found[0].get("webhook") if found else None
        if not webhook:
            raise DeliveryError(f"{what}: it has no webhook; apply stack {stack.name}")
        if _is(webhook, wanted):
            return
        kept = {name: webhook[name] for name in KEPT if webhook.get(name)}
        answer = codebuild.update_webhook(projectName=project, pullRequestBuildPolicy=wanted, **kept)
        webhook = answer.get("webhook", {})
    if not _is(webhook, wanted):
        raise DeliveryError(f"{what}: CodeBuild keeps {webhook.get('pullRequestBuildPolicy')} instead of {wanted}")
    say(f"{project}: comment approval of pull requests is {wanted['requiresCommentApproval']} now")


def _is(webhook: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Tell whether ``webhook`` has the policy; without an approval to give, who may give it does not matter."""
    policy = webhook.get("pullRequestBuildPolicy") or {}
    if policy.get("requiresCommentApproval") != wanted["requiresCommentApproval"]:
        return False
    return "approverRoles" not in wanted or sorted(policy.get("approverRoles", [])) == sorted(wanted["approverRoles"])
