"""Which answers a plan would change: the package that an environment answers from, beside the one that is planned."""

import base64
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from delivery.aws import asking, client_as, code
from delivery.behaviour import compare
from delivery.builds import ASKED_BY, INDEX
from delivery.errors import DeliveryError
from delivery.printable import one_line
from delivery.progress import working
from delivery.project import Project, Stack

ALIAS: Final = "live"
"""The alias that people talk to."""
ROLE: Final = "TF_VAR_deploy_role_arn"
"""Names the role that acts in an environment of another account, for Terraform and for this."""
ROOM: Final = 15_000
"""Characters that answers may take of a review, so that what changes in AWS is not cut for them."""
CALLED: Final = ("the deployed package", "the planned package")
TIMEOUT_SECONDS: Final = (10, 60)


@dataclass(frozen=True)
class Function:
    """A function of a stack, with the package that is planned for it."""

    name: str
    region: str | None
    package: Path


def changed_answers(project: Project, stack: Stack, environment: Mapping[str, str] = os.environ) -> str:
    """Return, as Markdown, which answers differ between what is deployed and what ``stack`` deploys.

    That is empty where nothing is deployed yet, where the same package is, and for a stack without a bot. Where the
    two cannot be compared it says why: a review does without, a plan does not fail over it.
    """
    function = _planned(stack)
    if function is None:
        return ""
    try:
        with working(f"{stack.name}: comparing answers"), tempfile.TemporaryDirectory() as name:
            deployed = _deployed(function, Path(name) / "deployed.zip", environment)
            if deployed is None or _answering(deployed) == _answering(function.package):
                return ""
            return compare(project.root, deployed, function.package, called=CALLED).report(ROOM)
    except (DeliveryError, OSError, zipfile.BadZipFile) as error:
        return f"They could not be compared with those of {function.name}: {one_line(str(error))}"


def _planned(stack: Stack) -> Function | None:
    """Return the function that answers from an index, if the stack has one."""
    configuration = stack.configuration
    providers = configuration.get("provider", {}).get("aws", [])
    region = providers[0].get("region") if providers else None
    for planned in configuration.get("resource", {}).get("aws_lambda_function", {}).values():
        package = stack.folder / planned.get("filename", "")
        if zipfile.is_zipfile(package) and INDEX in _names(package):
            return Function(planned["function_name"], region, package)
    return None


def _names(package: Path) -> list[str]:
    with zipfile.ZipFile(package) as archive:
        return archive.namelist()


def _deployed(function: Function, target: Path, environment: Mapping[str, str]) -> Path | None:
    """Fetch the package that answers now; None where there is none, and where it is the planned one.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
    """
    import requests
    from botocore.exceptions import ClientError

    with asking(f"the package of {function.name} cannot be had"):
        try:
            functions = client_as(environment.get(ROLE, ""), "lambda", function.region, session="answers")
            found = functions.get_function(FunctionName=function.name, Qualifier=ALIAS)
        except ClientError as error:
            if code(error) == "ResourceNotFoundException":
                return None
            raise
    digest = hashlib.sha256(function.package.read_bytes()).digest()
    if found["Configuration"]["CodeSha256"] == base64.b64encode(digest).decode():
        return None
    try:
        # The link is a secret of its own: it needs no credentials, and stands in no message.
        response = requests.get(found["Code"].get("Location", ""), timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise DeliveryError(f"its package cannot be downloaded ({type(error).__name__})") from error
    if not response.ok:
        raise DeliveryError(f"its package cannot be downloaded (HTTP {response.status_code})")
    target.write_bytes(response.content)
    return target


def _answering(package: Path) -> dict[str, bytes]:
    """Return what decides the answers: the index, and the bot's own code."""
    with zipfile.ZipFile(package) as archive:
        names = [name for name in archive.namelist() if name == INDEX or _is_code(name)]
        return {name: archive.read(name) for name in names}


def _is_code(name: str) -> bool:
    return name.startswith(f"{Path(ASKED_BY).parent}/") and name.endswith(".py")
