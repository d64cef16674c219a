"""The peer's virtual environment below ``.tools``, made when it is first needed."""

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.project import ROOT, BenchmarkError

HOME = ROOT / ".tools" / "benchmark-cdk"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def python() -> Path:
    """Return the interpreter that has the AWS CDK; raises ``BenchmarkError`` where that cannot be installed."""
    program, mark = HOME / "bin" / "python", HOME / ".requirements"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (mark.is_file() and mark.read_text() == wanted):
        base = getattr(sys, "_base_executable", None) or sys.executable
        _run([base, "-m", "venv", "--clear", str(HOME)])
        _run([str(program), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)])
        mark.write_text(wanted)
    return program


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise BenchmarkError(f"the AWS CDK cannot be installed: {lines[-1][:200]}")
