"""Where a build's files come from: the pipeline's artifacts, a repository, an object in S3, or nowhere.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html
"""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.codebuild.archive import ArchiveError, unpack
from rehearsal.codebuild.buildspec import Buildspec, BuildspecError, parse
from rehearsal.codebuild.model import BuildRequest
from rehearsal.codebuild.record import PhaseError
from rehearsal.protocol import ServiceError
from rehearsal.repositories import Repositories, RepositoryError

PIPELINE_ONLY = "CODEPIPELINE"
DEFAULT_BUILDSPEC = "buildspec.yml"
HOSTS = {
    "CODECOMMIT": re.compile(r"https://git-codecommit\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/v1/repos/(.+)"),
    "GITHUB": re.compile(r"https://github\.com/(.+?)(?:\.git)?"),
    "BITBUCKET": re.compile(r"https://(?:[^@/]+@)?bitbucket\.org/(.+?)(?:\.git)?"),
}
"""What the location of a source looks like, by its type."""


def check(source: dict[str, Any]) -> None:
    """Raise ``ServiceError`` for a source that a build started by itself cannot have here."""
    kind = source["type"]
    if kind == PIPELINE_ONLY:
        message = "a project with a CODEPIPELINE source is built by its pipeline only: start the pipeline's execution"
        raise ServiceError("InvalidInputException", message)
    if kind not in ("NO_SOURCE", "S3", *HOSTS):
        raise ServiceError("InvalidInputException", f"the rehearsal does not emulate builds from {kind}, use S3")


def primary(request: BuildRequest) -> str:
    """Return the name of the artifact that holds the buildspec, empty when there is none; raises ``PhaseError``."""
    if request.primary_source in request.sources or not request.sources:
        return request.primary_source
    if not request.primary_source and len(request.sources) == 1:
        return next(iter(request.sources))
    named = ", ".join(request.sources)
    raise PhaseError("CLIENT_ERROR", f"PrimarySource {request.primary_source or 'is missing'}: name one of {named}")


def unpack_artifacts(request: BuildRequest, source: Path, others: Path) -> dict[str, str]:
    """Unpack the action's input artifacts; return the variables that say where the secondary ones lie.

    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-multi-in-out.html
    """
    first = primary(request)
    variables = {}
    for name, archive in request.sources.items():
        target = source if name == first else others / name
        try:
            unpack(archive, target)
        except (ArchiveError, OSError) as error:
            raise PhaseError("CLIENT_ERROR", f"input artifact {name} cannot be unpacked: {error}") from error
        if name != first:
            variables[f"CODEBUILD_SRC_DIR_{name}"] = str(target)
    return variables


def clone(settings: dict[str, Any], version: str, repositories: Repositories | None, source: Path) -> str:
    """Clone the repository of a source into ``source`` and return the commit it stands at; raises ``PhaseError``."""
    kind, location = settings["type"], settings.get("location", "")
    found = HOSTS[kind].fullmatch(location)
    if found is None:
        raise PhaseError("CLIENT_ERROR", f"{location!r} is no address of a {kind} repository")
    if repositories is None:
        raise PhaseError("CLIENT_ERROR", f"there is no {kind} here to fetch {found[1]} from")
    try:
        return repositories.clone(found[1], version, source)
    except RepositoryError as error:
        raise PhaseError("CLIENT_ERROR", f"source {location} cannot be had: {error}") from error


def download_secondary(
    project: dict[str, Any], client: Callable[[str], Any], others: Path, scratch: Path
) -> dict[str, str]:
    """Fetch a project's secondary sources, from S3 all; return the variables that say where they lie.

    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-multi-in-out.html
    """
    versions = {each["sourceIdentifier"]: each["sourceVersion"] for each in project.get("secondarySourceVersions", [])}
    variables = {}
    for each in project.get("secondarySources", []):
        name = each["sourceIdentifier"]
        (others / name).mkdir(parents=True)
        download(each["location"], versions.get(name), client("s3"), others / name, scratch)
        variables[f"CODEBUILD_SRC_DIR_{name}"] = str(others / name)
    return variables


def download(location: str, version: str | None, s3: Any, source: Path, scratch: Path) -> None:
    """Fetch ``bucket/key.zip``, or everything below ``bucket/prefix/``, from S3 into ``source``."""
    bucket, _, key = location.removeprefix("arn:aws:s3:::").partition("/")
    try:
        if not key.endswith("/"):
            archive = scratch / "source.zip"
            s3.download_file(bucket, key, str(archive), ExtraArgs={"VersionId": version} if version else None)
            return unpack(archive, source)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
            for each in page.get("Contents", []):
                _download_one(s3, bucket, each["Key"], source / _below(each["Key"].removeprefix(key)))
    except (ClientError, ArchiveError) as error:
        raise PhaseError("CLIENT_ERROR", f"source {location} cannot be had: {error}") from error


def _below(key: str) -> PurePosixPath:
    path = PurePosixPath(key)
    if path.is_absolute() or ".." in path.parts:
        raise ArchiveError(f"{key} would lie outside of the source")
    return path


def _download_one(s3: Any, bucket: str, key: str, target: Path) -> None:
    if not key.endswith("/"):
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))


def read_buildspec(definition: str, source: Path) -> Buildspec:
    """Return the buildspec that ``definition`` is or names; raises ``PhaseError`` as CodeBuild's YAML_FILE_ERROR.

    https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec-ref-name-storage
    """
    try:
        if "\n" in definition or definition.lstrip().startswith("{"):
            return parse(definition, name="the project's inline buildspec")
        return parse(_text(definition or DEFAULT_BUILDSPEC, source), name=definition or DEFAULT_BUILDSPEC)
    except BuildspecError as error:
        raise PhaseError("YAML_FILE_ERROR", str(error)) from error


def _text(name: str, source: Path) -> str:
    if name.startswith("arn:"):
        raise BuildspecError(f"the rehearsal does not read a buildspec from S3 ({name}), name a file of the source")
    file = source / name
    if not file.resolve().is_relative_to(source.resolve()):
        raise BuildspecError(f"{name}: the buildspec must lie in the source")
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise BuildspecError(f"{name}: no such buildspec in the source ({reason}), add it or name another") from error
