"""What [tool.rehearsal] may say."""

from pathlib import Path

import pytest

from rehearsal import facts
from rehearsal.configuration import read
from rehearsal.errors import UserError

LEAST = {"account": "echo 1", "region": "echo r", "repository": "echo a main", "pipeline": "p", "bootstrap": "true"}


def written(folder: Path, text: str) -> Path:
    """Write a pyproject.toml."""
    (folder / "pyproject.toml").write_text(text)
    return folder


def table(**changes: str) -> str:
    """Return a [tool.rehearsal] table with TOML values in place of the least it needs."""
    values = {key: f"'{value}'" for key, value in LEAST.items()} | {k.replace("_", "-"): v for k, v in changes.items()}
    return "[tool.rehearsal]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value)


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    """Five keys are enough."""
    configuration = read(written(tmp_path, table()))

    assert configuration.project == tmp_path.resolve()
    assert (configuration.synthesize, configuration.url_tag, configuration.allowed_hosts) == ("", "Environment", ())


def test_a_folder_inside_the_project_is_the_project(tmp_path: Path) -> None:
    """The nearest pyproject.toml above counts."""
    (written(tmp_path, table()) / "a" / "b").mkdir(parents=True)

    assert read(tmp_path / "a" / "b").project == tmp_path.resolve()


def test_deploy_stages_are_named_after_environments(tmp_path: Path) -> None:
    """The pattern is read in both directions."""
    configuration = read(written(tmp_path, table(deploy_stage="'ship.{environment}'")))

    assert configuration.stage_of("dev") == "ship.dev"
    assert (configuration.environment_of("ship.dev"), configuration.environment_of("shipxdev")) == ("dev", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.rehearsal", "not valid TOML"),
        ("[tool]\nrehearsal = 'x'", r"no \[tool.rehearsal\] table"),
        ("tool = 1", r"no \[tool.rehearsal\] table"),
        (table(pipeline=""), "lacks 'pipeline'"),
        (table(colour="'red'"), "no key 'colour'"),
        (table(account="1"), "account must be one line of text, not 1"),
        (table(account="''"), "account must be one line of text"),
        (table(bootstrap="'''a\nb'''"), "bootstrap must be one line of text"),
        (table(allowed_hosts="'one'"), "allowed-hosts must be a list of strings"),
        (table(deploy_stage="'deploy'"), "must contain {environment} once"),
        (table(pipeline="'a/b'"), "no name CodePipeline allows"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    """Which file, which key, what to do."""
    with pytest.raises(UserError, match=message) as caught:
        read(written(tmp_path, text))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pipeline", ["'greeter'", "'echo greeter'"])
def test_the_pipeline_is_named_or_a_command_prints_its_name(tmp_path: Path, pipeline: str) -> None:
    """So that a project whose settings know the name need not repeat it."""
    assert facts.pipeline(read(written(tmp_path, table(pipeline=pipeline)))) == "greeter"


def test_a_command_that_prints_no_pipeline_s_name_is_told(tmp_path: Path) -> None:
    """What it printed, and what was expected."""
    with pytest.raises(UserError, match="printed 'the greeter', expected a name that CodePipeline allows"):
        facts.pipeline(read(written(tmp_path, table(pipeline="'echo the greeter'"))))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """--source leads somewhere."""
    with pytest.raises(UserError, match="no such folder"):
        read(tmp_path / "absent")
