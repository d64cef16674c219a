"""Running a program to its end, whoever wants to stop it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import pathlib, signal, time
asked = []
signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
print("here", file=__import__("sys").stderr)
pathlib.Path("started").touch()
deadline = time.monotonic() + 20
while not pathlib.Path("go").exists() and time.monotonic() < deadline:
    time.sleep(0.02)
pathlib.Path("asked").write_text(str(len(asked)))
"""
CALLER = """
import os, sys
from pathlib import Path
from delivery.child import run_to_end
from delivery.errors import InterruptedRunError
print("ready", file=sys.stderr, flush=True)
try:
    run_to_end([sys.executable, "-c", sys.argv[1]], folder=Path.cwd(), environment=os.environ)
except InterruptedRunError as error:
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_however_often_one_asks_the_program_is_asked_once(tmp_path: Path, number: signal.Signals) -> None:
    """Terraform drops everything at the second request, also when a terminal sends it to the whole group."""
    command = [sys.executable, "-c", CALLER, PROGRAM]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    deadline = time.monotonic() + 20
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    os.killpg(process.pid, number)
    assert process.stderr.readline().startswith(f"{number.name}: waiting for")
    for _ in range(2):
        os.killpg(process.pid, number)
    (tmp_path / "go").touch()
    process.communicate(timeout=20)

    assert process.returncode == 130
    assert (tmp_path / "asked").read_text() == "1"
