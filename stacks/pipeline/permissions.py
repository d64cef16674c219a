"""What planning may read and applying may change: one environment's chatbot, and nothing else."""

from dataclasses import dataclass

from stacks import policies
from stacks.base import state_key
from stacks.chatbot.stack import stack_id
from stacks.pipeline.arns import Arns
from stacks.project import Environment, Project

DEPLOYED, DRIFT = "deployed.zip", "drift.json"
"""Files that delivery keeps beside a state."""


@dataclass(frozen=True)
class ChatbotPermissions:
    """The statements for planning and for applying ``environment``'s stack, in its own account."""

    project: Project
    environment: Environment

    @property
    def _arns(self) -> Arns:
        region = self.project.region_of(self.environment)
        return Arns(self.project.partition, self.project.account_of(self.environment), region)

    def _name(self, part: str) -> str:
        return self.project.resource_name(part, self.environment)

    def read(self) -> list[policies.Statement]:
        """Describe the chatbot's resources; no statement reads what they store."""
        arns = self._arns
        return [
            policies.allow(
                [
                    "dynamodb:DescribeContinuousBackups",
                    "dynamodb:DescribeTable",
                    "dynamodb:DescribeTimeToLive",
                    "dynamodb:ListTagsOfResource",
                ],
                [arns.of("dynamodb", f"table/{self._name('conversations')}")],
            ),
            policies.allow(
                [
                    "lambda:GetAlias",
                    "lambda:GetFunction",
                    "lambda:GetFunctionCodeSigningConfig",
                    "lambda:GetFunctionConfiguration",
                    "lambda:GetPolicy",
                    "lambda:ListTags",
                    "lambda:ListVersionsByFunction",
                ],
                self._functions(arns),
            ),
            policies.allow(
                ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
                [arns.role(self._name("chatbot"))],
            ),
            policies.allow(
                ["apigateway:GET"], [arns.apis("/restapis"), arns.apis("/restapis/*"), arns.apis("/tags/*")]
            ),
            policies.allow(
                ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"],
                [arns.of("cloudwatch", f"alarm:{self._name('*')}")],
            ),
            policies.allow(["cloudwatch:GetDashboard"], [arns.dashboard(self._name("chatbot"))]),
            policies.allow(["logs:ListTagsForResource"], [arns.of("logs", f"log-group:{self._log_group()}*")]),
            policies.allow_anywhere(
                ["logs:DescribeLogGroups"], because="DescribeLogGroups filters by prefix, and takes no resource"
            ),
        ]

    def write(self) -> list[policies.Statement]:
        """Create, change and destroy the chatbot's resources."""
        arns = self._arns
        role = arns.role(self._name("chatbot"))
        return [
            *self.read(),
            policies.allow(
                [
                    "dynamodb:CreateTable",
                    "dynamodb:DeleteTable",
                    "dynamodb:TagResource",
                    "dynamodb:UntagResource",
                    "dynamodb:UpdateContinuousBackups",
                    "dynamodb:UpdateTable",
                    "dynamodb:UpdateTimeToLive",
                ],
                [arns.of("dynamodb", f"table/{self._name('conversations')}")],
            ),
            policies.allow(
                [
                    "lambda:AddPermission",
                    "lambda:CreateAlias",
                    "lambda:CreateFunction",
                    "lambda:DeleteAlias",
                    "lambda:DeleteFunction",
                    "lambda:PublishVersion",
                    "lambda:RemovePermission",
                    "lambda:TagResource",
                    "lambda:UntagResource",
                    "lambda:UpdateAlias",
                    "lambda:UpdateFunctionCode",
                    "lambda:UpdateFunctionConfiguration",
                ],
                self._functions(arns),
            ),
            policies.allow(
                [
                    "iam:CreateRole",
                    "iam:DeleteRole",
                    "iam:DeleteRolePolicy",
                    "iam:ListInstanceProfilesForRole",
                    "iam:PutRolePolicy",
                    "iam:TagRole",
                    "iam:UntagRole",
                    "iam:UpdateAssumeRolePolicy",
                ],
                [role],
            ),
            policies.pass_role(role, "lambda.amazonaws.com"),
            policies.allow(
                ["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"],
                [arns.apis("/restapis"), arns.apis("/restapis/*"), arns.apis("/tags/*")],
            ),
            policies.allow(
                [
                    "cloudwatch:DeleteAlarms",
                    "cloudwatch:PutMetricAlarm",
                    "cloudwatch:TagResource",
                    "cloudwatch:UntagResource",
                ],
                [arns.of("cloudwatch", f"alarm:{self._name('*')}")],
            ),
            policies.allow(
                ["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"], [arns.dashboard(self._name("chatbot"))]
            ),
            policies.allow(
                [
                    "logs:CreateLogGroup",
                    "logs:DeleteLogGroup",
                    "logs:PutRetentionPolicy",
                    "logs:TagResource",
                    "logs:UntagResource",
                ],
                [arns.of("logs", f"log-group:{self._log_group()}*")],
            ),
        ]

    def _functions(self, arns: Arns) -> list[str]:
        function = arns.of("lambda", f"function:{self._name('chatbot')}")
        return [function, f"{function}:*"]

    def _log_group(self) -> str:
        return f"/aws/lambda/{self._name('chatbot')}"


@dataclass(frozen=True)
class StatePermissions:
    """The statements for one stack's state and its plans' records, which stay in the project's own account."""

    project: Project
    stack: str

    @classmethod
    def of(cls, project: Project, environment: Environment) -> "StatePermissions":
        """The state of ``environment``'s chatbot."""
        return cls(project, stack_id(environment))

    @property
    def _bucket(self) -> str:
        return self.project.bucket_name("state")

    @property
    def _arns(self) -> Arns:
        return Arns(self.project.partition, self.project.account, self.project.region)

    def read(self) -> list[policies.Statement]:
        """Read the state under its lock."""
        return [*policies.read_state(self._arns.bucket(self._bucket), state_key(self.stack)), self._lock()]

    @property
    def _beside(self) -> str:
        """Where files are kept beside the state."""
        return f"{self._arns.bucket(self._bucket)}/{state_key(self.stack).rpartition('/')[0]}"

    def keep_release(self) -> policies.Statement:
        """Keep what was applied, for drift to be found by."""
        return policies.allow(["s3:PutObject"], [f"{self._beside}/{DEPLOYED}"])

    def watch(self) -> list[policies.Statement]:
        """Read what was applied, and keep what was told of its drift."""
        return [
            policies.allow(["s3:GetObject"], [f"{self._beside}/{DEPLOYED}"]),
            policies.allow(["s3:GetObject", "s3:PutObject"], [f"{self._beside}/{DRIFT}"]),
        ]

    def look(self) -> list[policies.Statement]:
        """Read the state, or states, without a lock."""
        reading = policies.read_state(self._arns.bucket(self._bucket), state_key(self.stack))
        return [*reading, policies.read_digest(self._locks, self._bucket, state_key(self.stack))]

    def write(self) -> list[policies.Statement]:
        """Write the state under its lock."""
        return [*policies.write_state(self._arns.bucket(self._bucket), state_key(self.stack)), self._lock()]

    def enter(self, environment: Environment) -> policies.Statement:
        """Enter the environment's plans into the ledger."""
        return policies.enter_plan(self._ledger, environment.name)

    def settle(self, environment: Environment) -> list[policies.Statement]:
        """Take the environment's plans, write what became of them, and ask the pipeline who approved them."""
        asked = ["codepipeline:GetPipelineState", "codepipeline:ListActionExecutions"]
        pipeline = self._arns.of("codepipeline", self.project.name)
        return [*policies.settle_plan(self._ledger, environment.name), policies.allow(asked, [pipeline])]

    @property
    def _ledger(self) -> str:
        return self._arns.of("dynamodb", f"table/{self.project.resource_name('ledger')}")

    @property
    def _locks(self) -> str:
        return self._arns.of("dynamodb", f"table/{self.project.resource_name('locks')}")

    def _lock(self) -> policies.Statement:
        return policies.lock_state(self._locks, self._bucket, state_key(self.stack))
