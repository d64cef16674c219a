"""What the rehearsal knows of action and rule types; whatever stands in no table here is refused by name."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ActionType:
    """One action provider: its configuration keys and how many artifacts it takes and gives.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
    """

    required: frozenset[str]
    optional: frozenset[str]
    inputs: range
    outputs: range
    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    """Configuration key to the values that the rehearsal does not emulate, with the reason."""


CODEBUILD = ActionType(
    required=frozenset({"ProjectName"}),
    optional=frozenset(
        {"PrimarySource", "BatchEnabled", "BuildspecOverride", "CombineArtifacts", "EnvironmentVariables"}
    ),
    inputs=range(1, 6),
    outputs=range(6),
    refused={
        "BatchEnabled": {"true": "batch builds"},
        "CombineArtifacts": {"true": "combined artifacts of batch builds"},
        "BuildspecOverride": {"*": "buildspec overrides"},
    },
)

ACTION_TYPES: dict[tuple[str, str, str], ActionType] = {
    ("Source", "AWS", "CodeStarSourceConnection"): ActionType(
        required=frozenset({"ConnectionArn", "FullRepositoryId", "BranchName"}),
        optional=frozenset({"OutputArtifactFormat", "DetectChanges"}),
        inputs=range(1),
        outputs=range(1, 2),
        refused={"OutputArtifactFormat": {"CODEBUILD_CLONE_REF": "full clones as source artifacts"}},
    ),
    ("Source", "AWS", "CodeCommit"): ActionType(
        required=frozenset({"RepositoryName", "BranchName"}),
        optional=frozenset({"PollForSourceChanges", "OutputArtifactFormat"}),
        inputs=range(1),
        outputs=range(1, 2),
        refused={"OutputArtifactFormat": {"CODEBUILD_CLONE_REF": "full clones as source artifacts"}},
    ),
    ("Build", "AWS", "CodeBuild"): CODEBUILD,
    ("Test", "AWS", "CodeBuild"): CODEBUILD,
    ("Approval", "AWS", "Manual"): ActionType(
        required=frozenset(),
        optional=frozenset({"NotificationArn", "CustomData", "ExternalEntityLink"}),
        inputs=range(1),
        outputs=range(1),
    ),
}

RULE_TYPES = frozenset({"VariableCheck"})
OPERATORS = frozenset({"EQ", "NE", "CONTAINS", "MATCHES"})

CONDITION_RESULTS: dict[str, dict[str, str]] = {
    "beforeEntry": {"FAIL": "", "SKIP": ""},
    "onSuccess": {"FAIL": "", "ROLLBACK": "refused"},
    "onFailure": {"FAIL": "", "ROLLBACK": "refused"},
}
"""Place of a condition to its possible results; ``refused`` ones exist on AWS and not here."""

NO_ROLLBACK = "the rehearsal does not emulate ROLLBACK: it re-runs a stage with the artifacts of an older execution"
