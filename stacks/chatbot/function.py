"""ChatFunction: the Lambda function behind the alias ``live``, its log group, and a role that does what it must."""

from collections.abc import Iterable

from cdktf import AssetType, TerraformAsset
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.lambda_alias import LambdaAlias
from cdktf_cdktf_provider_aws.lambda_function import LambdaFunction, LambdaFunctionEnvironment
from constructs import Construct

from stacks import policies
from stacks.chatbot import model
from stacks.chatbot.table import ConversationTable
from stacks.package import Package
from stacks.project import Environment, Project

HANDLER = "chatbot.handler.lambda_handler"
RUNTIME = "python3.13"
ARCHITECTURE = "arm64"
MEMORY_MB = 512
# A model has the time that API Gateway leaves it, 29 seconds; knowledge needs some milliseconds.
TIMEOUT_SECONDS = 28


class ChatFunction(Construct):
    """The function that answers; Terraform publishes a version and moves the alias to it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        project: Project,
        environment: Environment,
        package: Package,
        table: ConversationTable,
    ) -> None:
        super().__init__(scope, id)
        logs = CloudwatchLogGroup(
            self, "logs", name=f"/aws/lambda/{name}", retention_in_days=environment.log_retention_days
        )
        role = IamRole(self, "role", name=name, assume_role_policy=policies.trust("lambda.amazonaws.com"))
        statements = (policies.write_logs(logs.arn), table.read_and_write(), *_ask(project, environment))
        policy = IamRolePolicy(self, "policy", name="chatbot", role=role.id, policy=policies.document(*statements))
        asset = TerraformAsset(self, "package", path=str(package.zip), type=AssetType.FILE)
        self.function = LambdaFunction(
            self,
            "function",
            function_name=name,
            role=role.arn,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=HANDLER,
            filename=asset.path,
            source_code_hash=package.source_code_hash,
            publish=True,
            memory_size=MEMORY_MB,
            timeout=TIMEOUT_SECONDS,
            environment=LambdaFunctionEnvironment(variables=_variables(name, project, environment, table)),
            depends_on=[policy],
        )
        self.alias = LambdaAlias(
            self,
            "live",
            name="live",
            function_name=self.function.function_name,
            function_version=self.function.version,
        )
        self.name = self.function.function_name


def _ask(project: Project, environment: Environment) -> Iterable[policies.Statement]:
    if environment.model is None:
        return ()
    region, account = project.region_of(environment), project.account_of(environment)
    return model.ask(environment.model, partition=project.partition, region=region, account=account)


def _variables(name: str, project: Project, environment: Environment, table: ConversationTable) -> dict[str, str]:
    """Exactly what ``chatbot.settings`` reads, and what Powertools reads for itself."""
    fixed = {
        "TABLE_NAME": table.name,
        "ENVIRONMENT": environment.name,
        **project.looks.variables,
        "RETENTION_DAYS": str(environment.retention_days),
        "BACKUP_DAYS": str(environment.backup_days),
        "MESSAGES_PER_MINUTE": str(environment.messages_per_minute),
        "POWERTOOLS_METRICS_NAMESPACE": project.name,
        "POWERTOOLS_SERVICE_NAME": name,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    origins = {"ALLOWED_ORIGINS": " ".join(environment.allowed_origins)} if environment.allowed_origins else {}
    content = {"LOG_CONTENT": "true"} if environment.log_content else {}
    return fixed | model.variables(environment.model) | origins | content
