"""``python3 -m delivery.requirements [CATEGORY …]``: the locked packages, as a requirements file for pip."""

import json
import sys
from pathlib import Path

from delivery.vendor import requirement

CATEGORIES = ("default", "develop", "delivery", "lambda", "learn")
"""Pipenv installs its categories one after another; pip takes them all at once, in half the time."""


def main() -> None:
    """Print one line a package, with its hashes; without categories, of those that every command needs."""
    lock = json.loads(Path("Pipfile.lock").read_text())
    packages = {name: locked for category in sys.argv[1:] or CATEGORIES for name, locked in lock[category].items()}
    print("\n".join(requirement(name, packages[name]) for name in sorted(packages)))


if __name__ == "__main__":
    main()
