"""What a function needs for its model: permissions, and the variables that name it."""

import re

from stacks import policies
from stacks.project import Model

# The regions of an inference profile begin its id; the rest is the id of the model that it leads to.
# https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
PROFILE = re.compile(r"(?:apac|au|ca|eu|global|jp|us|us-gov)\.(.+)")


def ask(model: Model, *, partition: str, region: str, account: str) -> list[policies.Statement]:
    """Ask ``model``, under its guardrail if it has one.

    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    home, own = model.region or region, f"arn:{partition}:bedrock:{model.region or region}:{account}"
    if profile := PROFILE.fullmatch(model.id):
        models = [f"{own}:inference-profile/{model.id}", f"arn:{partition}:bedrock:*::foundation-model/{profile[1]}"]
    else:
        models = [f"arn:{partition}:bedrock:{home}::foundation-model/{model.id}"]
    statements = [policies.allow(["bedrock:InvokeModel"], models)]
    if model.guardrail_id:
        statements.append(policies.allow(["bedrock:ApplyGuardrail"], [f"{own}:guardrail/{model.guardrail_id}"]))
    return statements


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
