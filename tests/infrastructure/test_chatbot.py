"""One environment's chatbot: what its settings come to, and that its parts agree with one another."""

import json
import re
from typing import Any, cast

import jsonschema
import pytest

from chatbot.errors import Problem, ProblemError
from chatbot.reservations import LEASE
from stacks.chatbot.model import ask
from stacks.chatbot.openapi import with_integration
from stacks.project import Environment, Model, Project, Provider, Source
from tests.infrastructure.synthesis import ROOT, Stack, synthesize

SITES = ("https://www.example.com", "https://shop.example.com:8443")
PROJECT = Project(
    name="acme",
    bot_name="Acme",
    account="111122223333",
    region="eu-west-1",
    source=Source(provider=Provider.CODECOMMIT, repository="bot"),
    environments=(
        Environment(name="plain"),
        Environment(
            name="rich",
            model=Model(
                id="eu.some.model-v1:0",
                region="eu-central-1",
                daily_tokens=1_000_000,
                guardrail_id="abc123",
                guardrail_version="3",
                link_hosts=("www.example.com", "docs.example.com"),
            ),
            backup_days=7,
            log_content=True,
            messages_per_minute=10,
            requests_per_second=5,
            burst=6,
            allowed_origins=SITES,
            alarm_topics=("arn:aws:sns:eu-west-1:111122223333:on-call",),
        ),
    ),
)


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    """A team's project with an environment that has everything, and one that has nothing."""
    found = synthesize(PROJECT, tmp_path_factory.mktemp("chatbots"))
    return {name: found[f"chatbot-{name}"] for name in ("plain", "rich")}


def one(stack: Stack, kind: str) -> dict[str, Any]:
    """The only resource of a Terraform type."""
    (found,) = stack["resource"][kind].values()
    return dict(found)


def variables(stack: Stack) -> dict[str, str]:
    return dict(one(stack, "aws_lambda_function")["environment"]["variables"])


def document(stack: Stack) -> dict[str, Any]:
    return dict(json.loads(one(stack, "aws_api_gateway_rest_api")["body"]))


def test_a_function_gets_what_it_reads_and_nothing_else(stacks: dict[str, Stack]) -> None:
    """All of it where everything is set; without a model, without other sites, no variable that means nothing."""
    source = (ROOT / "lambda" / "chatbot" / "settings.py").read_text()
    read = set(re.findall(r'"([A-Z][A-Z_]+)"', source))
    own = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
    rich, plain = variables(stacks["rich"]), variables(stacks["plain"])

    assert set(rich) == read | own | {"MODEL_REGION"}
    assert {name for name in rich if name not in plain} == {
        *("MODEL_ID", "MODEL_REGION", "GUARDRAIL_ID", "GUARDRAIL_VERSION", "CONTEXT_TOKENS", "REPLY_TOKENS"),
        *("LINK_HOSTS", "DAILY_TOKENS", "ALLOWED_ORIGINS", "LOG_CONTENT"),
    }
    assert (rich["RESPONDER"], plain["RESPONDER"]) == ("bedrock", "knowledge")
    assert rich["ALLOWED_ORIGINS"].split() == list(SITES)


@pytest.mark.parametrize("name", ["plain", "rich"])
def test_the_function_understands_its_variables(stacks: dict[str, Stack], name: str) -> None:
    """What the stack writes, the function reads: no name, unit or format differs."""
    from chatbot.settings import Settings

    settings = Settings.from_environment(variables(stacks[name]))
    environment = next(each for each in PROJECT.environments if each.name == name)

    assert settings.messages_per_minute == environment.messages_per_minute
    assert settings.backup_days == environment.backup_days
    assert settings.allowed_origins == environment.allowed_origins
    assert settings.log_content == environment.log_content
    assert (settings.model is None) == (environment.model is None)


def test_a_reply_may_need_what_the_settings_say(stacks: dict[str, Stack]) -> None:
    """The cap of a day is checked against the very number that is reserved for a reply."""
    from chatbot.converse import Model as Asked
    from chatbot.settings import Settings

    (model,) = (each.model for each in PROJECT.environments if each.model)
    settings = Settings.from_environment(variables(stacks["rich"])).model
    assert settings

    assert Asked(None, settings).most_tokens == model.most_tokens
    assert (settings.region, settings.link_hosts) == (model.region, model.link_hosts)
    assert (settings.guardrail_id, settings.guardrail_version) == (model.guardrail_id, model.guardrail_version)


def test_the_function_ends_before_its_keys_fall_free(stacks: dict[str, Stack]) -> None:
    """Otherwise two requests could make the same turn; and before API Gateway gives up, at 29 seconds."""
    timeout = one(stacks["rich"], "aws_lambda_function")["timeout"]

    assert timeout < LEASE.total_seconds()
    assert timeout < 29


def test_the_index_is_sparse_and_repeats_nothing(stacks: dict[str, Stack]) -> None:
    """Only turns with the attribute are in it, and of those only the keys."""
    (index,) = one(stacks["plain"], "aws_dynamodb_table")["global_secondary_index"]

    assert index == {
        "name": "review",
        "hash_key": "review",
        "range_key": "created_at",
        "projection_type": "KEYS_ONLY",
    }


def test_backups_reach_back_as_far_as_the_settings_say(stacks: dict[str, Stack]) -> None:
    """The function tells whoever deletes a conversation the same number."""
    days = {
        name: one(stack, "aws_dynamodb_table")["point_in_time_recovery"]["recovery_period_in_days"]
        for name, stack in stacks.items()
    }

    assert days == {"plain": 35, "rich": 7}
    assert {name: int(variables(stack)["BACKUP_DAYS"]) for name, stack in stacks.items()} == days


def statements(stack: Stack) -> list[dict[str, Any]]:
    return list(json.loads(one(stack, "aws_iam_role_policy")["policy"])["Statement"])


def test_only_a_function_with_a_model_may_ask_one(stacks: dict[str, Stack]) -> None:
    """Its own model, through its own inference profile and in no other way, under its own guardrail."""
    asking = [
        each for each in statements(stacks["rich"]) if any(action.startswith("bedrock:") for action in each["Action"])
    ]
    profile = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.some.model-v1:0"

    assert asking == [
        {"Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": [profile]},
        {
            "Effect": "Allow",
            "Action": ["bedrock:InvokeModel"],
            "Resource": ["arn:aws:bedrock:*::foundation-model/some.model-v1:0"],
            "Condition": {"StringEquals": {"bedrock:InferenceProfileArn": profile}},
        },
        {
            "Effect": "Allow",
            "Action": ["bedrock:ApplyGuardrail"],
            "Resource": ["arn:aws:bedrock:eu-central-1:111122223333:guardrail/abc123"],
        },
    ]
    assert "bedrock" not in json.dumps(statements(stacks["plain"]))


@pytest.mark.parametrize(
    ("model_id", "resources"),
    [
        ("amazon.nova-lite-v1:0", ["arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"]),
        ("zai.glm-4.6", ["arn:aws:bedrock:eu-west-1::foundation-model/zai.glm-4.6"]),
        (
            "global.amazon.nova-2-lite-v1:0",
            [
                "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/global.amazon.nova-2-lite-v1:0",
                # The asterisk stands for no region, too, which is how the models of a global profile are named.
                "arn:aws:bedrock:*::foundation-model/amazon.nova-2-lite-v1:0",
            ],
        ),
        (
            "us-gov.some.model-v1:0",
            [
                "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/us-gov.some.model-v1:0",
                "arn:aws:bedrock:*::foundation-model/some.model-v1:0",
            ],
        ),
    ],
)
def test_a_model_is_told_from_an_inference_profile(model_id: str, resources: list[str]) -> None:
    """The one is asked in its region; the other leads to its model wherever AWS has it."""
    allowed = ask(
        Model(id=model_id, daily_tokens=1_000_000), partition="aws", region="eu-west-1", account="111122223333"
    )

    assert [resource for statement in allowed for resource in cast(list[str], statement["Resource"])] == resources


def test_the_function_cannot_read_the_index_or_list_the_table(stacks: dict[str, Stack]) -> None:
    """It reaches a conversation by its id alone; what went wrong is for the operators."""
    allowed = {
        action: statement["Resource"]
        for statement in statements(stacks["plain"])
        for action in statement["Action"]
        if action.startswith("dynamodb:")
    }

    assert "dynamodb:Scan" not in allowed
    assert not [resource for resources in allowed.values() for resource in resources if "index" in resource]


def test_each_environment_has_its_own_throttling(stacks: dict[str, Stack]) -> None:
    """Requests a second, and at once."""
    settings = {name: one(stack, "aws_api_gateway_method_settings")["settings"] for name, stack in stacks.items()}

    assert (settings["rich"]["throttling_rate_limit"], settings["rich"]["throttling_burst_limit"]) == (5, 6)
    assert settings["plain"]["throttling_rate_limit"] == 50


def test_every_request_is_validated_at_the_gateway(stacks: dict[str, Stack]) -> None:
    """Bodies and parameters, by the document that the function's own types have written."""
    found = document(stacks["plain"])
    validator = found["x-amazon-apigateway-request-validators"][found["x-amazon-apigateway-request-validator"]]

    assert validator == {"validateRequestBody": True, "validateRequestParameters": True}
    send = found["paths"]["/v1/conversations/{conversation_id}/messages"]["post"]
    assert send["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/MessageRequest")


def test_nothing_is_imported_that_api_gateway_refuses() -> None:
    """What it does not know is taken out; a member that happens to have such a name is not."""
    schema = {"type": "object", "properties": {"servers": {"type": "string", "nullable": True}}}
    given = {
        "servers": [{"url": ".."}],
        "paths": {"/": {"get": {"security": [{"token": []}], "responses": {}}}},
        "components": {"schemas": {"Server": schema}, "securitySchemes": {"token": {}}},
    }

    found = with_integration(given, uri="arn")

    assert "servers" not in found
    assert "security" not in found["paths"]["/"]["get"]
    assert found["components"] == {
        "schemas": {"Server": {"type": "object", "properties": {"servers": {"type": "string"}}}}
    }


def test_other_sites_can_ask_first_only_where_there_are_some(stacks: dict[str, Stack]) -> None:
    """Every path then has OPTIONS, with the parameters of the path; without sites no path has."""
    for path, item in document(stacks["rich"])["paths"].items():
        assert "x-amazon-apigateway-integration" in item["options"]
        assert [each["name"] for each in item["options"]["parameters"]] == re.findall(r"{(\w+)}", path)
    assert not any("options" in item for item in document(stacks["plain"])["paths"].values())


def test_every_path_hands_any_other_method_to_the_function(stacks: dict[str, Stack]) -> None:
    """Which says what the path allows: API Gateway by itself would say that there is nothing."""
    for path, item in document(stacks["plain"])["paths"].items():
        others = item["x-amazon-apigateway-any-method"]
        assert others["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
        assert [each["name"] for each in others["parameters"]] == re.findall(r"{(\w+)}", path)


def refusal(stack: Stack, kind: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The headers and the problem that a gateway response would have."""
    found = document(stack)["x-amazon-apigateway-gateway-responses"][kind]
    headers = {
        name.removeprefix("gatewayresponse.header."): value.strip("'")
        for name, value in found["responseParameters"].items()
    }
    template = found["responseTemplates"]["application/json"]
    known = {
        "$context.status": found.get("statusCode", "400"),
        "$context.error.messageString": '"said \\"so\\""',
        "$context.requestId": "5f0c2f6e-2b1c-4e8d-9a3b-0d6f4c1e7a90",
    }
    for name, value in known.items():
        template = template.replace(name, value)
    assert "$" not in template
    problem = json.loads(template)
    # The form of the function's own, to the last blank.
    assert template == json.dumps(problem, separators=(",", ":"))
    assert list(problem) == list(ProblemError(Problem.NOT_FOUND).document(request_id=""))
    return headers, problem


def test_the_gateways_own_refusals_are_problems_of_the_contract(stacks: dict[str, Stack]) -> None:
    """Each has the document's form, a code that the contract knows, its title and its status."""
    plain = document(stacks["plain"])
    schema = {"$ref": "#/components/schemas/Problem", "components": plain["components"]}
    kinds = {problem.code: problem.value for problem in Problem}
    for kind, response in plain["x-amazon-apigateway-gateway-responses"].items():
        headers, problem = refusal(stacks["plain"], kind)
        assert headers["Content-Type"] == "application/problem+json"
        jsonschema.validate(problem, schema)
        assert problem["title"] == kinds[problem["code"]].title
        if "statusCode" in response:
            assert problem["status"] == int(response["statusCode"]) == kinds[problem["code"]].status
    assert refusal(stacks["plain"], "BAD_REQUEST_BODY")[1]["code"] == "invalid_request"
    assert refusal(stacks["plain"], "THROTTLED")[0]["Retry-After"] == "1"


def test_the_gateways_own_refusals_can_be_read_by_the_pages_of_other_sites(stacks: dict[str, Stack]) -> None:
    """Where there are such sites, and only there."""
    assert refusal(stacks["rich"], "THROTTLED")[0]["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in refusal(stacks["plain"], "THROTTLED")[0]


def alarms(stack: Stack) -> dict[str, Any]:
    return {each["alarm_name"]: each for each in stack["resource"]["aws_cloudwatch_metric_alarm"].values()}


def test_alarms_watch_what_can_go_wrong(stacks: dict[str, Stack]) -> None:
    """Errors, slowness and throttles everywhere; fallbacks and spent tokens where a model answers."""
    plain, rich = alarms(stacks["plain"]), alarms(stacks["rich"])

    assert set(plain) == {f"acme-plain-{part}" for part in ("errors", "faults", "latency", "throttles")}
    assert set(rich) == {
        f"acme-rich-{part}" for part in ("errors", "faults", "latency", "throttles", "fallback", "tokens")
    }
    assert rich["acme-rich-latency"]["extended_statistic"] == "p95"
    assert rich["acme-rich-fallback"]["statistic"] == "Average"
    assert rich["acme-rich-errors"]["alarm_actions"] == ["arn:aws:sns:eu-west-1:111122223333:on-call"]
    assert "alarm_actions" not in plain["acme-plain-errors"]


def own_metrics(stack: Stack) -> set[str]:
    """The names of the function's own metrics that alarms and the dashboard look at."""
    board = json.loads(one(stack, "aws_cloudwatch_dashboard")["dashboard_body"])
    drawn = [line for widget in board["widgets"] for line in widget["properties"]["metrics"]]
    watched = [[each["namespace"], each["metric_name"]] for each in alarms(stack).values()]
    return {line[1] for line in [*drawn, *watched] if line[0] == PROJECT.name}


def test_what_is_watched_is_what_the_function_measures(stacks: dict[str, Stack]) -> None:
    """A metric that nobody writes would stay silent for ever."""
    written = set(re.findall(r'add_metric\("(\w+)"', (ROOT / "lambda" / "chatbot" / "telemetry.py").read_text()))

    assert own_metrics(stacks["rich"]) <= written
    assert variables(stacks["rich"])["POWERTOOLS_METRICS_NAMESPACE"] == PROJECT.name


def test_each_environment_has_one_dashboard_of_its_own(stacks: dict[str, Stack]) -> None:
    """Its widgets lie beside one another, in the environment's region."""
    names = {one(stack, "aws_cloudwatch_dashboard")["dashboard_name"] for stack in stacks.values()}
    board = json.loads(one(stacks["plain"], "aws_cloudwatch_dashboard")["dashboard_body"])
    places = [(widget["x"], widget["y"]) for widget in board["widgets"]]

    assert names == {"acme-plain-chatbot", "acme-rich-chatbot"}
    assert len(set(places)) == len(places)
    assert all(widget["x"] + widget["width"] <= 24 for widget in board["widgets"])
    assert {widget["properties"]["region"] for widget in board["widgets"]} == {"eu-west-1"}
