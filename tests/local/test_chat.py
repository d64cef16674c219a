"""The bot alone on this machine, as a person starts it: ready soon, learning while it runs, ending cleanly."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[2]
LAMBDA = ROOT / "lambda"
LOOKS = {"BOT_NAME": "Ada", "GREETING": "Good day.", "ACCENT": "#7a1fa2", "ACCENT_DARK": "#c58be0"}
TEA = "# Tea\n\n## How is tea made?\n\nWith hot water.\n"


def eventually(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Return what a condition gives as soon as it gives something true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


class Running:
    """A server process with its output in a file, and its address."""

    def __init__(self, folder: Path, output: Path) -> None:
        self.output = output
        with output.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatbot.serve", "--port", "0", "--knowledge", str(folder)],
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": str(LAMBDA)} | LOOKS,
            )
        self.url = eventually(lambda: re.search(r"http://127\.0\.0\.1:\d+/", self.told()))[0]

    def told(self) -> str:
        return self.output.read_text()

    def ask(self, text: str) -> Any:
        started = requests.post(f"{self.url}v1/conversations", timeout=5)
        path = f"{self.url}v1/{started.headers['Location']}"
        token = {"Authorization": f"Bearer {started.json()['token']}"}
        return requests.post(path, json={"text": text}, headers=token, timeout=5).json()


@pytest.fixture
def knowledge_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "tea.md").write_text(TEA)
    return folder


@pytest.fixture
def server(knowledge_folder: Path, tmp_path: Path) -> Iterator[Running]:
    running = Running(knowledge_folder, tmp_path / "output")
    yield running
    running.process.kill()
    running.process.wait()


def test_it_serves_the_page_and_holds_a_conversation(server: Running) -> None:
    """The address that it prints opens the page, and the API answers below it."""
    page = requests.get(server.url, timeout=5)
    assert "<title>Ada</title>" in page.text
    assert "--accent-light:#7a1fa2;--accent-dark:#c58be0" in page.text
    assert server.ask("how is tea made")["reply"] == "With hot water."
    assert requests.post(f"{server.url}health", timeout=5).headers["Allow"] == "GET"
    binary = requests.post(
        f"{server.url}v1/conversations/{'0' * 32}/messages",
        data=b"\xff\xfe",
        headers={"Content-Type": "application/json"},
        timeout=5,
    )
    assert binary.json()["code"] == "invalid_json"


def test_it_learns_a_changed_file_and_survives_a_broken_one(server: Running, knowledge_folder: Path) -> None:
    """A saved file is learned at once; one that cannot be learned is told in a line, and the old answers stay."""
    (knowledge_folder / "tea.md").write_text(TEA.replace("hot water", "patience"))
    eventually(lambda: server.ask("how is tea made")["reply"] == "With patience.")
    (knowledge_folder / "tea.md").write_text("no heading\n")
    eventually(lambda: "must start with a heading" in server.told())
    assert server.ask("how is tea made")["reply"] == "With patience."
    assert "Traceback" not in server.told()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(server: Running, number: int) -> None:
    """Ctrl-C or a polite request to end is no error and prints no traceback."""
    requests.get(server.url, timeout=5)
    server.process.send_signal(number)
    assert server.process.wait(10) == 0
    assert "Traceback" not in server.told()


def ended(process: "subprocess.Popen[str]") -> str:
    """Interrupt a process as Ctrl-C does, and return what it said."""
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=10)[0]
    # A shell's 130.
    assert process.returncode == -signal.SIGINT
    return said


def begun(*arguments: str, python_path: Path) -> "subprocess.Popen[str]":
    """Start a Python module."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(python_path)},
    )


def test_a_start_can_be_interrupted_without_a_word(knowledge_folder: Path) -> None:
    """While it still learns, Ctrl-C ends it, and shows nobody where in the learning it was."""
    os.mkfifo(knowledge_folder / "slow.md")
    starting = begun("chatbot.serve", "--port", "0", "--knowledge", str(knowledge_folder), python_path=LAMBDA)
    with (knowledge_folder / "slow.md").open("w"):  # which lasts until it is being read
        assert ended(starting) == ""


def test_what_only_starts_a_command_can_be_interrupted_without_a_word(tmp_path: Path) -> None:
    """As Ctrl-C may come before `make` has come to the command itself."""
    (tmp_path / "starter.py").write_text("import sys\nprint(sys.argv[1:], flush=True)\nsys.stdin.read()\n")
    starting = begun("delivery.interruptible", "starter", "chat", python_path=tmp_path)
    assert starting.stdout
    assert starting.stdout.readline() == "['chat']\n"
    assert ended(starting) == ""


SHOWS_IGNORED = "import signal\nprint(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"


def in_background(*arguments: str, python_path: Path) -> "subprocess.Popen[str]":
    """Start a Python module as a script's `&` does, which has it ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return begun(*arguments, python_path=python_path)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_command_in_the_background_goes_on_ignoring_ctrl_c(tmp_path: Path) -> None:
    """It is for what runs in the foreground: a rehearsal that serves beside it must not end."""
    (tmp_path / "starter.py").write_text(SHOWS_IGNORED)
    assert in_background("delivery.interruptible", "starter", python_path=tmp_path).communicate()[0] == "True\n"


def test_a_bot_in_the_background_goes_on_ignoring_ctrl_c(knowledge_folder: Path) -> None:
    """Neither while it starts nor once it answers."""
    os.mkfifo(knowledge_folder / "slow.md")
    arguments = ("chatbot.serve", "--port", "0", "--knowledge", str(knowledge_folder))
    with in_background(*arguments, python_path=LAMBDA) as bot:
        assert bot.stdout
        with (knowledge_folder / "slow.md").open("w") as slow:
            bot.send_signal(signal.SIGINT)
            slow.write(TEA.replace("tea", "coffee"))
        address = re.search(r"http://127\.0\.0\.1:\d+/", bot.stdout.readline())
        assert address
        bot.send_signal(signal.SIGINT)
        assert requests.get(address[0], timeout=5).ok
        bot.terminate()
        assert bot.wait(10) == 0


def refused(*arguments: str) -> str:
    """Start the server with arguments that it must refuse, and return its one line."""
    result = subprocess.run(
        [sys.executable, "-m", "chatbot.serve", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ | {"PYTHONPATH": str(LAMBDA)},
    )
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    return result.stderr


def test_a_port_in_use_is_told_in_one_line(knowledge_folder: Path) -> None:
    """The message names the port and the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refused("--port", port, "--knowledge", str(knowledge_folder))
    assert told.count("\n") == 1
    assert port in told
    assert "--port" in told


def test_missing_knowledge_is_told_in_one_line(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    told = refused("--port", "0", "--knowledge", str(tmp_path / "none"))
    assert told.count("\n") == 1
    assert str(tmp_path / "none") in told


def test_a_port_that_is_none_is_told() -> None:
    """Text and numbers out of range are refused."""
    for port in ("http", "70000", "-1"):
        assert "a port is from 0 to 65535" in refused(f"--port={port}")
