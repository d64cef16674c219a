"""AccessStack: the roles in another account, as which the pipeline plans and applies an environment there."""

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from stacks import policies
from stacks.base import BaseStack
from stacks.pipeline.arns import Arns
from stacks.pipeline.drift import PART as DRIFTING
from stacks.pipeline.drift import trail
from stacks.pipeline.permissions import ChatbotPermissions
from stacks.pipeline.pull_requests import PLANNING
from stacks.project import Environment, Project


class AccessStack(BaseStack):
    """Two roles that only the pipeline's own plan and apply roles can assume; applied once, by a person."""

    def __init__(self, scope: Construct, *, project: Project, environment: Environment) -> None:
        super().__init__(scope, f"access-{environment.name}", project=project, environment=environment)
        chatbot = ChatbotPermissions(project, environment)
        for part, statements in (("plan", [*chatbot.read(), trail()]), ("apply", chatbot.write())):
            name = self.name_of(part)
            home = Arns(project.partition, project.account, project.region)
            trusted = policies.trust_roles(*map(home.role, [name, *(self._readers() if part == "plan" else [])]))
            role = IamRole(self, part, name=name, assume_role_policy=trusted)
            IamRolePolicy(self, f"{part}_policy", name=part, role=role.id, policy=policies.document(*statements))

    def _readers(self) -> list[str]:
        """The roles at home that read this environment as its plan does."""
        project, environment = self.project, self.environment
        watching = environment is not None and environment.looks_for_drift
        return [
            *([project.resource_name(PLANNING)] if project.review else []),
            *([project.resource_name(DRIFTING, environment)] if watching else []),
        ]
