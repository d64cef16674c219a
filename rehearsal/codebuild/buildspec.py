"""The buildspec, version 0.2: what a build runs, reports, keeps and hands over.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

import re
from dataclasses import dataclass, field
from typing import Any

from rehearsal.codebuild.buildspec_keys import PHASES, SCHEMA
from rehearsal.codebuild.schema import BuildspecError, Document

__all__ = ["PHASES", "Artifact", "Buildspec", "BuildspecError", "Cache", "Phase", "Report", "Retry", "parse"]

COVERAGE_FORMATS = ("COBERTURAXML",)
REPORT_FORMATS = ("JUNITXML", *COVERAGE_FORMATS)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RETRY = re.compile(r"RETRY(?:-(\d+))?(?:-(.+))?", re.DOTALL)


@dataclass(frozen=True)
class Retry:
    """How often, and on which output, a failed phase is run again."""

    count: int = 3
    pattern: str = ".*"


@dataclass(frozen=True)
class Phase:
    """The commands of one phase."""

    name: str
    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: str | Retry | None = None
    runtimes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Artifact:
    """Which files a build hands over, and how they lie in the archive."""

    files: tuple[str, ...]
    base_directory: str = "."
    exclude_paths: tuple[str, ...] = ()
    discard_paths: bool = False
    enable_symlinks: bool = False
    name: str = ""


@dataclass(frozen=True)
class Report:
    """Where the test results of one report group lie."""

    group: str
    files: tuple[str, ...]
    base_directory: str = "."
    format: str = "JUNITXML"


@dataclass(frozen=True)
class Cache:
    """Which paths the next build of the project finds again."""

    paths: tuple[str, ...] = ()
    key: str = ""
    fallback_keys: tuple[str, ...] = ()
    action: str = ""


@dataclass(frozen=True)
class Buildspec:
    """One buildspec, checked."""

    phases: dict[str, Phase]
    shell: str = "sh"
    variables: dict[str, str] = field(default_factory=dict)
    parameter_store: dict[str, str] = field(default_factory=dict)
    secrets_manager: dict[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    artifact: Artifact | None = None
    secondary_artifacts: dict[str, Artifact] = field(default_factory=dict)
    cache: Cache = field(default_factory=Cache)


def parse(text: str, *, name: str) -> Buildspec:
    """Return the buildspec in ``text``, which messages call ``name``; raises ``BuildspecError``."""
    document = Document(name, text).read(SCHEMA)
    env = document.get("env", {})
    if env.get("git-credential-helper"):
        raise BuildspecError(f"{name}: the rehearsal does not emulate env.git-credential-helper, write no or remove it")
    artifacts = document.get("artifacts", {})
    cache = document.get("cache", {})
    spec = Buildspec(
        phases={key: _phase(key, value, name) for key, value in document["phases"].items()},
        shell="bash" if env.get("shell") == "bash" else "sh",
        variables=env.get("variables", {}),
        parameter_store=env.get("parameter-store", {}),
        secrets_manager=env.get("secrets-manager", {}),
        exported=env.get("exported-variables", ()),
        reports=tuple(_report(key, value, name) for key, value in document.get("reports", {}).items()),
        artifact=_artifact(artifacts) if artifacts.get("files") else None,
        secondary_artifacts={key: _artifact(each) for key, each in artifacts.get("secondary-artifacts", {}).items()},
        cache=Cache(**{key.replace("-", "_"): value for key, value in cache.items()}),
    )
    _check_names(spec, name)
    return spec


def _phase(key: str, value: dict[str, Any], name: str) -> Phase:
    commands = value.get("commands", ())
    if not commands and value.get("finally"):
        raise BuildspecError(f"{name}: phases.{key} has finally but no commands, add commands")
    return Phase(
        name=key,
        commands=commands,
        finally_=value.get("finally", ()),
        on_failure=_on_failure(value.get("on-failure"), f"{name}: phases.{key}.on-failure"),
        runtimes=value.get("runtime-versions", {}),
    )


def _on_failure(word: str | None, where: str) -> str | Retry | None:
    if word is None or word in ("ABORT", "CONTINUE"):
        return word
    match = RETRY.fullmatch(word)
    if match is None:
        raise BuildspecError(f'{where} is "{word}", write ABORT, CONTINUE, RETRY or RETRY-<count>-<regular expression>')
    count, pattern = int(match[1] or 3), match[2] or ".*"
    try:
        re.compile(pattern)
    except re.error as error:
        raise BuildspecError(f'{where} has no regular expression in "{pattern}": {error}') from error
    return Retry(count, pattern)


def _artifact(value: dict[str, Any]) -> Artifact:
    return Artifact(
        files=value["files"],
        base_directory=value.get("base-directory", "."),
        exclude_paths=value.get("exclude-paths", ()),
        discard_paths=value.get("discard-paths", False),
        enable_symlinks=value.get("enable-symlinks", False),
        name=value.get("name", ""),
    )


def _report(group: str, value: dict[str, Any], name: str) -> Report:
    kind = value.get("file-format", "JUNITXML")
    if kind.upper() not in REPORT_FORMATS:
        known = " and ".join(REPORT_FORMATS)
        raise BuildspecError(f"{name}: reports.{group}.file-format is {kind}, the rehearsal reads {known} only")
    return Report(group, value["files"], value.get("base-directory", "."), kind.upper())


def _check_names(spec: Buildspec, name: str) -> None:
    """Variables that no shell could hold, or that CodeBuild keeps to itself, are a slip."""
    declared = [*spec.variables, *spec.parameter_store, *spec.secrets_manager, *spec.exported]
    for variable in declared:
        if not VARIABLE.fullmatch(variable):
            raise BuildspecError(f'{name}: "{variable}" in env is no variable\'s name, use letters, digits and _')
    for variable in spec.exported:
        if variable.startswith("AWS_"):
            raise BuildspecError(f"{name}: {variable} cannot be exported, as no variable AWS_* can: rename it")
