"""``python -m delivery.lock``: takes the package index out of Pipfile.lock, which pipenv writes into it.

Without one, the installer uses whatever index a machine is configured for: a company's mirror, say.
"""

import json
from pathlib import Path

LOCK = Path("Pipfile.lock")


def main() -> None:
    """Rewrite ``Pipfile.lock``."""
    lock = json.loads(LOCK.read_text())
    lock["_meta"]["sources"] = []
    for category, packages in lock.items():
        if category != "_meta":
            for package in packages.values():
                package.pop("index", None)
    LOCK.write_text(json.dumps(lock, indent=4, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
