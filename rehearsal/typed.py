"""The commands of this program as a person types them: what is said has to work where it is read."""

import os
import shlex
import sys
from pathlib import Path


def typed(*words: str, project: Path | None = None) -> str:
    """Return the command line for ``words``, as in ``.venv/bin/python -m rehearsal status``.

    It names the Python that runs this, because a shell's own may be another, and ``project`` where it lies elsewhere.
    """
    here = Path.cwd()
    python = Path(sys.executable)
    if python.is_relative_to(here):
        python = python.relative_to(here)
    source = ["--source", os.path.relpath(project)] if project and not here.is_relative_to(project) else []
    return shlex.join([str(python), "-m", "rehearsal", *words, *source])
