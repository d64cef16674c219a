"""What starts the review of a pull request on GitHub or Bitbucket: whose, and where its branch may lie."""

import re

from cdktf import TerraformOutput
from cdktf_cdktf_provider_aws.codebuild_webhook import (
    CodebuildWebhook,
    CodebuildWebhookFilterGroup,
    CodebuildWebhookFilterGroupFilter,
)
from constructs import Construct

from stacks.pipeline.standalone import StandaloneProject
from stacks.project import Project
from stacks.review import Review

# Not a reopened one, whose event is that of whoever reopened it: the code is somebody else's.
EVENTS = "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"


def start_on_webhooks(scope: Construct, project: Project, review: Review, builds: StandaloneProject) -> None:
    """Let pull requests to the delivered branch start ``builds``.

    https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html
    """
    filters = {
        "EVENT": EVENTS,
        "ACTOR_ACCOUNT_ID": review.actors_pattern,
        "BASE_REF": f"^refs/heads/{re.escape(project.source.branch)}$",
    }
    group = CodebuildWebhookFilterGroup(
        filter=[CodebuildWebhookFilterGroupFilter(type=kind, pattern=pattern) for kind, pattern in filters.items()]
    )
    CodebuildWebhook(scope, "webhook", project_name=builds.name, build_type="BUILD", filter_group=[group])
    # What the provider cannot set; bootstrap and UpdatePipeline do, which read this as it is written.
    output = TerraformOutput(
        scope, "policy", value={"project": builds.own_name, "policy": build_policy(project, review)}
    )
    output.override_logical_id("pull_request_build_policy")


def build_policy(project: Project, review: Review) -> dict[str, object]:
    """Which pull requests wait for a comment: an administrator's for those of forks, unless forks are let in.

    https://docs.aws.amazon.com/codebuild/latest/userguide/pull-request-build-policy.html
    """
    if review.allow_forks:
        return {"requiresCommentApproval": "DISABLED"}
    return {"requiresCommentApproval": "FORK_PULL_REQUESTS", "approverRoles": [f"{project.source.provider.name}_ADMIN"]}
