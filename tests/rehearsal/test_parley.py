"""Parley itself, rehearsed: real Terraform, the real provider, every stage, and the second changes that follow."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")
# The suite that Build runs is the one that runs this test: one file of it stands for all.
SUITE, ONE_FILE = "tests/unit tests/infrastructure", "tests/unit/delivery/test_delivery_child.py"


@dataclass
class Team:
    """A team's checkout of Parley, and the cloud that it serves."""

    folder: Path
    serving: "subprocess.Popen[bytes] | None" = None
    results: list[dict[str, Any]] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        """Run git in the checkout."""
        command = ["git", "-c", "user.name=Team", "-c", "user.email=team@example.com", *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def rehearse(self, *arguments: str, approve: str = "all") -> subprocess.CompletedProcess[str]:
        """Push the working tree to the cloud that is serving, and follow it to its end."""
        return subprocess.run(
            [sys.executable, "-m", "rehearsal", "--approve", approve, *arguments],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
        )

    def change(self, *arguments: str, approve: str = "all") -> dict[str, Any]:
        """Rehearse, and return the execution's result."""
        done = self.rehearse("--json", "result.json", *arguments, approve=approve)
        result: dict[str, Any] = json.loads((self.folder / "result.json").read_text())
        return result | {"said": done.stdout + done.stderr, "code": done.returncode}

    def log(self, result: dict[str, Any], stage: str, action: str) -> str:
        """The log of one action."""
        (path,) = (
            a["log"] for s in result["stages"] if s["name"] == stage for a in s["actions"] if a["name"] == action
        )
        return Path(path).read_text()


def environment() -> dict[str, str]:
    """The environment of a person's shell, with the project's Node first."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_", "PYTEST"))}
    return kept | {
        "PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "CHECKPOINT_DISABLE": "1",
    }


def checkout(folder: Path) -> None:
    """Copy the files that git knows, and let the copy share what set-up installed."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for name in (".venv", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".git" / "info").mkdir(parents=True)
    (folder / ".git" / "info" / "exclude").write_text(".venv\nnode_modules\nresult.json\n")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A cloud to which the first change was delivered through prod, serving."""
    team = Team(tmp_path_factory.mktemp("team"))
    checkout(team.folder)
    makefile = team.folder / "Makefile"
    assert SUITE in makefile.read_text()
    makefile.write_text(makefile.read_text().replace(SUITE, ONE_FILE))
    team.git("init", "--quiet", "--initial-branch", "main")
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message", "Everything")
    log = team.folder / ".git" / "first.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "rehearsal", "--approve", "all", "--json", "result.json"]
        serving = subprocess.Popen(command, cwd=team.folder, env=environment(), stdout=out, stderr=out)
        team.serving = serving
    try:
        while serving.poll() is None and "until Ctrl-C" not in log.read_text():
            with_timeout(serving)
        assert serving.poll() is None, log.read_text()
        team.results.append(json.loads((team.folder / "result.json").read_text()))
        assert team.results[0]["status"] == "Succeeded", log.read_text()
        yield team
    finally:
        subprocess.run([sys.executable, "-m", "rehearsal", "down"], cwd=team.folder, env=environment(), check=False)
        serving.wait(60)


def with_timeout(process: subprocess.Popen[bytes]) -> None:
    """Wait a moment for ``process`` to end."""
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        return


def call(url: str, body: object | None = None, token: str = "") -> dict[str, Any]:
    """Ask the chatbot's API."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def ask(url: str, text: str) -> dict[str, Any]:
    """Ask a question in a new conversation."""
    started = call(f"{url}v1/conversations", {})
    messages = f"{url}v1/conversations/{started['conversation_id']}/messages"
    return call(messages, {"text": text}, started["token"])


def statuses(result: dict[str, Any]) -> dict[str, str]:
    """The status of every stage."""
    return {stage["name"]: stage["status"] for stage in result["stages"]}


def summary(log: str) -> str:
    """The counts of a plan, as Terraform's log has them."""
    return re.sub(r"\x1b\[[0-9;]*m", "", log)


def test_the_first_change_reaches_prod_through_every_stage(team: Team) -> None:
    """Source to prod, each with its status, and a URL for every environment."""
    (first,) = team.results

    skipped = {name for name, status in statuses(first).items() if status == "Skipped"}
    assert skipped == {"prod-approve-destructive"}
    assert set(statuses(first).values()) == {"Succeeded", "Skipped"}
    assert set(first["urls"]) == set(ENVIRONMENTS)


def test_every_environment_serves_the_page_and_answers_with_its_source(team: Team) -> None:
    """From the zip that was deployed, and its table."""
    for environment, url in team.results[0]["urls"].items():
        with urllib.request.urlopen(url, timeout=30) as page:
            assert page.headers["Content-Type"].startswith("text/html")
        assert call(f"{url}health")["environment"] == environment
        turn = ask(url, "What is Parley?")
        assert turn["answered"] is True
        assert turn["source"]["title"]


def test_a_change_of_nothing_plans_nothing_and_asks_nobody(team: Team) -> None:
    """The approval is skipped; apply has nothing to do; verify talks to the bot all the same."""
    result = team.change(approve="none")

    assert result["code"] == 0, result["said"]
    assert statuses(result)["prod-approve"] == "Skipped"
    assert statuses(result)["prod-deploy"] == "Succeeded"
    assert "# chatbot-dev: no changes" in team.log(result, "dev-plan", "Plan")


def test_a_changed_answer_updates_one_function_and_is_what_the_bot_says(team: Team) -> None:
    """The plan names the function, and the page answers anew; an uncommitted file goes along, and is said to."""
    about = team.folder / "knowledge" / "about.md"
    about.write_text(about.read_text() + "\n## What is the password of the moon?\n\nThe moon's password is gibbous.\n")

    result = team.change("--to", "dev")

    assert result["code"] == 0, result["said"]
    assert "uncommitted" in result["said"]
    plan = summary(team.log(result, "dev-plan", "Plan"))
    assert "# chatbot-dev: 2 to change" in plan
    assert re.findall(r"^! (\w+)\.", plan, re.MULTILINE)[:2] == ["aws_lambda_alias", "aws_lambda_function"]
    assert "| What is the password of the moon? | *no answer* | about\\#what-is-the-password-of-the-moon |" in plan
    assert "gibbous" in ask(result["urls"]["dev"], "What is the password of the moon?")["reply"]


def test_a_plan_that_fails_says_so_and_the_next_push_converges(team: Team) -> None:
    """The action's log names the cause; nothing later ran; the mended change goes through."""
    table = team.folder / "stacks" / "chatbot" / "table.py"
    good = table.read_text()
    table.write_text(good.replace('billing_mode="PAY_PER_REQUEST"', 'billing_mode="FREE_OF_CHARGE"'))
    broken = team.change("--to", "dev")
    table.write_text(good)
    mended = team.change("--to", "dev")

    assert broken["code"] == 1
    assert statuses(broken)["dev-plan"] == "Failed"
    assert "FREE_OF_CHARGE" in broken["said"]
    assert mended["code"] == 0, mended["said"]


def test_a_synth_that_fails_in_build_stops_there_in_one_line(team: Team) -> None:
    """CodePipeline's limits are met at synth, not at deployment."""
    settings = team.folder / "stacks" / "settings.py"
    good = settings.read_text()
    settings.write_text(good.replace('Environment(name="staging")', '*(Environment(name=f"e{n}") for n in range(30))'))
    result = team.change()
    settings.write_text(good)

    assert result["code"] == 1
    assert statuses(result)["Build"] == "Failed"
    assert "CodePipeline allows 50: use fewer environments" in result["said"]


def test_broken_settings_are_refused_before_anything_is_pushed(team: Team) -> None:
    """One line, exit code 2."""
    settings = team.folder / "stacks" / "settings.py"
    good = settings.read_text()
    settings.write_text(good.replace('Environment(name="staging")', 'Environment(name="Staging")'))
    done = team.rehearse()
    settings.write_text(good)

    assert done.returncode == 2
    assert "environment 'Staging'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_removed_resource_is_shown_as_destroyed_and_a_rejection_stops_it_before_prod(team: Team) -> None:
    """dev and staging lose it; prod keeps it."""
    stack = team.folder / "stacks" / "chatbot" / "stack.py"
    stack.write_text(re.sub(r"\n        ChatAlarms\(.*\)\n", "\n", stack.read_text()))
    stack.write_text(stack.read_text().replace("from stacks.chatbot.alarms import ChatAlarms\n", ""))

    result = team.change(approve="none")

    assert result["code"] == 1
    assert statuses(result)["prod-approve"] == "Failed"
    assert statuses(result)["staging-deploy"] == "Succeeded"
    assert "4 to destroy" in summary(team.log(result, "prod-plan", "Plan"))


def test_a_changed_pipeline_updates_itself_once_and_the_same_commit_goes_on(team: Team) -> None:
    """UpdatePipeline applies, starts one execution of the same revision, and that one finds nothing to update."""
    projects = team.folder / "stacks" / "pipeline" / "projects.py"
    projects.write_text(projects.read_text().replace("LOG_DAYS = 30", "LOG_DAYS = 60"))

    result = team.change("--to", "dev")

    assert result["code"] == 0, result["said"]
    assert "pipeline: unchanged" in team.log(result, "UpdatePipeline", "Update")
    assert status(team).count(result["commit"][:8]) == 2


def status(team: Team) -> str:
    """What the command of that name prints."""
    command = [sys.executable, "-m", "rehearsal", "status"]
    return subprocess.run(command, cwd=team.folder, env=environment(), capture_output=True, text=True).stdout


def test_cdktf_deploy_works_against_the_running_rehearsal(team: Team) -> None:
    """With nothing but the variables that `python -m rehearsal env` prints."""
    script = (
        f'eval "$({sys.executable} -m rehearsal env)" && '
        "node_modules/.bin/node node_modules/.bin/cdktf deploy chatbot-dev --auto-approve"
    )

    done = subprocess.run(
        ["bash", "-ec", script], cwd=team.folder, env=environment(), capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "url = https://" in done.stdout


def test_ctrl_c_in_the_middle_of_an_apply_ends_everything_in_order(team: Team) -> None:
    """Terraform may save its state; then no build, no cloud and no file that names one is left."""
    about = team.folder / "knowledge" / "about.md"
    about.write_text(about.read_text() + "\n## What is the password of mars?\n\nIt is Phobos.\n")
    assert team.serving is not None
    endpoint = json.loads((team.folder / ".rehearsal" / "cloud.json").read_text())["endpoint"]
    follower = subprocess.Popen(
        [sys.executable, "-m", "rehearsal", "--approve", "all"],
        cwd=team.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert follower.stdout is not None
    assert any("dev-plan/Plan succeeded" in line for line in follower.stdout)
    shown = (re.search(r"dev-deploy +Apply +\S (\w+)", status(team)) for _ in range(60))
    assert next(found[1] for found in shown if found) == "InProgress"

    team.serving.send_signal(signal.SIGINT)
    follower.communicate(timeout=120)

    assert team.serving.wait(120) == 0  # what it was started for, the first delivery, had succeeded
    assert follower.returncode == 1
    assert living_in(endpoint) == []
    assert not (team.folder / ".rehearsal" / "cloud.json").exists()


def living_in(endpoint: str) -> list[str]:
    """The command lines of processes whose environment points at ``endpoint``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"AWS_ENDPOINT_URL={endpoint}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
