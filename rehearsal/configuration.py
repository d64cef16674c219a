"""What a project says about its own rehearsal: ``[tool.rehearsal]`` of its ``pyproject.toml``."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from rehearsal.errors import UserError

OWN_FOLDER = ".rehearsal"
PIPELINE = re.compile(r"[A-Za-z0-9.@_-]{1,100}")


@dataclass(frozen=True)
class Configuration:
    """The table ``[tool.rehearsal]``.

    ``account``, ``region`` and ``repository`` are commands that print the value; ``facts`` runs them.
    """

    project: Path
    """The folder of the ``pyproject.toml``; commands run there."""

    account: str
    region: str
    repository: str
    """Prints the full repository id and the branch, as in ``acme/parley main``."""

    pipeline: str
    """Its name, or a command that prints it: no name has a blank in it."""

    bootstrap: str
    environments: str = ""
    """A command that prints the names of what the pipeline will deploy, so that ``--to`` is checked at the start."""

    buildspec: str = ""
    """The path in the repository of a buildspec that is checked at the start."""

    synthesize: str = ""
    environment: str = ""
    url_tag: str = "Environment"
    deploy_stage: str = "{environment}-deploy"
    allowed_hosts: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the rehearsal keeps what it writes."""
        return self.project / OWN_FOLDER

    def stage_of(self, environment: str) -> str:
        """Return the name of the stage that deploys ``environment``."""
        return self.deploy_stage.replace("{environment}", environment)

    def last_stage(self, environment: str | None, known: Sequence[str]) -> str | None:
        """Return the stage that ``--to environment`` ends at. Raises ``UserError`` unless it is among ``known``."""
        if environment is None:
            return None
        if environment not in known:
            raise UserError(f"--to {environment}: the pipeline deploys no such environment; known: {', '.join(known)}")
        return self.stage_of(environment)

    def environment_of(self, stage: str) -> str | None:
        """Return the environment that ``stage`` deploys, if it deploys one."""
        before, _, after = self.deploy_stage.partition("{environment}")
        match = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", stage)
        return match[1] if match else None

    def deployed_by(self, stages: Iterable[str]) -> list[str]:
        """Return the environments that ``stages`` deploy, in their order."""
        return [name for name in map(self.environment_of, stages) if name]


def read(source: Path) -> Configuration:
    """Read the configuration of the project that ``source`` is, or lies in.

    Raises ``UserError`` for a missing file, a missing table, unknown or missing keys, and values of the wrong kind.
    """
    project = _project(source)
    table = _table(project / "pyproject.toml")
    known = {each.name.replace("_", "-"): each for each in fields(Configuration) if each.name != "project"}
    for key in table:
        if key not in known:
            raise UserError(
                f"pyproject.toml: [tool.rehearsal] has no key {key!r}; known are {', '.join(sorted(known))}"
            )
    for key, each in known.items():
        if each.default is MISSING and key not in table:
            raise UserError(f"pyproject.toml: [tool.rehearsal] lacks {key!r}; add it")
    values: dict[str, Any] = {known[key].name: _checked(key, value) for key, value in table.items()}
    return _consistent(Configuration(project=project, **values))


def _project(source: Path) -> Path:
    if not source.is_dir():
        raise UserError(f"--source {source}: no such folder")
    folder = source.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / "pyproject.toml").is_file():
            return candidate
    raise UserError(
        f"{folder} has no pyproject.toml; go to a project that has one with a [tool.rehearsal] table, or use --source"
    )


def _table(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not valid TOML: {error}") from None
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from None
    tool = document.get("tool")
    table = tool.get("rehearsal") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise UserError(
            f"{file} has no [tool.rehearsal] table; add it to say how to bootstrap and which pipeline to follow"
        )
    return table


def _checked(key: str, value: object) -> object:
    if key == "allowed-hosts":
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        raise UserError(f"pyproject.toml: [tool.rehearsal] {key} must be a list of strings, not {value!r}")
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    raise UserError(f"pyproject.toml: [tool.rehearsal] {key} must be one line of text, not {value!r}")


def _consistent(configuration: Configuration) -> Configuration:
    if configuration.deploy_stage.count("{environment}") != 1:
        raise UserError(
            "pyproject.toml: [tool.rehearsal] deploy-stage must contain {environment} once: '{environment}-deploy'"
        )
    if not (PIPELINE.fullmatch(configuration.pipeline) or " " in configuration.pipeline):
        raise UserError(
            f"pyproject.toml: [tool.rehearsal] pipeline {configuration.pipeline!r} is no name CodePipeline allows"
        )
    return configuration
