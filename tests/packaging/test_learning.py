"""Learning, in processes of its own: what it writes depends on the knowledge alone."""

import subprocess
import sys
from pathlib import Path

from chatbot.knowledge import Knowledge
from tests.unit.chatbot import sample

ROOT = Path(__file__).parents[2]


def test_the_index_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    """Two runs over the same knowledge write the same file, so that the package is reproducible."""
    written = []
    for seed in ("1", "2"):
        output = tmp_path / seed / "knowledge.index"
        command = [sys.executable, "-m", "chatbot.learn", str(sample.KNOWLEDGE), str(output)]
        subprocess.run(command, check=True, env={"PYTHONPATH": str(ROOT / "lambda"), "PYTHONHASHSEED": seed})
        written.append(output.read_bytes())
    assert written[0] == written[1]
    assert len(Knowledge(written[0]).sections) >= 30
