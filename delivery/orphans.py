"""States without a stack: what they hold goes on costing, and nobody plans it any more."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from delivery.aws import asking, client
from delivery.errors import COMMAND
from delivery.printable import one_line
from delivery.project import Project
from delivery.state import Backend

SUFFIX: Final = "/terraform.tfstate"
EMPTY_BYTES: Final = 400
"""A state that holds nothing takes about 200 bytes, one with a single resource more than 600: its size tells which it
is to somebody who may list states, and read none."""


@dataclass(frozen=True)
class Orphan:
    """A state that holds resources, of a stack that is no longer synthesized."""

    stack: str
    address: str
    changed: datetime

    def __str__(self) -> str:
        command = f"{COMMAND} retire --stack {shlex.quote(self.stack)} --out retire"
        return one_line(
            f"orphan: stack {self.stack} is no longer synthesized, but {self.address}, changed last on "
            f"{self.changed:%Y-%m-%d}, says that it is deployed; plan its end with: {command}"
        )


def orphans(project: Project) -> Iterator[Orphan]:
    """Yield every orphan in the state bucket; raises ``DeliveryError`` when it cannot be listed."""
    backend, known = Backend.of(project.stack("state")), set(project.stack_names)
    with asking(f"cannot list the states in {backend.bucket}", state=True):
        pages = client("s3", backend.region).get_paginator("list_objects_v2").paginate(Bucket=backend.bucket)
        objects = [each for page in pages for each in page.get("Contents", [])]
    for each in objects:
        name = each["Key"].removesuffix(SUFFIX)
        if each["Key"].endswith(SUFFIX) and name not in known and each["Size"] > EMPTY_BYTES:
            yield Orphan(name, f"s3://{backend.bucket}/{each['Key']}", each["LastModified"])
