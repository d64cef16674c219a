"""BaseStack: the provider, the tags, the remote state and the lock that no stack may forget."""

from cdktf import S3Backend, TerraformStack, TerraformVariable
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole, AwsProviderDefaultTags
from constructs import Construct

from stacks.project import Environment, Project

TERRAFORM_VERSION = ">= 1.11.4, < 2.0.0"


class BaseStack(TerraformStack):
    """A stack of ``project``, in ``environment``'s account and region where one is given."""

    def __init__(self, scope: Construct, id: str, *, project: Project, environment: Environment | None = None) -> None:
        super().__init__(scope, id)
        self.project = project
        self.environment = environment
        self.account = project.account_of(environment) if environment else project.account
        self.region = project.region_of(environment) if environment else project.region
        self.add_override("terraform.required_version", TERRAFORM_VERSION)
        self._add_provider()
        self._add_state()

    def name_of(self, part: str) -> str:
        """The physical name of ``part`` in this stack's environment."""
        return self.project.resource_name(part, self.environment)

    def _add_provider(self) -> None:
        tags = {"Project": self.project.name, "ManagedBy": "Terraform", "Stack": self.node.id}
        if self.environment:
            tags["Environment"] = self.environment.name
        AwsProvider(
            self,
            "aws",
            region=self.region,
            allowed_account_ids=[self.account],
            default_tags=[AwsProviderDefaultTags(tags=tags)],
            assume_role=self._deploy_role(),
        )

    def _deploy_role(self) -> list[AwsProviderAssumeRole] | None:
        if not (self.environment and self.project.is_remote(self.environment)):
            return None
        variable = TerraformVariable(
            self, "deploy_role_arn", type="string", description="The role to act as in this environment's account."
        )
        # An ordinary variable is frozen into the plan: what one role plans, another could not apply.
        # https://developer.hashicorp.com/terraform/language/values/variables#exclude-values-from-state
        variable.add_override("ephemeral", True)
        return [AwsProviderAssumeRole(role_arn=variable.string_value)]

    def _add_state(self) -> None:
        S3Backend(
            self,
            bucket=self.project.bucket_name("state"),
            key=state_key(self.node.id),
            region=self.project.region,
            dynamodb_table=self.project.resource_name("locks"),
        )
        # See docs/decisions/0002-path-style-state.md.
        self.add_override("terraform.backend.s3.use_path_style", True)


def state_key(stack: str) -> str:
    """The object in the state bucket that holds ``stack``'s state."""
    return f"{stack}/terraform.tfstate"
