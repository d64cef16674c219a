"""What an environment runs by: the configuration of its last release, kept beside its state for as long as that."""

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from delivery.archive import QUICK, files, pack
from delivery.aws import asking, client, code
from delivery.errors import DeliveryError
from delivery.project import Stack
from delivery.state import Backend

FILE: Final = "deployed.zip"
TERRAFORMS: Final = (".terraform/", "terraform.tfstate")
"""What Terraform keeps in a stack's folder for itself."""

MOST_BYTES: Final = 500_000_000


@dataclass(frozen=True)
class Deployed:
    """A stack as it was last applied, unpacked, when that was kept, and which of S3's objects it is."""

    stack: Stack
    at: datetime
    tag: str

    def is_newest(self) -> bool:
        """Tell whether nothing was applied since; raises ``DeliveryError``."""
        backend = Backend.of(self.stack)
        with asking(f"what {self.stack.name} runs by cannot be read"):
            s3 = client("s3", backend.region)
            return bool(s3.head_object(Bucket=backend.bucket, Key=place(backend, FILE))["ETag"] == self.tag)


def place(backend: Backend, file: str) -> str:
    """Return the key of a file that is kept beside a state."""
    return f"{backend.key.rpartition('/')[0]}/{file}"


def keep(stack: Stack) -> None:
    """Keep ``stack``, which was just applied, beside its state; raises ``DeliveryError``."""
    backend = Backend.of(stack)
    found = [(name, path) for name, path in files([stack.folder]) if not name.startswith(TERRAFORMS)]
    content = pack(found, QUICK)
    with asking(f"what {stack.name} runs by cannot be kept in {backend.bucket}", state=True):
        client("s3", backend.region).put_object(
            Bucket=backend.bucket, Key=place(backend, FILE), Body=content, ContentType="application/zip"
        )


def fetch(name: str, backend: Backend, folder: Path) -> Deployed | None:
    """Return what was last applied as stack ``name``, unpacked into ``folder``; ``None`` where nothing was.

    Raises ``DeliveryError``.
    """
    from botocore.exceptions import ClientError

    with asking(f"what {name} runs by cannot be read from {backend.bucket}", state=True):
        try:
            answer: dict[str, Any] = client("s3", backend.region).get_object(
                Bucket=backend.bucket, Key=place(backend, FILE)
            )
        except ClientError as error:
            if code(error) in ("NoSuchKey", "404"):
                return None
            raise
        content = answer["Body"].read(MOST_BYTES)
    target = folder / "cdktf.out" / "stacks" / name
    _unpack(content, target)
    return Deployed(Stack(name, target), answer["LastModified"], answer["ETag"])


def _unpack(content: bytes, target: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            for entry in zipped.infolist():
                path = PurePosixPath(entry.filename)
                if path.is_absolute() or ".." in path.parts:
                    raise DeliveryError(f"{FILE} holds {entry.filename!r}, which would lie outside of its folder")
            zipped.extractall(target)
    except zipfile.BadZipFile as error:
        raise DeliveryError(f"{FILE} is damaged ({error}): release once more") from error
