"""The result of one followed execution, for programs: ``--json FILE``."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.errors import UserError
from rehearsal.execution import Action, Execution, Stage


def checked(file: Path) -> Path:
    """Return ``file`` if it can be written later. Raises ``UserError``."""
    if file.is_dir() or not file.absolute().parent.is_dir() or not os.access(file.absolute().parent, os.W_OK):
        raise UserError(f"--json {file}: cannot be written; name a file in a folder that exists")
    return file.absolute()


def write(file: Path, execution: Execution | None, *, urls: Mapping[str, str], message: str, exit_code: int) -> None:
    """Write ``file`` in one step: whoever reads it sees the whole result or none."""
    nothing = Execution(identifier="", status="Failed")
    result = _described(execution or nothing) | {"urls": dict(urls), "message": message, "exit_code": exit_code}
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.", delete=False) as draft:
        draft.write(json.dumps(result, indent=2) + "\n")
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(file)


def _described(execution: Execution) -> dict[str, Any]:
    return {
        "execution": execution.identifier,
        "commit": execution.commit,
        "status": execution.status,
        "seconds": _rounded(execution.seconds),
        "stages": [_stage(stage) for stage in execution.stages],
    }


def _stage(stage: Stage) -> dict[str, Any]:
    actions = [_action(action) for action in stage.actions]
    return {"name": stage.name, "status": stage.status, "seconds": _rounded(stage.seconds), "actions": actions}


def _action(action: Action) -> dict[str, Any]:
    return {
        "name": action.name,
        "status": action.status,
        "seconds": _rounded(action.seconds),
        "log": str(action.log) if action.log else None,
        "message": action.message,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
