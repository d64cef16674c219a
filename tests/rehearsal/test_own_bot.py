"""A team makes a clone its own bot, with one command, and rehearses what came of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.rehearsal.test_parley import SUITE, Team, checkout, environment, statuses, with_timeout

ACCENT, GREETING = "#7a1fa2", "Ahoy! What would you like to know about tea?"
TEA = """\
# Tea

## How is tea made?

Also asked: brewing tea | how do I brew a cup

Pour boiling water over the leaves and wait for **four minutes**.

## How long does tea keep?

Also asked: shelf life of tea | does tea go off

Black tea keeps for two years, green tea for one.
"""
# What such a team's Build has to find good: the tests of the bot itself, over what was put aside for them.
THEIR_SUITE = "tests/unit/chatbot"


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A clone that was made Ada's, delivered to its dev environment, serving."""
    team, knowledge = Team(tmp_path_factory.mktemp("ada")), tmp_path_factory.mktemp("tea")
    (knowledge / "tea.md").write_text(TEA)
    checkout(team.folder)
    makefile = team.folder / "Makefile"
    assert SUITE in makefile.read_text()
    makefile.write_text(makefile.read_text().replace(SUITE, THEIR_SUITE))
    team.git("init", "--quiet", "--initial-branch", "main")
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message", "Everything")
    own = ["--name", "Ada", "--greeting", GREETING, "--accent", ACCENT, "--knowledge", str(knowledge)]
    run(team, "own", *own)
    log = team.folder / ".git" / "first.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "rehearsal", "--to", "dev", "--approve", "all", "--json", "result.json"]
        serving = subprocess.Popen(command, cwd=team.folder, env=environment(), stdout=out, stderr=out)
    try:
        while serving.poll() is None and "until Ctrl-C" not in log.read_text():
            with_timeout(serving)
        assert serving.poll() is None, log.read_text()
        team.results.append(json.loads((team.folder / "result.json").read_text()))
        assert team.results[0]["exit_code"] == 0, log.read_text()
        yield team
    finally:
        run(team, "rehearsal", "down")
        serving.wait(60)


def run(team: Team, module: str, *arguments: str) -> None:
    """Run one of the project's commands in the clone."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=team.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_clone_is_delivered_under_its_own_name(ada: Team) -> None:
    """Build's checks and tests hold for it, and no stage knows another's pipeline."""
    (result,) = ada.results

    assert statuses(result)["Build"] == "Succeeded"
    assert statuses(result)["dev-deploy"] == "Succeeded"


def test_the_bot_looks_greets_and_answers_as_its_team_wants(ada: Team) -> None:
    """Name, colour, greeting and knowledge are the team's, through the deployed API."""
    url = ada.results[0]["urls"]["dev"]
    page = requests.get(url, timeout=30).text
    assert "<title>Ada</title>" in page
    assert f"--accent-light:{ACCENT};" in page

    started: dict[str, Any] = requests.post(f"{url}v1/conversations", timeout=30).json()
    assert started["greeting"] == GREETING
    turn = requests.post(
        f"{url}v1/conversations/{started['conversation_id']}/messages",
        json={"text": "How do I brew a cup of tea?"},
        headers={"Authorization": f"Bearer {started['token']}"},
        timeout=30,
    ).json()
    assert turn["source"] == {"id": "tea#how-is-tea-made", "title": "How is tea made?"}
    assert "**four minutes**" in turn["reply"]


def test_nothing_of_the_first_bot_is_left_in_what_is_deployed(ada: Team) -> None:
    """Resources are named after the team's project, and the knowledge holds nothing else."""
    synthesized = json.loads((ada.folder / "cdktf.out" / "stacks" / "chatbot-dev" / "cdk.tf.json").read_text())

    (function,) = synthesized["resource"]["aws_lambda_function"].values()
    assert function["function_name"] == "ada-dev-chatbot"
    assert sorted(path.name for path in (ada.folder / "knowledge").iterdir()) == ["README.md", "tea.md"]
