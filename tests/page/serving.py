"""The bot alone on loopback, as ``make chat`` runs it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")


@contextmanager
def serving(knowledge: Path, **looks: str) -> Iterator[str]:
    """Run a bot that knows ``knowledge`` and looks as the variables say; give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "chatbot.serve", "--port", "0", "--knowledge", str(knowledge)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "lambda")} | looks,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process, process.stdout:
        try:
            line = process.stdout.readline()
            found = ADDRESS.search(line)
            assert found, f"the bot did not start: {line!r}"
            yield found[0]
        finally:
            process.terminate()
