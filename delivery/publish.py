"""Handing this delivery on: the code and the stacks that reviews of pull requests are made with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from delivery.archive import QUICK, files, pack
from delivery.aws import asking, client
from delivery.errors import COMMAND, UsageError
from delivery.project import Project

CODE: Final = "delivery"
PACKAGES: Final = "build/delivery"
PER_STACK: Final = ("cdk.tf.json", ".terraform.lock.hcl")


def publish_delivery(project: Project, bucket: str, key: str) -> None:
    """Put ``delivery``, what it imports, and every stack's configuration into one zip at ``key`` of ``bucket``.

    Raises ``UsageError`` where a part is not there, ``DeliveryError`` when it cannot be put there.
    """
    content = pack(_parts(project), QUICK)
    with asking(f"cannot hand on the delivery to s3://{bucket}/{key}"):
        client("s3").put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/zip")


def _parts(project: Project) -> Iterator[tuple[str, Path]]:
    for part in (CODE, PACKAGES):
        folder = project.root / part
        if not folder.is_dir():
            raise UsageError(f"there is no {folder}: run `{COMMAND} package --with-delivery`")
        # The packages' byte-code is valid wherever it lies, ours is not.
        found = files([folder])
        yield from ((f"{part}/{name}", path) for name, path in found if part != CODE or path.suffix != ".pyc")
    for stack in project.stack_names:
        for file in PER_STACK:
            yield f"cdktf.out/stacks/{stack}/{file}", project.stack(stack).folder / file
