"""Definitions, checked as AWS checks them; what the rehearsal cannot execute is refused by name."""

import json
from collections.abc import Iterator
from typing import Any

from rehearsal.codepipeline.catalog import ACTION_TYPES, CONDITION_RESULTS
from rehearsal.codepipeline.condition_checks import check_conditions
from rehearsal.codepipeline.faults import action_fault, stage_fault, structure
from rehearsal.codepipeline.model import Declaration
from rehearsal.codepipeline.variables import VALUE_LIMIT

RESERVED_NAMESPACES = frozenset({"codepipeline", "variables"})


def checked(definition: Declaration, region: str) -> Declaration:
    """Return ``definition`` with the API's defaults filled in.

    Raises ``ServiceError`` as https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html has
    it, for the rules of https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
    """
    filled = _with_defaults(definition)
    _check_pipeline(filled, region)
    _check_stages(filled["stages"])
    for stage in filled["stages"]:
        for action in stage["actions"]:
            _check_action(action, region)
        check_conditions(stage)
    _check_artifacts(filled["stages"])
    return filled


def actions_of(definition: Declaration) -> Iterator[tuple[str, Declaration]]:
    """Yield every action with its stage's name."""
    for stage in definition["stages"]:
        for action in stage["actions"]:
            yield stage["name"], action


def source_actions(definition: Declaration) -> list[Declaration]:
    """Return the source actions."""
    return [action for _, action in actions_of(definition) if action["actionTypeId"]["category"] == "Source"]


def _with_defaults(definition: Declaration) -> Declaration:
    copy: Declaration = json.loads(json.dumps(definition))
    copy.setdefault("pipelineType", "V1")
    copy.setdefault("executionMode", "SUPERSEDED")
    for _, action in actions_of(copy):
        action.setdefault("runOrder", 1)
        for key, empty in (("configuration", dict), ("inputArtifacts", list), ("outputArtifacts", list)):
            action.setdefault(key, empty())
    return copy


def _check_pipeline(definition: Declaration, region: str) -> None:
    stores = [key for key in ("artifactStore", "artifactStores") if definition.get(key)]
    if len(stores) != 1:
        raise structure("Specify exactly one of artifactStore and artifactStores")
    if stores == ["artifactStores"] and region not in definition["artifactStores"]:
        raise structure(f"artifactStores has no store for the pipeline's own region, {region}")
    if definition["pipelineType"] == "V1":
        newer = [key for key in ("variables", "triggers") if definition.get(key)]
        newer += ["executionMode"] * (definition["executionMode"] != "SUPERSEDED")
        stages = definition["stages"]
        newer += sorted({key for stage in stages for key in CONDITION_RESULTS if stage.get(key)})
        if newer:
            raise structure(f"Pipelines of type V1 have no {', '.join(newer)}; make it pipelineType V2")
    _unique("variable", [variable["name"] for variable in definition.get("variables", [])], structure)
    for trigger in definition.get("triggers", []):
        _check_trigger(trigger["gitConfiguration"], definition)


def _check_trigger(git: Declaration, definition: Declaration) -> None:
    name = git["sourceActionName"]
    sources = {action["name"]: action["actionTypeId"]["provider"] for action in source_actions(definition)}
    if sources.get(name) != "CodeStarSourceConnection":
        raise structure(f"The trigger's source action {name!r} is no CodeStarSourceConnection action of this pipeline")
    if git.get("pullRequest"):
        raise structure("the rehearsal does not emulate pull request triggers: its repositories have no pull requests")
    if any(push.get("tags") for push in git.get("push", [])):
        raise structure("the rehearsal does not emulate tag filters of triggers")


def _check_stages(stages: list[Declaration]) -> None:
    if not 2 <= len(stages) <= 50:
        raise structure(f"Pipeline has {len(stages)} stage(s). There should be a minimum of 2 stages and at most 50")
    _unique("stage", [stage["name"] for stage in stages], stage_fault)
    for number, stage in enumerate(stages):
        if not 1 <= len(stage["actions"]) <= 50:
            raise stage_fault(f"Stage {stage['name']} has {len(stage['actions'])} actions, 1 to 50 are possible")
        _unique(f"action in stage {stage['name']}", [action["name"] for action in stage["actions"]], action_fault)
        for action in stage["actions"]:
            if (action["actionTypeId"]["category"] == "Source") != (number == 0):
                rule = "only contain source actions" if number == 0 else "not contain source actions"
                raise structure(f"Stage {stage['name']}, number {number + 1} of the pipeline, should {rule}")
    named = [action["namespace"] for stage in stages for action in stage["actions"] if action.get("namespace")]
    _unique("namespace", named, action_fault)
    if taken := RESERVED_NAMESPACES.intersection(named):
        raise action_fault(f"Namespace {min(taken)} is reserved")


def _check_action(action: Declaration, region: str) -> None:
    name, kind = action["name"], action["actionTypeId"]
    known = ACTION_TYPES.get((kind["category"], kind["owner"], kind["provider"]))
    if known is None or kind["version"] != "1":
        provider = f"{kind['category']}/{kind['owner']}/{kind['provider']}/{kind['version']}"
        raise action_fault(f"action {name}: the rehearsal does not emulate action type {provider}")
    if action.get("region", region) != region:
        raise action_fault(f"action {name}: the rehearsal does not emulate actions in another region")
    if action.get("commands") or action.get("outputVariables") or action.get("environmentVariables"):
        raise action_fault(
            f"Action {name}: commands, outputVariables and environmentVariables are for Commands actions"
        )
    for side, possible in (("input", known.inputs), ("output", known.outputs)):
        count = len(action[f"{side}Artifacts"])
        if count not in possible:
            bounds = f"{possible.start} to {possible.stop - 1}"
            raise action_fault(f"Action {name} has {count} {side} artifacts, {bounds} are possible")
    if missing := known.required - set(action["configuration"]):
        raise action_fault(
            f"Action configuration for action '{name}' is missing required configuration '{min(missing)}'"
        )
    if unknown := set(action["configuration"]) - known.required - known.optional:
        raise action_fault(f"Action configuration for action '{name}' contains unknown configuration '{min(unknown)}'")
    for key, value in action["configuration"].items():
        _check_value(name, key, value, known.refused.get(key, {}))
    _check_build(action)


def _check_value(name: str, key: str, value: str, refused: dict[str, str]) -> None:
    if len(value) > VALUE_LIMIT:
        raise action_fault(f"Action {name}: {key} has {len(value):,} characters, at most {VALUE_LIMIT:,} fit")
    if reason := refused.get(value.lower(), refused.get(value, refused.get("*", ""))):
        raise action_fault(f"action {name}: the rehearsal does not emulate {reason} ({key}={value})")


def _check_build(action: Declaration) -> None:
    configuration, inputs = action["configuration"], [each["name"] for each in action["inputArtifacts"]]
    if action["actionTypeId"]["provider"] != "CodeBuild":
        return
    if len(inputs) > 1 and configuration.get("PrimarySource") not in inputs:
        raise action_fault(
            f"Action {action['name']} has several input artifacts, so its PrimarySource must be one of them"
        )
    try:
        variables = json.loads(configuration.get("EnvironmentVariables", "[]"))
        ok = all({"name", "value"} <= set(each) <= {"name", "value", "type"} for each in variables)
    except (ValueError, TypeError):
        ok = False
    if not ok:
        shape = 'a JSON list of {"name": ..., "value": ..., "type": ...}'
        raise action_fault(f"Action {action['name']}: EnvironmentVariables is not {shape}")


def _check_artifacts(stages: list[Declaration]) -> None:
    made: dict[str, tuple[int, int]] = {}
    for number, stage in enumerate(stages):
        for action in sorted(stage["actions"], key=lambda each: int(each["runOrder"])):
            place = (number, int(action["runOrder"]))
            for artifact in (each["name"] for each in action["inputArtifacts"]):
                if artifact not in made or made[artifact] >= place:
                    raise structure(
                        f"Input artifact {artifact} of action {action['name']} is no earlier action's output"
                    )
            for artifact in (each["name"] for each in action["outputArtifacts"]):
                if artifact in made:
                    raise structure(f"Output artifact {artifact} is declared more than once")
                made[artifact] = place


def _unique(what: str, names: list[str], fault: Any) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise fault(f"Name of {what} is not unique: {repeated[0]}")
