"""The files that packaging leaves for the stacks: the function's zip and the API's document."""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

BUILD = Path(__file__).parents[1] / "build"


class PackageError(FileNotFoundError):
    """The package has not been built."""


@dataclass(frozen=True)
class Package:
    """What ``python -m delivery package`` wrote into ``folder``; raises `PackageError` where it did not."""

    folder: Path = BUILD

    def __post_init__(self) -> None:
        for path in (self.zip, self.folder / "openapi.json"):
            if not path.is_file():
                raise PackageError(f"{path.name} is not built: run python -m delivery package, or make synth for both")

    @property
    def zip(self) -> Path:
        """The function's deployment package."""
        return self.folder / "lambda.zip"

    @cached_property
    def source_code_hash(self) -> str:
        """The zip's digest as Lambda reports it.

        https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
        """
        return base64.b64encode(hashlib.sha256(self.zip.read_bytes()).digest()).decode()

    @property
    def openapi(self) -> dict[str, Any]:
        """The API's OpenAPI document."""
        document: dict[str, Any] = json.loads((self.folder / "openapi.json").read_text())
        return document
