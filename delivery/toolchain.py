"""Which Terraform runs: the one at hand if it fits, else the pinned one."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from delivery.download import download, pinned_release
from delivery.errors import DeliveryError
from delivery.mirror import configuration_file
from delivery.pins import TERRAFORM_VERSION
from delivery.progress import say

# A report starts at the first line that opens an object; warnings may stand before it.
OBJECT = re.compile(r"^\{", re.MULTILINE)

GARBAGE_PERCENT = "400"
"""Collecting garbage takes a fifth of the processor time of Terraform and its provider; seldomer, it takes 100 MB more.

https://go.dev/doc/gc-guide#GOGC
"""


def first_object(text: str) -> dict[str, Any]:
    """Return the JSON object in what Terraform printed; raises ``DeliveryError`` where there is none.

    Warnings, such as that of the S3 backend's deprecated ``dynamodb_table``, share stdout with it.
    """
    start = OBJECT.search(text)
    try:
        found = json.JSONDecoder().raw_decode(text, start.start())[0] if start else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DeliveryError(f"terraform printed no JSON where it should have: {text.strip()[:200]!r}")
    return found


def fits(version: str) -> bool:
    """Tell whether a Terraform version can run this project: at least the pinned one, and of the same major."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        return False
    pinned = tuple(map(int, TERRAFORM_VERSION.split(".")))
    found = tuple(map(int, version.split(".")))
    return pinned <= found < (pinned[0] + 1,)


def find_terraform(tools: Path, environment: Mapping[str, str] = os.environ) -> tuple[Path, str]:
    """Return a Terraform that fits, and its version: from PATH, else downloaded, if need be now.

    Raises ``DeliveryError``.
    """
    on_path = shutil.which("terraform", path=environment.get("PATH"))
    if on_path:
        version = _version(Path(on_path), environment)
        if fits(version):
            return Path(on_path), version
        say(f"{on_path} is version {version or 'unknown'}: using Terraform {TERRAFORM_VERSION} of this project instead")
    folder = tools / "terraform" / TERRAFORM_VERSION
    kept = folder / "terraform"
    if kept.is_file() and _version(kept, environment) == TERRAFORM_VERSION:
        return kept, TERRAFORM_VERSION
    return download(pinned_release(), folder, environment), TERRAFORM_VERSION


def terraform_environment(tools: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment Terraform runs in: the caller's, without questions, calls home or colours.

    https://developer.hashicorp.com/terraform/cli/config/environment-variables
    """
    return dict(environment) | {
        "TF_CLI_CONFIG_FILE": str(configuration_file(tools, environment)),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": environment.get("GOGC", GARBAGE_PERCENT),
    }


def _version(program: Path, environment: Mapping[str, str]) -> str:
    command = [str(program), "version", "-json"]
    quiet = {name: value for name, value in environment.items() if not name.startswith("TF_")}
    try:
        run = subprocess.run(
            command, env=quiet | {"CHECKPOINT_DISABLE": "1"}, capture_output=True, text=True, timeout=30, check=False
        )
        return str(first_object(run.stdout).get("terraform_version", ""))
    except (OSError, subprocess.TimeoutExpired, DeliveryError):
        return ""
