"""Synthesizes the project, or another team's, and reads what came of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import main
from stacks.package import Package
from stacks.project import Project

ROOT = Path(__file__).parents[2]
PARTS = ("stacks", "main.py", "build", ".terraform.lock.hcl", "node_modules")

Stack = dict[str, Any]


def synthesize(project: Project, folder: Path) -> dict[str, Stack]:
    """Synthesize ``project`` into ``folder``; return its stacks by name."""
    return read_stacks(main.synthesize(project, Package(), folder))


def run_main(folder: Path, settings: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run main.py as a person does, on a copy of the project in ``folder``, with other ``settings`` where given."""
    for name in PARTS:
        (folder / name).symlink_to(ROOT / name)
    if settings is not None:
        _replace_settings(folder / "stacks", settings)
    program = "import sys; sys.path.insert(0, sys.argv[1]); import main; sys.exit(main.main())"
    return subprocess.run(
        [sys.executable, "-P", "-c", program, str(folder)], cwd=folder, capture_output=True, text=True
    )


def _replace_settings(stacks: Path, settings: str) -> None:
    stacks.unlink()
    stacks.mkdir()
    for each in (ROOT / "stacks").iterdir():
        (stacks / each.name).symlink_to(each)
    (stacks / "settings.py").unlink()
    (stacks / "settings.py").write_text(settings)


def read_stacks(folder: Path) -> dict[str, Stack]:
    """The stacks synthesized into ``folder`` by name."""
    return {path.parent.name: json.loads(path.read_text()) for path in folder.glob("stacks/*/cdk.tf.json")}
