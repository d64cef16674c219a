"""The command that synthesizes, as Pipfile has it, with an app of a line in place of the project's."""

import json
import os
import shlex
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULT = "stacks/settings.py: line 5: a name is 3 to 16 letters"


def synthesize(folder: Path, app: str) -> "subprocess.CompletedProcess[str]":
    """Run it in ``folder``, where ``app`` is the app command."""
    (folder / "cdktf.json").write_text(json.dumps({"language": "python", "app": app, "projectId": "here"}))
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    script = tomllib.loads((ROOT / "Pipfile").read_text())["scripts"]["synth"]
    # A test that imports stacks.aws sets it, and cdktf's command line remarks on that.
    mine = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    quiet = mine | {"CHECKPOINT_DISABLE": "1", "DISABLE_VERSION_CHECK": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return subprocess.run(
        shlex.split(script), cwd=folder, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def test_what_is_wrong_is_said_once(tmp_path: Path) -> None:
    """By the app, whose words are not to be looked for between a spinner's frames."""
    (tmp_path / "fault").write_text(FAULT)

    done = synthesize(tmp_path, "cat fault >&2; exit 2")

    assert done.returncode == 1
    assert (done.stdout, done.stderr.count(FAULT)) == ("", 1)


def test_what_was_synthesized_is_told(tmp_path: Path) -> None:
    """Every stack by its name."""
    manifest = {"version": "0.21.0", "stacks": {}}
    stack = {"name": "state", "constructPath": "state", "workingDirectory": "stacks/state"}
    stack |= {"synthesizedStackPath": "stacks/state/cdk.tf.json", "annotations": [], "dependencies": []}
    content = {"//": {"metadata": {"stackName": "state"}}, "terraform": {"required_providers": {}}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps(content))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"stacks": {"state": stack}}))
    made = "mkdir -p cdktf.out/stacks/state && cp manifest.json cdktf.out && cp cdk.tf.json cdktf.out/stacks/state"

    done = synthesize(tmp_path, made)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["Generated", "Terraform", "code", "for", "the", "stacks:", "state"]
