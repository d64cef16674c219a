"""Artifacts: the bucket that carries sources, builds and plans from stage to stage, and keeps the reviews of plans."""

from cdktf_cdktf_provider_aws.codepipeline import CodepipelineArtifactStore, CodepipelineArtifactStoreEncryptionKey
from cdktf_cdktf_provider_aws.data_aws_kms_alias import DataAwsKmsAlias
from constructs import Construct

from stacks import policies
from stacks.buckets import PrivateBucket
from stacks.project import Project
from stacks.state import key_alias

# Longer than an approval may wait, so that no approved plan is gone; short, since a plan holds a copy of the state.
KEEP_DAYS = 14
# As long as CodePipeline tells of an execution, and a month; a review holds nothing that is secret.
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html
KEEP_REVIEWS_DAYS = 400
CACHE_PREFIX = "cache/"
REVIEW_PREFIX = "reviews/"
# What branches' builds found, and which plans their comments showed: a merge may come long after its review.
FINDINGS_PREFIX = "pull-requests/builds/"
SHOWN_PREFIX = "pull-requests/reviewed/"
KEEP_SHOWN_DAYS = 90


class Artifacts(Construct):
    """The artifact store and what it takes to use it."""

    def __init__(self, scope: Construct, id: str, *, project: Project) -> None:
        super().__init__(scope, id)
        self.key_arn = DataAwsKmsAlias(self, "key", name=key_alias(project)).target_key_arn
        self.bucket = PrivateBucket(
            self,
            "artifacts",
            name=project.bucket_name("artifacts"),
            key_arn=self.key_arn,
            keep_old_days=1,
            # CodePipeline puts what it carries below the pipeline's name.
            expire_days={
                f"{project.name}/": KEEP_DAYS,
                CACHE_PREFIX: KEEP_DAYS,
                REVIEW_PREFIX: KEEP_REVIEWS_DAYS,
                FINDINGS_PREFIX: KEEP_DAYS,
                SHOWN_PREFIX: KEEP_SHOWN_DAYS,
            },
        )

    def store(self) -> CodepipelineArtifactStore:
        """The pipeline's artifact store."""
        key = CodepipelineArtifactStoreEncryptionKey(id=self.key_arn, type="KMS")
        return CodepipelineArtifactStore(location=self.bucket.name, type="S3", encryption_key=key)

    def use(self) -> list[policies.Statement]:
        """Read and write artifacts."""
        return [
            *policies.read_objects(self.bucket.arn),
            policies.write_objects(self.bucket.arn),
            policies.use_key(self.key_arn),
        ]
