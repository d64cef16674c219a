"""The world of one build: its folders, and an environment made from nothing.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

import os
from dataclasses import dataclass
from pathlib import Path

from rehearsal.codebuild.machine import package_indexes, program_folders, pyenv_root
from rehearsal.codebuild.record import BuildRecord

LOCALE = ("LANG", "LC_ALL", "LC_CTYPE")


@dataclass(frozen=True)
class Place:
    """The folders of one build."""

    root: Path

    @property
    def source(self) -> Path:
        """``CODEBUILD_SRC_DIR``."""
        return self.root / "src"

    @property
    def others(self) -> Path:
        """Where secondary sources lie."""
        return self.root / "sources"

    @property
    def home(self) -> Path:
        """The build's ``HOME``, which is ``/root`` in a container."""
        return self.root / "home"

    @property
    def scratch(self) -> Path:
        """The build's ``TMPDIR``."""
        return self.root / "tmp"

    @property
    def python(self) -> Path:
        """The build's own Python environment."""
        return self.root / "python"

    @property
    def artifacts(self) -> Path:
        """What is handed over."""
        return self.root / "artifacts"

    def make(self) -> None:
        """Create the folders, for this user's eyes only."""
        self.root.mkdir(parents=True, mode=0o700)
        for folder in (self.source, self.home, self.scratch):
            folder.mkdir()


def machine(place: Place, programs: Path) -> dict[str, str]:
    """Return what a build may have of this machine."""
    folders = program_folders()
    own = [str(programs), str(place.home / ".local/bin"), str(place.home / ".npm-global/bin")]
    locale = {name: os.environ[name] for name in LOCALE if "UTF-8" in os.environ.get(name, "").upper()}
    return {
        "PATH": os.pathsep.join([*own, *folders]),
        "HOME": str(place.home),
        "TMPDIR": str(place.scratch),
        "NPM_CONFIG_PREFIX": str(place.home / ".npm-global"),
        **({"LANG": "C.UTF-8"} | locale),
        **pyenv_root(folders),
        **package_indexes(place.root / "config"),
    }


def described(build: BuildRecord, place: Place) -> dict[str, str]:
    """Return the variables with which CodeBuild describes a build to itself."""
    stream = build.log_stream()
    variables = {
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_BUILD_IMAGE": build.project["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_BUILD_URL": build.log.absolute().as_uri(),
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": build.initiator,
        "CODEBUILD_KMS_KEY_ID": build.project["encryptionKey"],
        "CODEBUILD_LOG_PATH": stream[1] if stream else "",
        "CODEBUILD_PROJECT_ARN": build.project["arn"],
        "CODEBUILD_PROJECT_NAME": build.project["name"],
        "CODEBUILD_SRC_DIR": str(place.source),
        "CODEBUILD_START_TIME": str(int(build.start.timestamp() * 1000)),
        "CI": "true",
        "AWS_REGION": build.region,
        "AWS_DEFAULT_REGION": build.region,
    }
    if version := build.resolved_source_version:
        asked = build.project.get("sourceVersion") or version
        variables |= {"CODEBUILD_RESOLVED_SOURCE_VERSION": version, "CODEBUILD_SOURCE_VERSION": asked}
    return variables
