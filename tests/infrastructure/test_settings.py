"""What settings.py may say, and how it is refused."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from stacks.project import Approval, Environment, Model, Project, Provider, SettingsError, Source
from stacks.settings import PROJECT as SHIPPED

PROJECT = Project(
    name="acme",
    bot_name="Acme",
    account="111122223333",
    region="eu-west-1",
    source=Source(provider=Provider.GITHUB, repository="acme/bot"),
    environments=(Environment(name="dev"), Environment(name="prod", account="444455556666", region="us-east-1")),
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Acme Corp"}, "project 'Acme Corp'"),
        ({"name": "a" * 17}, "3 to 16"),
        ({"account": "12"}, "account '12'"),
        ({"region": "moon-1"}, "unknown region 'moon-1'"),
        ({"environments": ()}, "environments is empty"),
        ({"environments": (Environment(name="dev"), Environment(name="dev"))}, "'dev' stands 2 times"),
        ({"bot_name": ""}, "bot_name"),
        ({"answer_accuracy": 101}, "answer_accuracy"),
        ({"accent": "#ff8800"}, "the nearest that has it is '#ab5b00'"),
    ],
)
def test_a_project_that_cannot_be_deployed_is_refused(change: dict[str, object], said: str) -> None:
    """The message names the setting and what it was."""
    with pytest.raises(SettingsError, match=said):
        replace(PROJECT, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "Prod"}, "environment 'Prod'"),
        ({"name": "prod-eu"}, "lower-case letters and digits"),
        ({"name": "prod", "region": "eu-central"}, "unknown region 'eu-central'"),
        ({"name": "prod", "account": "1234"}, "account is 12 digits"),
        (
            {"name": "prod", "approval": "sometimes"},
            "unknown approval 'sometimes'; use one of never, on_change, always",
        ),
        ({"name": "prod", "retention_days": 0}, "retention_days"),
        ({"name": "prod", "log_retention_days": 31}, "log_retention_days"),
        ({"name": "prod", "backup_days": 36}, "backup_days is from 1 to 35"),
        ({"name": "prod", "messages_per_minute": 0}, "messages_per_minute is from 1 to 6000"),
        ({"name": "prod", "requests_per_second": 0}, "requests_per_second"),
        ({"name": "prod", "burst": 5_001}, "burst is from 1 to 5000"),
        ({"name": "prod", "allowed_origins": ("https://a.example/",)}, "'https://a.example/' is no origin such as"),
        ({"name": "prod", "allowed_origins": ("*",)}, "'\\*' is no origin"),
        ({"name": "prod", "allowed_origins": ("http://a.example",)}, "is no origin"),
        ({"name": "prod", "allowed_origins": tuple(f"https://a{n}.example" for n in range(21))}, "at most 20 sites"),
        ({"name": "prod", "alarm_topics": ("on-call",)}, "'on-call' is no ARN of an SNS topic"),
    ],
)
def test_an_environment_that_cannot_be_deployed_is_refused(settings: dict[str, object], said: str) -> None:
    """The message names the environment and the setting."""
    with pytest.raises(SettingsError, match=said):
        Environment(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"id": "arn:aws:bedrock:x"}, "not an ARN"),
        ({"id": ""}, "an id is that of a model"),
        ({"daily_tokens": 0}, "daily_tokens is at least 25600"),
        ({"daily_tokens": 9_999, "context_tokens": 4_000, "reply_tokens": 1_000}, "daily_tokens is at least 10000"),
        ({"daily_tokens": 10**12 + 1}, "daily_tokens"),
        ({"region": "moon-1"}, "unknown region 'moon-1'"),
        ({"guardrail_id": "abc"}, "go together"),
        ({"guardrail_version": "1"}, "go together"),
        ({"guardrail_id": "ABC", "guardrail_version": "1"}, "guardrail_id is an id"),
        ({"guardrail_id": "abc", "guardrail_version": "latest"}, "guardrail_version is a number"),
        ({"context_tokens": 100}, "context_tokens is from 4000"),
        ({"reply_tokens": 5_000}, "reply_tokens is from 100 to 4000"),
        ({"link_hosts": ("https://a.example",)}, "is no host such as"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused(settings: dict[str, object], said: str) -> None:
    """The message names the model and the setting."""
    with pytest.raises(SettingsError, match=said):
        Model(**{"id": "some.model-v1:0", "daily_tokens": 1_000_000} | settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"provider": "SourceForge", "repository": "acme/bot"}, "unknown provider 'SourceForge'; use one of GitHub"),
        ({"provider": "GitHub", "repository": "bot"}, "'bot' is not a name such as 'my-team/my-bot'"),
        ({"provider": "CodeCommit", "repository": "acme/bot"}, "not a name such as 'my-bot'"),
        ({"provider": "GitHub", "repository": "acme/bot", "branch": "../main"}, "not a branch name"),
    ],
)
def test_a_source_that_cannot_be_used_is_refused(settings: dict[str, str], said: str) -> None:
    """The message names what was written and what to write."""
    with pytest.raises(SettingsError, match=said):
        Source(**settings)  # type: ignore[arg-type]


def test_an_environment_lives_where_it_says_and_else_at_home() -> None:
    """Account and region fall back on the project's."""
    dev, prod = PROJECT.environments

    assert (PROJECT.account_of(dev), PROJECT.region_of(dev)) == ("111122223333", "eu-west-1")
    assert (PROJECT.account_of(prod), PROJECT.region_of(prod)) == ("444455556666", "us-east-1")
    assert [PROJECT.is_remote(each) for each in (dev, prod)] == [False, True]


def test_two_environments_never_share_a_name() -> None:
    """Names carry project, environment and part."""
    names = {PROJECT.resource_name("table", environment) for environment in (None, *PROJECT.environments)}

    assert names == {"acme-table", "acme-dev-table", "acme-prod-table"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PROJECT = (", "settings.py: line 1: '(' was never closed"),
        ("x = 1\nPROJECT = Projekt()", "settings.py: line 2: name 'Projekt' is not defined"),
        ("PROJECT = 5", "settings.py: PROJECT is a int; make it a Project"),
        ("", "has no attribute 'PROJECT'"),
        (
            "from stacks.project import *\nPROJECT = Environment(name='Prod')",
            "settings.py: line 2: environment 'Prod': a name is",
        ),
    ],
)
def test_a_broken_settings_file_is_one_line_and_exit_code_2(tmp_path: Path, text: str, said: str) -> None:
    """Neither a traceback nor a second line reaches the user."""
    root = Path(__file__).parents[2]
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    for file in (root / "stacks").glob("*.py"):
        if file.name != "settings.py":
            (stacks / file.name).symlink_to(file)
    (stacks / "settings.py").write_text(text)

    done = subprocess.run(
        [sys.executable, "-m", "stacks", "account"], cwd=tmp_path, capture_output=True, text=True, env={}
    )

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_rehearsal_follows_the_pipeline_that_the_settings_name() -> None:
    """It asks for the name, so whoever renames the project need not think of it."""
    root = Path(__file__).parents[2]
    command = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["rehearsal"]["pipeline"]

    done = subprocess.run(shlex.split(command), cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == SHIPPED.name


def test_a_change_within_a_second_is_seen(tmp_path: Path) -> None:
    """Of the same size even: Python's byte-code would be taken for that of the file as it was."""
    root = Path(__file__).parents[2]
    shutil.copytree(root / "stacks", tmp_path / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    settings = tmp_path / "stacks" / "settings.py"
    keeping = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def named(name: str) -> str:
        settings.write_text(re.sub(r'\bname="[a-z]+"', f'name="{name}"', settings.read_text(), count=1))
        os.utime(settings, (1_000_000_000, 1_000_000_000))
        command = [sys.executable, "-m", "stacks", "pipeline"]
        return subprocess.run(command, cwd=tmp_path, env=keeping, capture_output=True, text=True).stdout.strip()

    assert [named("one"), named("two")] == ["one", "two"]


def test_an_approval_is_one_of_three() -> None:
    """Never, when something changes, always."""
    assert [str(each) for each in Approval] == ["never", "on_change", "always"]
