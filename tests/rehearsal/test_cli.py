"""The whole rehearsal, as somebody at a terminal meets it: a small project's pipeline, without Terraform."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rehearsal.cli import main
from rehearsal.typed import typed

HOUSE = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample"
DEADLINE_SECONDS = 60
GIT = shutil.which("git")


def environment(**further: str) -> dict[str, str]:
    """Return what a person's shell would hand on: python is this one, and AWS is somebody else's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GIT_", "APPROVE"))}
    path = f"{Path(sys.executable).parent}:{kept['PATH']}"
    real = {"AWS_ACCESS_KEY_ID": "real", "AWS_SECRET_ACCESS_KEY": "real", "AWS_PROFILE": "real"}
    return kept | real | {"PATH": path, "PYTHONPATH": str(HOUSE), "COLUMNS": "200"} | further


def eventually(met: Callable[[], bool], what: str) -> None:
    """Wait for ``met``."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not met():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@dataclass
class Terminal:
    """A rehearsal in a session of its own, whose output goes to a file."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def text(self) -> str:
        """What it printed so far."""
        return self.output.read_text(errors="replace")

    def shows(self, text: str) -> None:
        """Wait until it printed ``text``."""
        eventually(lambda: text in self.text or self.process.poll() is not None, f"{text!r} not in:\n{self.text}")
        assert text in self.text

    def ends(self, number: signal.Signals | None = None, within: float = DEADLINE_SECONDS) -> int:
        """Send a signal, and wait for the exit code."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(within)


@dataclass
class Project:
    """A copy of the sample in a git repository of its own."""

    folder: Path
    terminals: list[Terminal] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        """Run git as somebody with an identity."""
        words = ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", *arguments]
        command = subprocess.run(words, cwd=self.folder, env=environment(), check=True, capture_output=True, text=True)
        return command.stdout.strip()

    def greet(self, greeting: str) -> None:
        """Make an uncommitted change."""
        (self.folder / "greeting.txt").write_text(greeting + "\n")

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m rehearsal`` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "rehearsal", *arguments],
            cwd=self.folder,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )

    def start(self, *arguments: str) -> Terminal:
        """Start ``python -m rehearsal`` in the background."""
        output = self.folder.parent / f"output-{len(self.terminals)}"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "rehearsal", *arguments],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.terminals.append(Terminal(process, output))
        return self.terminals[-1]

    def sit_down(self, *arguments: str) -> "Seat":
        """Start ``python -m rehearsal`` on a terminal that a person sits at."""
        keyboard, screen = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "rehearsal", *arguments],
            cwd=self.folder,
            env=environment(TERM="xterm"),
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
        )
        os.close(screen)
        return Seat(process, keyboard)

    @property
    def note(self) -> Path:
        """What deployments write to outlive their folder."""
        return self.folder.parent / "note"


@dataclass
class Seat:
    """A person at a terminal."""

    process: subprocess.Popen[bytes]
    keyboard: int
    seen: str = ""

    def sees(self, text: str) -> None:
        """Read the terminal until ``text`` appears on it."""
        while text not in self.seen:
            try:
                self.seen += os.read(self.keyboard, 65536).decode(errors="replace")
            except OSError:
                break
        assert text in self.seen

    def types(self, line: str) -> None:
        """Type a line."""
        os.write(self.keyboard, line.encode() + b"\n")

    def leaves(self) -> int:
        """Watch until the end, and return the exit code."""
        try:
            while data := os.read(self.keyboard, 65536):
                self.seen += data.decode(errors="replace")
        except OSError:  # how Linux says that nobody writes any more
            pass
        os.close(self.keyboard)
        return self.process.wait(DEADLINE_SECONDS)


def copied(folder: Path) -> Project:
    """Copy the sample into ``folder`` and commit it."""
    shutil.copytree(SAMPLE, folder / "greeter", ignore=shutil.ignore_patterns(".rehearsal", "__pycache__"))
    project = Project(folder / "greeter")
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("add", ".")
    project.git("commit", "--quiet", "-m", "first")
    return project


def end(project: Project) -> None:
    """End what a failed test left behind."""
    for terminal in project.terminals:
        if terminal.process.poll() is None:
            terminal.process.terminate()
            terminal.process.wait(DEADLINE_SECONDS)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project that nothing serves."""
    project = copied(tmp_path)
    yield project
    end(project)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose cloud serves after a first delivery."""
    project = copied(tmp_path_factory.mktemp("served"))
    project.start("--approve", "all").shows("serving http")
    yield project
    end(project)


@pytest.fixture(autouse=True)
def _fresh_note(request: pytest.FixtureRequest) -> None:
    if "served" in request.fixturenames:
        request.getfixturevalue("served").note.unlink(missing_ok=True)


def addresses(text: str) -> dict[str, str]:
    """Return the addresses that a rehearsal printed, by environment."""
    return dict(re.findall(r"^(\w+): (http://127\.0\.0\.1:\d+/execute-api/\S+/)$", text, re.MULTILINE))


def fetched(url: str) -> str:
    """Return what an address answers."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
        return str(answer.read().decode())


def test_the_first_delivery_ends_in_addresses_that_answer(served: Project) -> None:
    """Bootstrapped, delivered, approved; and what was deployed can be talked to."""
    text = served.terminals[0].text

    assert "prod-deploy/Greet succeeded" in text
    assert {label: fetched(url) for label, url in addresses(text).items()} == {
        "dev": "dev is greeted",
        "prod": "prod is greeted",
    }


def test_a_change_is_delivered_to_the_cloud_that_serves(served: Project, tmp_path: Path) -> None:
    """The second terminal pushes the uncommitted change, follows it, and writes the result."""
    served.greet("Hello twice")
    (served.folder / "stranger.txt").write_text("unknown to git")

    result = served.run("--json", str(tmp_path / "result.json"), APPROVE="all")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 uncommitted file included" in result.stdout
    assert "1 untracked not included (git add makes them part of it): stranger.txt" in result.stdout
    told = json.loads((tmp_path / "result.json").read_text())
    assert (told["status"], told["exit_code"], set(told["urls"])) == ("Succeeded", 0, {"dev", "prod"})
    stages = {stage["name"]: stage for stage in told["stages"]}
    assert list(stages) == ["Source", "Build", "dev-deploy", "prod-approve", "prod-deploy"]
    assert "Hello twice, dev" in Path(stages["dev-deploy"]["actions"][0]["log"]).read_text()
    assert all(stage["status"] == "Succeeded" and stage["seconds"] >= 0 for stage in told["stages"])
    served.terminals[0].shows(f"execution {told['execution'][:8]} ✔ Succeeded")


def test_the_same_files_are_delivered_again(served: Project) -> None:
    """Without a change, the same revision is executed once more, and that is said."""
    served.greet("Hello again")
    served.run("--approve", "all")
    served.git("commit", "--quiet", "--all", "-m", "again")

    result = served.run("--approve", "all")

    assert result.returncode == 0
    assert "holds exactly these files: starting an execution of the same revision" in result.stdout


def test_an_approval_nobody_can_answer_is_rejected(served: Project) -> None:
    """Without a terminal the question is shown, rejected, and the way out named."""
    served.greet("Hello nobody")

    result = served.run()

    assert result.returncode == 1
    assert "Shall prod hear 'Hello nobody'?" in result.stdout
    assert "https://example.com/review" in result.stdout
    assert "--approve all" in result.stdout
    assert "was rejected at prod-approve/Approve" in result.stdout
    assert "prod-deploy/Greet succeeded" not in result.stdout
    assert re.search(r"execution \w+ was rejected at prod-approve/Approve", served.run("status").stdout)


def test_a_person_approves_at_the_terminal(served: Project) -> None:
    """The question is asked there, and the words are kept with the answer."""
    served.greet("Hello person")
    seat = served.sit_down()

    seat.sees("approve?")
    seat.types("y looks good")

    assert seat.leaves() == 0, seat.seen
    assert "Shall prod hear 'Hello person'?" in seat.seen
    assert "prod-approve/Approve approved: looks good" in seat.seen


def test_a_person_who_only_presses_enter_rejects(served: Project) -> None:
    """The safe answer is the short one."""
    served.greet("Hello enter")
    seat = served.sit_down()

    seat.sees("approve?")
    seat.types("")

    assert seat.leaves() == 1
    assert "was rejected" in seat.seen


def test_an_approval_can_be_answered_elsewhere(served: Project) -> None:
    """While one terminal asks, another one shows what waits, and answers it."""
    served.greet("Hello elsewhere")
    seat = served.sit_down()
    seat.sees("approve?")

    shown = served.run("status")
    answered = served.run("approve", "--comment", "from afar")

    assert "prod-approve/Approve waits for approval" in shown.stdout
    assert f"{sys.executable} -m rehearsal approve" in shown.stdout
    assert answered.returncode == 0, answered.stderr
    assert seat.leaves() == 0, seat.seen
    assert "answered elsewhere" in seat.seen


def test_nothing_to_approve_is_said(served: Project) -> None:
    """An answer without question is a mistake."""
    result = served.run("reject")

    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "nothing waits for approval" in result.stderr


def test_a_skipped_stage_is_told(served: Project) -> None:
    """The approval is left out where its condition says so; the execution succeeds without."""
    served.greet("Quiet")

    result = served.run()

    assert result.returncode == 0, result.stdout
    assert re.search("^prod-approve skipped", result.stdout, re.MULTILINE)
    assert re.search(r"prod-approve +Approve +↷ Skipped", result.stdout)


def test_a_failed_action_shows_why(served: Project, tmp_path: Path) -> None:
    """Its name, the end of its log, and the log's path; the result is written all the same."""
    served.greet("broken heart")

    result = served.run("--json", str(tmp_path / "result.json"))

    assert result.returncode == 1
    assert "dev-deploy/Greet failed" in result.stdout
    assert "  cannot greet dev" in result.stdout
    told = json.loads((tmp_path / "result.json").read_text())
    greet = told["stages"][2]["actions"][0]
    assert (told["status"], greet["status"]) == ("Failed", "Failed")
    assert f"log: {greet['log']}" in result.stdout
    assert served.run("logs").stdout == Path(greet["log"]).read_text()


def test_a_delivery_can_end_at_an_environment(served: Project) -> None:
    """--to dev deploys dev, and no approval is asked for."""
    served.greet("Hello dev")

    result = served.run("--to", "dev")

    assert result.returncode == 0, result.stdout
    assert "once dev-deploy had succeeded, as asked" in result.stdout
    assert "prod-deploy/Greet succeeded" not in result.stdout


def test_the_last_environment_needs_no_stopping(served: Project) -> None:
    """--to prod is the whole pipeline, which succeeds."""
    served.greet("Hello prod")

    result = served.run("--to", "prod", "--approve", "all")

    assert result.returncode == 0, result.stdout
    assert re.search(r"execution \w+ succeeded", result.stdout)


def test_an_environment_nobody_deploys_is_named(served: Project) -> None:
    """With the ones there are."""
    result = served.run("--to", "moon")

    assert result.returncode == 2
    assert result.stderr == "--to moon: the pipeline deploys no such environment; known: dev, prod\n"


def test_a_pipeline_that_changes_itself_is_followed_on(served: Project) -> None:
    """The execution that takes over is followed to its end in place of the one that stopped."""
    served.greet("again and again")

    result = served.run("--approve", "all")

    assert result.returncode == 0, result.stdout
    assert "the pipeline changed itself" in result.stdout
    assert "prod-deploy/Greet succeeded" in result.stdout


def test_any_git_push_is_noticed(served: Project) -> None:
    """The path that status shows takes pushes, and the serving terminal tells of their executions."""
    served.greet("Hello push")
    served.git("commit", "--quiet", "--all", "-m", "push")
    path = re.findall(r"^git push (\S+)", served.run("status").stdout, re.MULTILINE)[0]
    before = served.terminals[0].text.count(" began")

    served.git("push", "--quiet", "--force", path, "HEAD:main")

    eventually(lambda: served.terminals[0].text.count(" began") > before, "the push started nothing")
    eventually(lambda: served.run("reject").returncode == 0, "nothing came to wait for approval")


def test_a_shell_can_live_in_the_cloud(served: Project) -> None:
    """What ``env`` prints is for eval: the caller's credentials are out, the project's own variables in."""
    script = (
        'eval "$(python -m rehearsal env)"; echo "$GREETER/${AWS_PROFILE:-}"; '
        "python -c \"import boto3; print(boto3.client('sts').get_caller_identity()['Account'])\""
    )

    result = subprocess.run(
        ["bash", "-c", script], cwd=served.folder, env=environment(), capture_output=True, text=True, check=True
    )

    assert result.stdout.split("\n")[:2] == ["from the sample/", "210987654321"]


def greets(project: Project, terminal: Terminal) -> None:
    """Wait until dev is being greeted, by the execution that ``terminal`` follows."""
    terminal.shows("Build/Build succeeded")
    status = r"dev-deploy +Greet +▶ InProgress"
    eventually(lambda: bool(re.search(status, project.run("status").stdout)), "the deployment did not begin")


def test_who_follows_can_leave(served: Project) -> None:
    """Ctrl-C in the second terminal leaves the execution alone; stop ends it."""
    served.greet("slow and steady")
    follower = served.start()
    greets(served, follower)

    assert follower.ends(signal.SIGINT) == 130
    assert "goes on" in follower.text
    assert re.search(r"dev-deploy +Greet +▶ InProgress", served.run("status").stdout)
    assert served.run("stop").returncode == 0
    stop_build(served)


def stop_build(project: Project) -> None:
    """Interrupt the running deployment, so that the next test finds the stage free."""
    script = (
        'eval "$(python -m rehearsal env)"; python -c "import boto3; c = boto3.client(\'codebuild\'); '
        "[c.stop_build(id=i) for i in c.list_builds(sortOrder='DESCENDING')['ids'][:1]]\""
    )
    subprocess.run(["bash", "-c", script], cwd=project.folder, env=environment(), capture_output=True, check=True)
    eventually(lambda: project.note.exists(), "the deployment did not notice that it was interrupted")


def test_ctrl_c_lets_a_deployment_save_its_state(project: Project) -> None:
    """Interrupted in the middle of a deployment: that one tidies up, then everything is gone."""
    project.greet("slow")
    terminal = project.start("--approve", "all")
    greets(project, terminal)

    assert terminal.ends(signal.SIGINT) == 130
    assert project.note.read_text() == "saved my state\n"
    assert "builds under way are interrupted" in terminal.text
    assert not (project.folder / ".rehearsal" / "cloud.json").exists()
    assert left_behind(project) == []


def test_ctrl_c_twice_does_not_wait(project: Project) -> None:
    """A deployment that ignores being interrupted is ended at the second Ctrl-C."""
    project.greet("stubborn")
    terminal = project.start("--approve", "all")
    greets(project, terminal)
    terminal.process.send_signal(signal.SIGINT)
    terminal.shows("Ctrl-C hurries them")

    # Unhurried, it would have half a minute.
    assert terminal.ends(signal.SIGINT, within=25) == 130
    assert left_behind(project) == []


def left_behind(project: Project) -> list[str]:
    """Return the processes that still work in the project's folder, where the system tells."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((process / "cwd").readlink()).startswith(str(project.folder)):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def descendants(project: Project) -> list[str]:
    """Return the processes that a rehearsal of the project started, builds too, where the system tells."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(project.folder.parent).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return [command for command in found if command]


def test_a_kill_ends_the_bootstrap_too(project: Project) -> None:
    """Nobody is left for it to talk to, however long it would try."""
    settings = (project.folder / "pyproject.toml").read_text()
    slow = settings.replace("python bootstrap.py", "sh -c 'echo laying bricks; sleep 600; true'")
    (project.folder / "pyproject.toml").write_text(slow)
    terminal = project.start()
    eventually(lambda: "laying bricks\n" in project.run("status").stdout, "the bootstrap did not begin")
    assert left_behind(project)

    assert terminal.ends(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: left_behind(project) == [], "the bootstrap lives on")


def test_a_kill_ends_the_builds_too(project: Project) -> None:
    """Even one that would not be interrupted."""
    project.greet("stubborn")
    terminal = project.start("--approve", "all")
    greets(project, terminal)
    assert descendants(project)

    assert terminal.ends(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: descendants(project) == [], "a build lives on")


def test_down_ends_everything(project: Project) -> None:
    """The first terminal ends with its delivery's exit code, and nothing serves any more."""
    terminal = project.start("--approve", "all")
    terminal.shows("serving http")
    endpoint = addresses(terminal.text)["dev"]

    down = project.run("down")

    assert (down.returncode, terminal.ends()) == (0, 0)
    assert project.run("status").returncode == 1
    assert project.run("down").returncode == 0
    with pytest.raises(OSError, match=r"refused|reset"):
        fetched(endpoint)


def test_a_cloud_that_goes_away_is_told(project: Project) -> None:
    """Who follows when the first terminal ends gets one line."""
    project.greet("Hello")
    terminal = project.start("--approve", "all")
    terminal.shows("serving http")
    project.greet("slow")
    follower = project.start()
    greets(project, follower)

    assert terminal.ends(signal.SIGTERM) == 0
    assert follower.ends() == 1
    assert "Traceback" not in follower.text
    assert "the rehearsal" in follower.text.splitlines()[-1] or "does not answer any more" in follower.text


def test_leftovers_of_a_killed_rehearsal_do_not_matter(project: Project) -> None:
    """A stale cloud.json is no cloud; and the job of a build server ends with its delivery."""
    folder = project.folder / ".rehearsal"
    folder.mkdir()
    stale = {"endpoint": "http://127.0.0.1:1", "pid": os.getpid(), "account": "1", "region": "r", "started_at": ""}
    (folder / "cloud.json").write_text(json.dumps(stale))
    (folder / "lock").write_text(f"{os.getpid()}\n")

    assert project.run("status").returncode == 1
    result = project.run("--exit-when-done", "--approve", "all")

    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.rstrip().endswith("everything that was started has ended")


def test_two_that_start_at_once_do_not_meet(project: Project) -> None:
    """One of them delivers; the other one says that it is the second, and nothing else."""
    terminals = [project.start("--exit-when-done", "--approve", "all") for _ in range(2)]
    codes = sorted(terminal.ends() for terminal in terminals)

    assert codes == [0, 2]
    second = next(terminal for terminal in terminals if terminal.process.returncode == 2)
    assert "start" in second.text
    assert second.text.count("\n") == 1


def test_a_bootstrap_that_fails_shows_why(project: Project, tmp_path: Path) -> None:
    """Its last lines, its log, exit code 1, and a result for programs."""
    result = project.run("--json", str(tmp_path / "result.json"), GREETER="absent")

    assert result.returncode == 1
    assert "bootstrap failed" in result.stderr
    assert "  the greeter cannot come today" in result.stderr
    assert f"log: {project.folder}/.rehearsal/logs/bootstrap.log" in result.stderr
    assert json.loads((tmp_path / "result.json").read_text())["status"] == "Failed"
    assert "Traceback" not in result.stderr


def test_a_full_disk_is_named(project: Project) -> None:
    """Which folder has no room, and what helps, in one line."""
    (project.folder / ".rehearsal").mkdir()
    (project.folder / ".rehearsal" / ".gitignore").symlink_to("/dev/full")

    result = project.run()

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert re.match(r"/\S+: No space left on device \(\d+ MB free\); make room there.*run this again", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "buildspec", "message"),
    [
        (["--to", "moon"], "", "--to moon: the pipeline deploys no such environment; known: dev, prod\n"),
        ([], "version: 0.2\nphases: {build: {comands: [ls]}}\n", r"buildspec.yml, line 2: .*comands.*\n"),
        ([], "version: [\n", r"buildspec.yml, line 2: .*\n"),
        ([], None, "buildspec.yml is not in what would be pushed; .*\n"),
    ],
)
def test_what_could_not_end_well_is_not_begun(
    project: Project, arguments: list[str], buildspec: str | None, message: str
) -> None:
    """Where the project says how to find out, a mistake does not wait for the pipeline to be made."""
    settings = (project.folder / "pyproject.toml").read_text()
    known = 'environments = "echo dev prod"\nbuildspec = "buildspec.yml"\n'
    (project.folder / "pyproject.toml").write_text(settings + known)
    if buildspec is None:
        project.git("rm", "--quiet", "buildspec.yml")
    elif buildspec:
        (project.folder / "buildspec.yml").write_text(buildspec)

    result = project.run(*arguments, "--json", "result.json")

    assert result.returncode == 2
    assert re.fullmatch(message, result.stderr)
    assert result.stdout == ""
    assert json.loads((project.folder / "result.json").read_text())["exit_code"] == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_start_that_is_ended_while_it_reads_the_working_tree_leaves_nothing(
    project: Project, tmp_path: Path, number: signal.Signals
) -> None:
    """As a terminal that is closed at once ends it."""
    programs, temporary = tmp_path / "programs", tmp_path / "temporary"
    programs.mkdir()
    temporary.mkdir()
    git = programs / "git"
    ending = f"kill -{number.value} $PPID; sleep 5"
    git.write_text(f'#!/bin/sh\ncase "$*" in *write-tree*) {ending};; esac\nexec {GIT} "$@"\n')
    git.chmod(0o755)

    result = project.run(PATH=f"{programs}:{environment()['PATH']}", TMPDIR=str(temporary))

    assert (result.returncode, result.stderr) == (128 + number, "")
    assert list(temporary.iterdir()) == []


def test_a_port_in_use_is_a_mistake(project: Project) -> None:
    """One line, and nothing was started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = project.run("--port", str(taken.getsockname()[1]))

    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "in use" in result.stderr
    assert "ended" not in result.stdout


def test_status_says_how_far_a_start_is(project: Project) -> None:
    """Which of the project's commands runs, and what it said last; nobody is told to push."""
    settings = (project.folder / "pyproject.toml").read_text()
    slow = settings.replace("python bootstrap.py", "sh -c 'echo laying bricks; sleep 60'")
    (project.folder / "pyproject.toml").write_text(slow)
    terminal = project.start()
    eventually(lambda: "laying bricks\n" in project.run("status").stdout, "status did not tell of the bootstrap")

    told = project.run("status")

    assert told.returncode == 0
    assert told.stdout.startswith("starting: http")
    assert "bootstrap: sh -c" in told.stdout
    assert "git push" not in told.stdout
    terminal.ends(signal.SIGTERM)


def test_status_explains_the_execution_that_nobody_started(project: Project) -> None:
    """The creation of the pipeline did, before anything was pushed: that it failed is no fault."""
    project.start("--approve", "all").shows("serving http")

    lines = project.run("status").stdout.splitlines()

    (failed,) = [line for line in lines if "✘ Failed" in line]
    assert "the pipeline's creation" in failed
    assert "nothing had been pushed yet" in failed


def test_a_command_that_is_named_works_as_typed(project: Project) -> None:
    """In a shell whose own python is another, or none."""
    said = project.run("env").stderr
    named = said.rpartition("start it: ")[2].strip()
    poor = environment(PATH="/usr/bin:/bin")
    shell = ["bash", "-c", f"{named} --help"]
    done = subprocess.run(shell, cwd=project.folder, env=poor, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: {named}")


def test_a_command_that_is_named_is_short(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    """Relative where that works, and with the project where it is another folder's."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(sys, "executable", str(project.folder / ".venv/bin/python"))
    assert typed("status", project=project.folder) == ".venv/bin/python -m rehearsal status"
    monkeypatch.chdir(project.folder.parent)
    assert typed("down", project=project.folder).endswith("greeter/.venv/bin/python -m rehearsal down --source greeter")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--approve", "maybe"], "--approve=maybe: expected one of ask, all, none"),
        (["--json", "/nowhere/at/all.json"], "--json /nowhere/at/all.json: cannot be written"),
        (["--source", "/nowhere/at/all"], "--source /nowhere/at/all: no such folder"),
        (["env"], "nothing is being rehearsed"),
        (["approve"], "nothing is being rehearsed"),
        (["logs", "Build/Build"], "nothing is being rehearsed"),
    ],
)
def test_a_mistake_is_one_line(
    project: Project,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What, where and what to do next, with exit code 2."""
    monkeypatch.chdir(project.folder)

    assert main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--colour"], ["--port", "http"], ["dance"], ["logs", "--colour"], ["down", "now"]]
)
def test_a_word_that_means_nothing_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What it is, and where the words stand that mean something."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    told = capsys.readouterr().err
    assert (ended.value.code, told.count("\n")) == (2, 1)
    assert arguments[-1] in told
    assert "--help" in told


def test_commands_that_do_not_do_their_part_are_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key of [tool.rehearsal], the command and what it said."""
    monkeypatch.chdir(project.folder)
    table = (project.folder / "pyproject.toml").read_text()
    for command, complaint in {
        "echo one": "printed 'one', expected an account id of 12 digits",
        "absent-program": "cannot be run: No such file or directory",
        "sh -c 'echo no >&2; exit 3'": "ended with 3: no",
        "echo '": "is no command line",
    }.items():
        written = table.replace('"echo 210987654321"', json.dumps(command))
        (project.folder / "pyproject.toml").write_text(written)

        assert main([]) == 2
        told = capsys.readouterr().err
        assert "[tool.rehearsal] account" in told
        assert complaint in told


def test_questions_do_not_load_the_emulator() -> None:
    """Help and status answer at once."""
    script = "import sys, rehearsal.cli, rehearsal.enquiries; print([m for m in ('moto', 'boto3') if m in sys.modules])"

    result = subprocess.run([sys.executable, "-c", script], cwd=HOUSE, capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"
