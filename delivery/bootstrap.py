"""The first deployment: the bucket that keeps all state, in which its own state ends up, and then the pipeline."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Final

from delivery.aws import asking, client, code
from delivery.converge import converge
from delivery.errors import DeliveryError
from delivery.files import write_whole
from delivery.progress import say
from delivery.project import Project, Stack
from delivery.state import Backend
from delivery.terraform import Terraform
from delivery.webhook import set_policy

OVERRIDE: Final = "backend_override.tf.json"
"""Terraform lets files named so replace parts of the others, backends among them.
https://developer.hashicorp.com/terraform/language/files/override"""

LOCAL_STATE: Final = "terraform.tfstate"


class Standing(Enum):
    """How far an earlier bootstrap got."""

    NOTHING = auto()
    BUCKET_ONLY = auto()
    DONE = auto()


def bootstrap(
    project: Project,
    terraform: Terraform,
    *,
    allow_destroy: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Make the state bucket, move its own state into it, and deploy the pipeline.

    Can be run again at any time: it goes on where an earlier run broke off, and changes nothing where all is done.
    Raises ``DeliveryError``.
    """
    state, pipeline = project.stack("state"), project.stack("pipeline")
    backend = Backend.of(state)
    folder = work_folder(project, backend, environment)
    standing = look(backend)
    if standing is Standing.BUCKET_ONLY and not (folder / LOCAL_STATE).exists():
        raise DeliveryError(
            f"bucket {backend.bucket} exists, but holds no state of stack {state.name}: if an earlier bootstrap "
            "left it behind, delete it and run this again; else choose another project name in stacks/settings.py"
        )
    if standing is Standing.DONE:
        converge(project, terraform, state, allow_destroy=allow_destroy)
    else:
        first_apply(terraform, state, folder)
    if folder.exists():
        shutil.rmtree(folder)
    converge(project, terraform, pipeline, allow_destroy=allow_destroy)
    set_policy(pipeline)


def work_folder(project: Project, backend: Backend, environment: Mapping[str, str]) -> Path:
    """Return where the first apply keeps its local state: one folder for each bucket and endpoint.

    It lies outside of ``cdktf.out``, which synthesis may empty, so that a broken bootstrap can go on.
    """
    place = json.dumps(
        [backend.bucket, environment.get("AWS_ENDPOINT_URL_S3", environment.get("AWS_ENDPOINT_URL", ""))]
    )
    return project.tools / "bootstrap" / hashlib.sha256(place.encode()).hexdigest()[:16]


def look(backend: Backend) -> Standing:
    """Return how far an earlier bootstrap got, by what lies in the bucket."""
    from botocore.exceptions import ClientError

    with asking(f"cannot look for the state bucket {backend.bucket}"):
        s3 = client("s3", backend.region)
        try:
            s3.head_bucket(Bucket=backend.bucket)
        except ClientError as error:
            if code(error) in ("404", "NoSuchBucket"):
                return Standing.NOTHING
            if code(error) in ("403", "AccessDenied"):
                raise DeliveryError(
                    f"bucket {backend.bucket} belongs to another account, or these credentials may not see it: "
                    "sign in to the project's account, or choose another project name in stacks/settings.py"
                ) from error
            raise
        try:
            s3.head_object(Bucket=backend.bucket, Key=backend.key)
        except ClientError as error:
            if code(error) in ("404", "NoSuchKey"):
                return Standing.BUCKET_ONLY
            raise
    return Standing.DONE


def first_apply(terraform: Terraform, state: Stack, folder: Path) -> None:
    """Apply ``state`` with its state in a local file, then move that into the bucket it made.

    https://developer.hashicorp.com/terraform/language/backend#change-configuration
    """
    say(f"{state.name}: {'going on with' if (folder / LOCAL_STATE).exists() else 'making'} the bucket for all state")
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "*_override.tf.json")
    shutil.copytree(state.folder, folder, dirs_exist_ok=True, ignore=ignored)
    working_copy = Stack(state.name, folder)
    override = folder / OVERRIDE
    write_whole(override, json.dumps({"terraform": {"backend": {"local": {"path": LOCAL_STATE}}}}) + "\n")
    # Options meant for the S3 backend make an init with a local one fail.
    without_options = {name: value for name, value in terraform.environment.items() if name != "TF_CLI_ARGS_init"}
    local = replace(terraform, environment=without_options)
    local.init(working_copy)
    local.run(working_copy, "apply", "-no-color", "-input=false", "-auto-approve", live=True)
    override.unlink()
    say(f"{state.name}: moving its state into the bucket")
    terraform.init(working_copy, "-migrate-state", "-force-copy")
