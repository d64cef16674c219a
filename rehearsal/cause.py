"""Where in the log of what failed to look."""

import re
from pathlib import Path

from rehearsal.commands import tail

MOST_LINES = 25
SEARCHED_LINES = 400
AFTERWARDS = re.compile(r"\[Container\] .* Phase complete: \w+ State: FAILED")
"""What a build does then, it does in any case."""
MAKE = re.compile(r"make(\[\d+\])?: \*\*\* \[")
"""Of jobs side by side make tells the first that fails, and goes on waiting for the others."""


def cause(log: Path) -> list[str]:
    """Return the lines that end with what failed first in ``log``; its last ones, where nothing tells that."""
    lines = tail(log, SEARCHED_LINES)
    for sign in (AFTERWARDS, MAKE):
        ends = [number for number, line in enumerate(lines, start=1) if sign.match(line)]
        lines = lines[: ends[0]] if ends else lines
    return lines[-MOST_LINES:]
