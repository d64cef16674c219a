"""``python3 -m delivery.requirements``: every locked package of this project, as a requirements file for pip."""

import json
from pathlib import Path

from delivery.vendor import requirement

CATEGORIES = ("default", "develop", "delivery", "lambda")
"""Pipenv installs its categories one after another; pip takes them all at once, in half the time."""


def main() -> None:
    """Print one line a package, with its hashes."""
    lock = json.loads(Path("Pipfile.lock").read_text())
    packages = {name: locked for category in CATEGORIES for name, locked in lock[category].items()}
    print("\n".join(requirement(name, packages[name]) for name in sorted(packages)))


if __name__ == "__main__":
    main()
