"""CodePipeline's and CodeBuild's limits, checked at synth rather than met at deployment.

https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
"""

import re

from cdktf_cdktf_provider_aws.codepipeline import CodepipelineStage

from stacks.project import SettingsError

ACTIONS_PER_STAGE = 50
STAGES = 50
CONFIGURATION_VALUE_CHARACTERS = 1_000
BUILDSPEC_CHARACTERS = 25_600
NAME = re.compile(r"[A-Za-z0-9.@_-]{1,100}")


def check_stages(stages: list[CodepipelineStage]) -> list[CodepipelineStage]:
    """Return ``stages`` unchanged; raises `SettingsError` where CodePipeline would refuse them."""
    if len(stages) > STAGES:
        raise SettingsError(
            f"the pipeline has {len(stages)} stages; CodePipeline allows {STAGES}: use fewer environments"
        )
    for stage in stages:
        _check_stage(stage)
    return stages


def check_buildspec(name: str, text: str) -> str:
    """Return ``text`` unchanged; raises `SettingsError` where it is too long for CodeBuild."""
    if len(text) > BUILDSPEC_CHARACTERS:
        raise SettingsError(f"{name}: a buildspec of {len(text)} characters; CodeBuild allows {BUILDSPEC_CHARACTERS}")
    return text


def _check_stage(stage: CodepipelineStage) -> None:
    actions = list(stage.action)
    if len(actions) > ACTIONS_PER_STAGE:
        raise SettingsError(f"stage {stage.name}: {len(actions)} actions; CodePipeline allows {ACTIONS_PER_STAGE}")
    for name in (stage.name, *(action.name for action in actions)):
        if not NAME.fullmatch(name):
            raise SettingsError(f"stage {stage.name}: {name!r} is no name of 1 to 100 letters, digits or . @ - _")
    for action in actions:
        for key, value in (action.configuration or {}).items():
            if len(value) > CONFIGURATION_VALUE_CHARACTERS:
                raise SettingsError(
                    f"stage {stage.name}, action {action.name}: {key} has {len(value)} characters; "
                    f"CodePipeline allows {CONFIGURATION_VALUE_CHARACTERS}"
                )
