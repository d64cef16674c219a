"""The languages of a build: those of this machine, checked against what the buildspec asks for.

https://docs.aws.amazon.com/codebuild/latest/userguide/runtime-versions.html
"""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from rehearsal.codebuild.machine import program_folders, pyenv_root
from rehearsal.codebuild.record import PhaseError

OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
ANY_VERSION = re.compile(r"latest|\d+\.x")
PROBE = "import sys; print(*sys.version_info[:2], sep='.'); print(sys._base_executable)"
PIP = '#!/bin/sh\nexec "{python}" -m pip "$@"\n'
PROBE_SECONDS = 20


def own_python(folder: Path, version: str = OWN_VERSION) -> Path:
    """Make ``folder`` an environment of Python ``version`` that a build can install into; return its programs' folder.

    Installing into the machine's own Python, which a build's container would allow, must not reach the machine.
    Raises ``PhaseError`` when the machine has no such Python. https://peps.python.org/pep-0405/
    """
    real = find_python(OWN_VERSION if ANY_VERSION.fullmatch(version) else version)
    if real is None:
        message = f"python {version} of runtime-versions is not on this machine: install it, or name one that is"
        raise PhaseError("YAML_FILE_ERROR", message)
    found, python = real
    programs = folder / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    settings = {"home": python.parent, "include-system-site-packages": "true", "version": found, "executable": python}
    (folder / "pyvenv.cfg").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    (folder / f"lib/python{found}/site-packages").mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3", f"python{found}"):
        (programs / name).unlink(missing_ok=True)
        (programs / name).symlink_to(python)
    for name in ("pip", "pip3", f"pip{found}"):
        (programs / name).write_text(PIP.format(python=programs / "python"))
        (programs / name).chmod(0o755)
    return programs


@cache
def find_python(version: str) -> tuple[str, Path] | None:
    """Return ``version`` and where it really lies; every candidate is asked, as a pyenv shim may only answer 127."""
    if version == OWN_VERSION:
        return version, Path(sys._base_executable)  # type: ignore[attr-defined]
    folders = program_folders()
    candidates = [Path(folder) / f"python{version}" for folder in folders]
    for root in pyenv_root(folders).values():
        candidates += sorted(Path(root).glob(f"versions/{version}.*/bin/python{version}"))
    for candidate in candidates:
        answer = _ask([str(candidate), "-c", PROBE]) if os.access(candidate, os.X_OK) else None
        if answer and answer.split("\n")[0] == version:
            return version, Path(answer.split("\n")[1])
    return None


def link_node(programs: Path, asked: str) -> str:
    """Make sure that ``node`` runs in a build; return a line about a version other than ``asked``, or nothing.

    Raises ``PhaseError`` when the machine has no Node.js. A version manager's shim needs its user's ``HOME``, which
    a build does not have, so the real programs are linked.
    """
    found = node()
    if found is None:
        message = f"nodejs {asked} of runtime-versions is not on this machine: install Node.js"
        raise PhaseError("YAML_FILE_ERROR", message)
    version, executable = found
    for name in ("node", "npm", "npx"):
        if not (programs / name).exists() and (executable.parent / name).exists():
            (programs / name).symlink_to(executable.parent / name)
    if ANY_VERSION.fullmatch(asked) or version.split(".")[0] == asked.split(".")[0]:
        return ""
    return f"nodejs {asked} was asked for; this machine has {version}, which is used as it is"


@cache
def node() -> tuple[str, Path] | None:
    """Return the machine's version of Node.js and where its program really lies."""
    program = shutil.which("node", path=os.pathsep.join(program_folders()))
    answer = _ask([program, "-p", "process.versions.node + '\\n' + process.execPath"]) if program else None
    return (answer.split("\n")[0], Path(answer.split("\n")[1])) if answer else None


def _ask(command: list[str]) -> str | None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, cwd="/", check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
