"""ChatbotStack: one environment's chatbot."""

from cdktf import TerraformOutput
from constructs import Construct

from stacks.base import BaseStack
from stacks.chatbot.alarms import ChatAlarms
from stacks.chatbot.api import ChatApi
from stacks.chatbot.dashboard import ChatDashboard
from stacks.chatbot.function import ChatFunction
from stacks.chatbot.metrics import Metrics
from stacks.chatbot.table import ConversationTable
from stacks.package import Package
from stacks.project import Environment, Project


class ChatbotStack(BaseStack):
    """The chatbot of ``environment``, answering from ``package``."""

    def __init__(self, scope: Construct, *, project: Project, environment: Environment, package: Package) -> None:
        super().__init__(scope, stack_id(environment), project=project, environment=environment)
        table = ConversationTable(self, "conversations", name=self.name_of("conversations"), environment=environment)
        function = ChatFunction(
            self,
            "function",
            name=self.name_of("chatbot"),
            project=project,
            environment=environment,
            package=package,
            table=table,
        )
        api = ChatApi(
            self, "api", name=self.name_of("api"), environment=environment, document=package.openapi, function=function
        )
        metrics = Metrics(project.name, function, api)
        ChatAlarms(self, "alarms", project=project, environment=environment, metrics=metrics)
        ChatDashboard(self, "dashboard", name=self.name_of("chatbot"), region=self.region, metrics=metrics)
        TerraformOutput(self, "url", value=api.url)
        TerraformOutput(self, "function_name", value=function.name)
        TerraformOutput(self, "table_name", value=table.name)


def stack_id(environment: Environment) -> str:
    """The id of ``environment``'s stack."""
    return f"chatbot-{environment.name}"
