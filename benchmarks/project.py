"""The project that is measured, and its programs as the benchmarks run them."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAMBDA_SOURCES = ROOT / "lambda"
PYTHON = ROOT / ".venv" / "bin" / "python"


class BenchmarkError(Exception):
    """A figure cannot be measured here; the message says why, and what to do."""


def run(command: Sequence[str | Path], *, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """Return what ``command`` prints; raises ``BenchmarkError`` with its last line when it fails."""
    result = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=inherited() if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode:
        said = (result.stderr.strip() or result.stdout.strip() or "it gave no reason").splitlines()[-1]
        raise BenchmarkError(f"{Path(command[0]).name} {command[1]} ended with {result.returncode}: {said[:300]}")
    return result.stdout


def inherited() -> dict[str, str]:
    """Return this process's environment as make's recipes have it: byte-code is written, once."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def make_package() -> None:
    """Build the function's zip and the API's document, unless they are current."""
    run([PYTHON, "-m", "delivery", "package"])


def know_the_function() -> None:
    """Let this process import the function's sources."""
    if str(LAMBDA_SOURCES) not in sys.path:
        sys.path.insert(0, str(LAMBDA_SOURCES))
