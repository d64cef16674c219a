"""One environment's stages as they are synthesized, lived in an emulated account, with real builds of real commands."""

import json
import shutil
import site
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key

from rehearsal.cloud import Cloud
from rehearsal.codebuild import CodeBuild
from rehearsal.codepipeline import CodePipeline
from rehearsal.connections import Connections
from rehearsal.dynamodb import DynamoDB
from rehearsal.repositories import Repositories
from stacks.project import Approval, Environment, Project, Provider, Source
from tests.infrastructure.synthesis import synthesize
from tests.rehearsal.deliveries import create_table
from tests.rehearsal.pipelines import action, git, stage
from tests.rehearsal.workshop import Offline, trust

ROOT = Path(__file__).parents[2]
REGION, REPOSITORY = "eu-central-1", "acme/bot"
ALL = Project(
    name="acme",
    bot_name="Acme",
    account="444455556666",
    region=REGION,
    source=Source(provider=Provider.GITHUB, repository=REPOSITORY),
    environments=(Environment(name="prod", approval=Approval.ON_CHANGE, destructive_approval=True),),
)
MACHINE = {
    "type": "LINUX_CONTAINER",
    "image": "aws/codebuild/standard:7.0",
    "computeType": "BUILD_GENERAL1_SMALL",
}
PATIENCE_SECONDS = 180


def called(value: str) -> str:
    """Terraform's name of an argument as the API has it."""
    first, *rest = value.split("_")
    return first + "".join(word.title() for word in rest)


def stage_of(block: dict[str, Any]) -> dict[str, Any]:
    """Return a stage of Terraform's configuration as the API has it."""
    found: dict[str, Any] = {"name": block["name"], "actions": [action_of(each) for each in block["action"]]}
    if "before_entry" in block:
        condition = block["before_entry"]["condition"]
        rules = [
            {
                "name": rule["name"],
                "ruleTypeId": rule["rule_type_id"],
                "configuration": rule["configuration"],
            }
            for rule in condition["rule"]
        ]
        found["beforeEntry"] = {"conditions": [{"result": condition["result"], "rules": rules}]}
    return found


def action_of(block: dict[str, Any]) -> dict[str, Any]:
    """Return an action of Terraform's configuration as the API has it."""
    kind = {key: block[key] for key in ("category", "owner", "provider", "version")}
    found: dict[str, Any] = {"name": block["name"], "actionTypeId": kind, "configuration": block["configuration"]}
    for key in ("input_artifacts", "output_artifacts"):
        found[called(key)] = [{"name": name} for name in block.get(key) or []]
    return found | {called(key): block[key] for key in ("run_order", "namespace", "timeout_in_minutes") if key in block}


@dataclass
class Delivery:
    """An emulated account whose pipeline delivers stack ``chatbot-prod`` as the project's own pipeline does."""

    cloud: Cloud
    checkout: Path
    repositories: Repositories
    stages: list[dict[str, Any]]
    logs: Path
    people: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def api(self) -> Any:
        """CodePipeline's client."""
        return self.cloud.client("codepipeline")

    def write(self, configuration: dict[str, Any]) -> None:
        """Synthesize the stack."""
        path = self.checkout / "cdktf.out" / "stacks" / "chatbot-prod" / "cdk.tf.json"
        path.write_text(json.dumps(configuration))

    def push(self) -> str:
        """Push what is written; return the execution that this starts."""
        before = self.executions()
        git(self.checkout, "add", "-A")
        git(self.checkout, "commit", "-q", "--allow-empty", "-m", "A change")
        git(self.checkout, "push", "-q", str(self.repositories.path(REPOSITORY)), "HEAD:refs/heads/main")
        self.until(lambda: len(self.executions()) > len(before))
        return self.executions()[0]

    def executions(self) -> list[str]:
        """Every execution, the latest first."""
        found = self.api.list_pipeline_executions(pipelineName="acme")["pipelineExecutionSummaries"]
        return [str(each["pipelineExecutionId"]) for each in found]

    def status(self, execution: str) -> str:
        """How an execution is."""
        found = self.api.get_pipeline_execution(pipelineName="acme", pipelineExecutionId=execution)
        return str(found["pipelineExecution"]["status"])

    def ends(self, execution: str) -> str:
        """Wait for the end of an execution and return its status."""
        self.until(lambda: self.status(execution) not in ("InProgress", "Stopping"))
        return self.status(execution)

    def stage(self, name: str) -> dict[str, Any]:
        """The state of a stage."""
        states = self.api.get_pipeline_state(name="acme")["stageStates"]
        return next(state for state in states if state["stageName"] == name)

    def asked(self, name: str, execution: str) -> dict[str, Any]:
        """Wait until the approval of a stage is asked for in ``execution``; return what is shown, and its token."""

        def waiting() -> bool:
            state = self.stage(name)
            inside = state.get("latestExecution", {}).get("pipelineExecutionId") == execution
            return inside and bool(state["actionStates"][0].get("latestExecution", {}).get("token"))

        self.until(lambda: waiting() or self.status(execution) in ("Failed", "Succeeded"))
        assert waiting(), self.failures(execution)
        (asked,) = (
            each for each in self.actions(execution) if each["stageName"] == name and each["status"] == "InProgress"
        )
        token = self.stage(name)["actionStates"][0]["latestExecution"]["token"]
        return asked["input"]["resolvedConfiguration"] | {"token": token}

    def answer(self, name: str, token: str, who: str, status: str, words: str) -> None:
        """Let a person answer an approval."""
        if who not in self.people:
            iam = self.cloud.client("iam")
            iam.create_user(UserName=who)
            key = iam.create_access_key(UserName=who)["AccessKey"]
            self.people[who] = {
                "aws_access_key_id": key["AccessKeyId"],
                "aws_secret_access_key": key["SecretAccessKey"],
            }
        self.cloud.client("codepipeline", **self.people[who]).put_approval_result(
            pipelineName="acme",
            stageName=name,
            actionName="Approve",
            token=token,
            result={"status": status, "summary": words},
        )

    def actions(self, execution: str) -> list[dict[str, Any]]:
        """Every action of an execution, the latest first."""
        listed = self.api.list_action_executions(pipelineName="acme", filter={"pipelineExecutionId": execution})
        return list(listed["actionExecutionDetails"])

    def variables(self, execution: str) -> dict[str, str]:
        """What the plan of an execution handed on."""
        (plan,) = (each for each in self.actions(execution) if each["actionName"] == "Plan")
        return dict(plan["output"]["outputVariables"])

    def log(self, execution: str, action_name: str) -> str:
        """What an action printed."""
        (found,) = (each for each in self.actions(execution) if each["actionName"] == action_name)
        return Path(found["output"]["executionResult"]["externalExecutionUrl"].removeprefix("file://")).read_text()

    def record(self, execution: str) -> dict[str, Any]:
        """What the ledger holds of the plan of an execution."""
        table = boto3.resource(
            "dynamodb",
            endpoint_url=self.cloud.endpoint,
            region_name=REGION,
            aws_access_key_id="rehearsal",
            aws_secret_access_key="rehearsal",
        ).Table("acme-ledger")
        items = table.query(KeyConditionExpression=Key("environment").eq("prod"))["Items"]
        (found,) = (item for item in items if item["plan"]["execution"] == execution)
        return found

    def failures(self, execution: str) -> str:
        """What went wrong in an execution, for a test that fails over it."""
        details = [each["output"]["executionResult"] for each in self.actions(execution) if each["status"] == "Failed"]
        files = [each["externalExecutionUrl"] for each in details if "externalExecutionUrl" in each]
        logs = [Path(file.removeprefix("file://")).read_text()[-3000:] for file in files]
        return "\n".join(map(str, [*details, *logs]))

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.05)


@contextmanager
def delivery(folder: Path, lock: Path) -> Iterator[Delivery]:
    """An account with a pipeline of the environment's own stages; nothing is left running."""
    synthesized = synthesize(ALL, folder / "synthesized")
    with ExitStack() as stack:
        cloud = stack.enter_context(Cloud(account=ALL.account, region=REGION))
        cloud.routes.append(DynamoDB(cloud))
        repositories = Repositories(folder / "git")
        codebuild = stack.enter_context(closing(CodeBuild(cloud, folder / "cloud", Offline())))
        # A minute of a time-out takes a fifth of a second: an approval waits for half an hour.
        codepipeline = stack.enter_context(closing(CodePipeline(cloud, codebuild, repositories, minute=0.2)))
        cloud.add([codebuild, codepipeline, *Connections().under_both_names()])
        _prepare(cloud)
        checkout = _check_out(folder / "checkout", synthesized["state"], lock)
        pipeline = synthesized["pipeline"]["resource"]
        for project in pipeline["aws_codebuild_project"].values():
            if project["name"] in ("acme-prod-plan", "acme-prod-apply"):
                _create_project(cloud, project)
        definition = json.dumps(pipeline["aws_codepipeline"]["pipeline"])
        for name, project in pipeline["aws_codebuild_project"].items():
            definition = definition.replace(f"${{aws_codebuild_project.{name}.name}}", project["name"])
        stages = [stage_of(each) for each in json.loads(definition)["stage"]]
        stages = [each for each in stages if each["name"].startswith("prod-")]
        # There is no bot to talk to.
        stages[-1]["actions"] = [each for each in stages[-1]["actions"] if each["name"] == "Apply"]
        made = Delivery(cloud, checkout, repositories, stages, folder / "cloud")
        yield made


def create_pipeline(made: Delivery) -> str:
    """Create the pipeline, once something is pushed; return its first execution."""
    connection = made.cloud.client("codeconnections").create_connection(ConnectionName="git", ProviderType="GitHub")
    configuration = {
        "ConnectionArn": connection["ConnectionArn"],
        "FullRepositoryId": REPOSITORY,
        "BranchName": "main",
    }
    source = action("Source", "Source/CodeStarSourceConnection", **configuration)
    git(made.checkout, "add", "-A")
    git(made.checkout, "commit", "-q", "-m", "Everything")
    git(made.checkout, "push", "-q", str(made.repositories.path(REPOSITORY)), "HEAD:refs/heads/main")
    made.api.create_pipeline(
        pipeline={
            "name": "acme",
            "roleArn": f"arn:aws:iam::{ALL.account}:role/pipeline",
            "artifactStore": {"type": "S3", "location": ALL.bucket_name("artifacts")},
            "pipelineType": "V2",
            "executionMode": "SUPERSEDED",
            "stages": [
                stage("Source", source | {"outputArtifacts": [{"name": "build"}], "namespace": "source"}),
                *made.stages,
            ],
        }
    )
    return made.executions()[0]


def _prepare(cloud: Cloud) -> None:
    iam, s3, dynamodb = cloud.client("iam"), cloud.client("s3"), cloud.client("dynamodb")
    iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust("codepipeline.amazonaws.com"))
    iam.create_role(RoleName="build", AssumeRolePolicyDocument=trust("codebuild.amazonaws.com"))
    for part in ("state", "artifacts"):
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=ALL.bucket_name(part), CreateBucketConfiguration=where)
    create_table(dynamodb, "acme-locks", "LockID")
    create_table(dynamodb, "acme-ledger", "environment", "plan_sha256", index="created_at")


def _create_project(cloud: Cloud, project: dict[str, Any]) -> None:
    given = {each["name"]: each["value"] for each in project["environment"]["environment_variable"]}
    values = given | ({"REVIEW_BUCKET": ALL.bucket_name("artifacts")} if "REVIEW_BUCKET" in given else {})
    variables = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in values.items()]
    cloud.client("codebuild").create_project(
        name=project["name"],
        source={"type": "CODEPIPELINE", "buildspec": project["source"]["buildspec"]},
        artifacts={"type": "CODEPIPELINE"},
        environment=MACHINE | {"environmentVariables": variables},
        serviceRole=f"arn:aws:iam::{ALL.account}:role/build",
    )


def _check_out(checkout: Path, state: dict[str, Any], lock: Path) -> Path:
    """Make what the Build stage hands on: the commands, the stacks, and what the commands import."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "delivery", checkout / "delivery", ignore=ignored)
    for name in ("state", "chatbot-prod"):
        folder = checkout / "cdktf.out" / "stacks" / name
        folder.mkdir(parents=True)
        shutil.copyfile(lock, folder / ".terraform.lock.hcl")
    (checkout / "cdktf.out" / "stacks" / "state" / "cdk.tf.json").write_text(json.dumps(state))
    (checkout / "build" / "delivery").mkdir(parents=True)
    (checkout / "build" / "release.json").write_text(json.dumps({"commit": "c0ffee", "release": "r1"}))
    # In place of the vendored packages: those of the tests.
    where = site.getsitepackages()[0]
    (checkout / "build" / "delivery" / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({where!r})\n")
    git(checkout, "init", "-q", "-b", "main")
    return checkout
