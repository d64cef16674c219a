"""What a function needs for its model: permissions, and the variables that name it."""

import re

from stacks import policies
from stacks.project import Model

# An inference profile's id names where it leads, then the model: a country or a continent, or anywhere (global).
# https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
PROFILE = re.compile(r"(?:[a-z]{2}|apac|global|us-gov)\.(.+)")


def ask(model: Model, *, partition: str, region: str, account: str) -> list[policies.Statement]:
    """Ask ``model``, under its guardrail if it has one.

    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html and
    https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions.html
    """
    home = model.region or region
    own = f"arn:{partition}:bedrock:{home}:{account}"
    profile = PROFILE.fullmatch(model.id)
    statements = (
        _ask_through_profile(f"{own}:inference-profile/{model.id}", partition, profile[1])
        if profile
        else [policies.allow(["bedrock:InvokeModel"], [f"arn:{partition}:bedrock:{home}::foundation-model/{model.id}"])]
    )
    if model.guardrail_id:
        statements.append(policies.allow(["bedrock:ApplyGuardrail"], [f"{own}:guardrail/{model.guardrail_id}"]))
    return statements


def _ask_through_profile(profile: str, partition: str, model_id: str) -> list[policies.Statement]:
    """Ask a model through one inference profile, and in no other way.

    The profile decides about the regions, AWS about the profile's, and a global one's ARNs name none at all: any is
    allowed here, which the condition makes no wider than the profile.
    """
    anywhere = f"arn:{partition}:bedrock:*::foundation-model/{model_id}"
    through = {"StringEquals": {"bedrock:InferenceProfileArn": profile}}
    return [
        policies.allow(["bedrock:InvokeModel"], [profile]),
        policies.allow(["bedrock:InvokeModel"], [anywhere], through),
    ]


def variables(model: Model | None) -> dict[str, str]:
    """What ``chatbot.settings`` reads of a model."""
    if model is None:
        return {"RESPONDER": "knowledge"}
    found = {
        "RESPONDER": "bedrock",
        "MODEL_ID": model.id,
        "MODEL_REGION": model.region,
        "GUARDRAIL_ID": model.guardrail_id,
        "GUARDRAIL_VERSION": model.guardrail_version,
        "CONTEXT_TOKENS": str(model.context_tokens),
        "REPLY_TOKENS": str(model.reply_tokens),
        "LINK_HOSTS": " ".join(model.link_hosts),
        "DAILY_TOKENS": str(model.daily_tokens),
    }
    return {name: value for name, value in found.items() if value}
