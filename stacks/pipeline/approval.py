"""ReviewApproval: a rule that CodeCommit's pull requests are approved by their review, and who alone can do so."""

from cdktf_cdktf_provider_aws.codecommit_approval_rule_template import CodecommitApprovalRuleTemplate
from cdktf_cdktf_provider_aws.codecommit_approval_rule_template_association import (
    CodecommitApprovalRuleTemplateAssociation,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from stacks import policies
from stacks.pipeline.arns import Arns
from stacks.project import Project

APPROVING = "approver"
SESSION = "review"


class ReviewApproval(Construct):
    """A role that may set approvals, which ``commenter`` assumes in one session, and a rule that counts no other.

    Sessions of one role are approvers of their own: one that were named by its build could not take back what an
    earlier build approved. https://docs.aws.amazon.com/codecommit/latest/userguide/approval-rule-templates.html
    """

    def __init__(self, scope: Construct, id: str, *, project: Project, commenter: str) -> None:
        super().__init__(scope, id)
        home, name = _home(project), project.resource_name(APPROVING)
        condition = {"StringEquals": {"sts:RoleSessionName": SESSION}}
        role = IamRole(
            self,
            "role",
            name=name,
            description="Approves what a review has planned; assumed by the comment's project alone.",
            assume_role_policy=policies.trust_roles(commenter, condition=condition),
        )
        allowed = policies.allow(["codecommit:UpdatePullRequestApprovalState"], [repository(project)])
        IamRolePolicy(self, "policy", name="approve", role=role.id, policy=policies.document(allowed))
        pool = f"arn:{home.partition}:sts::{home.account}:assumed-role/{name}/{SESSION}"
        template = CodecommitApprovalRuleTemplate(
            self,
            "rule",
            name=project.resource_name(SESSION),
            description="Approved by the review, which has planned every environment.",
            content=policies.compact(
                {
                    "Version": "2018-11-08",
                    "DestinationReferences": [f"refs/heads/{project.source.branch}"],
                    "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 1, "ApprovalPoolMembers": [pool]}],
                }
            ),
        )
        CodecommitApprovalRuleTemplateAssociation(
            self,
            "association",
            approval_rule_template_name=template.name,
            repository_name=project.source.repository,
        )


def approver(project: Project) -> str:
    """The role as which reviews are approved."""
    return _home(project).role(project.resource_name(APPROVING))


def repository(project: Project) -> str:
    """The ARN of the repository on CodeCommit."""
    return _home(project).of("codecommit", project.source.repository)


def manage_approval(project: Project) -> list[policies.Statement]:
    """What UpdatePipeline needs to change the rule, beside the role.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
    """
    associate = ("AssociateApprovalRuleTemplateWithRepository", "DisassociateApprovalRuleTemplateFromRepository")
    manage = (
        "CreateApprovalRuleTemplate",
        "DeleteApprovalRuleTemplate",
        "GetApprovalRuleTemplate",
        "ListRepositoriesForApprovalRuleTemplate",
        "UpdateApprovalRuleTemplateContent",
        "UpdateApprovalRuleTemplateDescription",
        "UpdateApprovalRuleTemplateName",
    )
    return [
        policies.allow([f"codecommit:{action}" for action in associate], [repository(project)]),
        policies.allow_anywhere(
            [f"codecommit:{action}" for action in manage], because="templates of approval rules are no resources"
        ),
    ]


def _home(project: Project) -> Arns:
    return Arns(project.partition, project.account, project.region)
