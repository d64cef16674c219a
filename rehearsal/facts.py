"""What the project's own commands print about it: account, region, repository, pipeline."""

import re

from rehearsal.commands import printed
from rehearsal.configuration import PIPELINE, Configuration
from rehearsal.errors import UserError

ACCOUNT = re.compile(r"\d{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
NAME = "[A-Za-z0-9_][A-Za-z0-9._-]*"
REPOSITORY = re.compile(rf"{NAME}(/{NAME})*[ \t]+\S+")
ENVIRONMENTS = re.compile(r"\S+(\s+\S+)*")


def account(configuration: Configuration) -> str:
    """Return the id of the account to emulate. Raises ``UserError``."""
    return _fact(configuration, "account", ACCOUNT, "an account id of 12 digits")


def region(configuration: Configuration) -> str:
    """Return the region to emulate. Raises ``UserError``."""
    return _fact(configuration, "region", REGION, "a region, as in eu-central-1")


def repository(configuration: Configuration) -> tuple[str, str]:
    """Return the full id of the pipeline's repository and the branch it follows. Raises ``UserError``."""
    fact = _fact(configuration, "repository", REPOSITORY, "a repository's id and a branch, as in acme/parley main")
    full_id, branch = fact.split()
    return full_id, branch


def environments(configuration: Configuration) -> list[str]:
    """Return the environments that the pipeline will deploy. Raises ``UserError``."""
    return _fact(configuration, "environments", ENVIRONMENTS, "names of environments, as in dev prod").split()


def pipeline(configuration: Configuration) -> str:
    """Return the name of the pipeline to follow. Raises ``UserError``."""
    if PIPELINE.fullmatch(configuration.pipeline):
        return configuration.pipeline
    return _fact(configuration, "pipeline", PIPELINE, "a name that CodePipeline allows")


def _fact(configuration: Configuration, key: str, form: re.Pattern[str], expected: str) -> str:
    command: str = getattr(configuration, key)
    value = printed(command, project=configuration.project, key=key)
    if not form.fullmatch(value):
        raise UserError(f"pyproject.toml: [tool.rehearsal] {key}: {command!r} printed {value!r}, expected {expected}")
    return value
