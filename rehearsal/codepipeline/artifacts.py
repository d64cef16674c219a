"""Artifacts: zip files in the artifact store's bucket, handled with the pipeline role's own credentials."""

import secrets
import shutil
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.codepipeline.model import ActionError, Artifact, Declaration
from rehearsal.codepipeline.roles import Roles

ALPHABET = string.ascii_letters + string.digits


class ArtifactStore:
    """The buckets that pipelines keep their artifacts in."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles

    def put(self, definition: Declaration, region: str, name: str, path: Path, revision: str | None = None) -> Artifact:
        """Store ``path`` as the artifact ``name``. Raises ``ActionError`` where the bucket refuses it.

        The key is made of 20 characters of the pipeline's name, 10 of the artifact's and 7 at random, as seen on
        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html
        """
        store = store_of(definition, region)
        unique = "".join(secrets.choice(ALPHABET) for _ in range(7))
        artifact = Artifact(name, store["location"], f"{definition['name'][:20]}/{name[:10]}/{unique}", revision)
        key = store.get("encryptionKey", {}).get("id")
        encryption = {"ServerSideEncryption": "aws:kms"} | ({"SSEKMSKeyId": key} if key else {})
        with self._explaining(artifact), path.open("rb") as body:
            s3 = self._roles.client("s3", definition["roleArn"], region)
            s3.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=body, **encryption)
        return artifact

    def get(self, definition: Declaration, region: str, artifact: Artifact, path: Path) -> None:
        """Fetch ``artifact`` into ``path``. Raises ``ActionError`` where it is gone."""
        with self._explaining(artifact), path.open("wb") as body:
            s3 = self._roles.client("s3", definition["roleArn"], region)
            shutil.copyfileobj(s3.get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"], body)

    @staticmethod
    @contextmanager
    def _explaining(artifact: Artifact) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            denied = "AccessDenied" in str(error)
            where = f"artifact {artifact.name} in the artifact store's bucket {artifact.bucket}"
            hint = "check what the pipeline's role may do" if denied else "check that the bucket exists"
            raise ActionError(
                "PermissionError" if denied else "ConfigurationError", f"{where}: {error}; {hint}"
            ) from error


def store_of(definition: Declaration, region: str) -> Declaration:
    """Return the artifact store that ``definition`` names for ``region``."""
    store: Declaration = definition.get("artifactStore") or definition["artifactStores"][region]
    return store
