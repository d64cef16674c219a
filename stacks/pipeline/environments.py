"""EnvironmentProjects: what plans, applies and verifies one environment, each under its own role."""

from collections.abc import Mapping
from typing import Any

from constructs import Construct

from stacks import policies
from stacks.chatbot.stack import stack_id
from stacks.pipeline import buildspecs
from stacks.pipeline.arns import Arns
from stacks.pipeline.artifacts import Artifacts
from stacks.pipeline.permissions import ChatbotPermissions, StatePermissions
from stacks.pipeline.projects import BuildProject
from stacks.project import Environment, Project


class EnvironmentProjects(Construct):
    """The three projects of ``environment``, whose plan is compared with that of the environment before it."""

    def __init__(
        self, scope: Construct, id: str, *, project: Project, environment: Environment, artifacts: Artifacts
    ) -> None:
        super().__init__(scope, id)
        before = environment_before(project, environment)
        self.project, self.environment = project, environment
        state, chatbot = StatePermissions.of(project, environment), ChatbotPermissions(project, environment)
        self.plan = self._project(
            "plan",
            artifacts,
            description=f"Plans {environment.name}: reads, and changes nothing.",
            buildspec=buildspecs.plan(plan_artifact(before) if before else "", reviewed=project.review is not None),
            statements=[*state.read(), state.enter(environment), *self._acting("plan", chatbot.read())],
            variables={**self._variables("plan"), "REVIEW_BUCKET": artifacts.bucket.name},
        )
        self.apply = self._project(
            "apply",
            artifacts,
            description=f"Applies the reviewed plan of {environment.name}.",
            buildspec=buildspecs.apply(plan_artifact(environment)),
            statements=[
                *state.write(),
                *state.settle(environment),
                state.keep_release(),
                *self._acting("apply", chatbot.write()),
            ],
            variables=self._variables("apply"),
            timeout_minutes=60,
        )
        self.verify = self._project(
            "verify",
            artifacts,
            description=f"Talks to the chatbot of {environment.name}; needs no permission for that.",
            buildspec=buildspecs.verify(),
            variables={"ENVIRONMENT": environment.name},
        )

    def _project(self, part: str, artifacts: Artifacts, **arguments: Any) -> BuildProject:
        name = self.project.resource_name(part, self.environment)
        return BuildProject(self, part, project=self.project, name=name, artifacts=artifacts, **arguments)

    def _acting(self, part: str, statements: list[policies.Statement]) -> list[policies.Statement]:
        """``statements`` where the environment is at home; elsewhere, the role that holds them there."""
        if not self.project.is_remote(self.environment):
            return statements
        return [policies.assume(remote_role(self.project, self.environment, part))]

    def _variables(self, part: str) -> Mapping[str, str]:
        variables = {
            "STACK": stack_id(self.environment),
            "ENVIRONMENT": self.environment.name,
            "PIPELINE_NAME": self.project.name,
        }
        if self.project.is_remote(self.environment):
            variables["TF_VAR_deploy_role_arn"] = remote_role(self.project, self.environment, part)
        return variables


def environment_before(project: Project, environment: Environment) -> Environment | None:
    """The environment that a change reaches just before ``environment``, if there is one."""
    index = project.environments.index(environment)
    return project.environments[index - 1] if index else None


def plan_artifact(environment: Environment) -> str:
    """The artifact that carries the environment's plan to its apply."""
    return f"{environment.name}_plan"


def remote_role(project: Project, environment: Environment, part: str) -> str:
    """The role in the environment's own account that ``part`` acts as; the environment's access stack makes it."""
    arns = Arns(project.partition, project.account_of(environment), project.region_of(environment))
    return arns.role(project.resource_name(part, environment))
