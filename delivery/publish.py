"""Handing this delivery on: the code and the stacks that reviews of pull requests are made with."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from delivery.archive import archive
from delivery.aws import asking, client
from delivery.errors import UsageError
from delivery.project import Project

PARTS: Final = ("delivery", "build/delivery")
PER_STACK: Final = ("cdk.tf.json", ".terraform.lock.hcl")


def publish_delivery(project: Project, bucket: str, key: str) -> None:
    """Put ``delivery``, what it imports, and every stack's configuration into one zip at ``key`` of ``bucket``.

    Raises ``UsageError`` where a part is not there, ``DeliveryError`` when it cannot be put there.
    """
    with tempfile.TemporaryDirectory(prefix="publish-") as name:
        staging = Path(name)
        for part in PARTS:
            if not (project.root / part).is_dir():
                raise UsageError(f"there is no {project.root / part}: run `python -m delivery package --with-delivery`")
            ignored = shutil.ignore_patterns("__pycache__") if part == PARTS[0] else None
            shutil.copytree(project.root / part, staging / part, ignore=ignored)
        for stack in project.stack_names:
            for file in PER_STACK:
                target = staging / "cdktf.out" / "stacks" / stack / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(project.stack(stack).folder / file, target)
        content = archive([staging])
    with asking(f"cannot hand on the delivery to s3://{bucket}/{key}"):
        client("s3").put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/zip")
