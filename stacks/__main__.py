"""``python -m stacks SETTING``: what other programs need to know of the settings."""

import argparse
import shlex
from collections.abc import Callable

from stacks.loading import load_project
from stacks.project import Project

ANSWERS: dict[str, Callable[[Project], str]] = {
    "account": lambda project: project.account,
    "region": lambda project: project.region,
    "repository": lambda project: f"{project.source.repository} {project.source.branch}",
    "pipeline": lambda project: project.name,
    "accuracy": lambda project: str(project.answer_accuracy),
    "looks": lambda project: "\n".join(
        f"{name}={shlex.quote(value)}" for name, value in project.looks.variables.items()
    ),
    "environments": lambda project: "\n".join(environment.name for environment in project.environments),
}


def main() -> None:
    """Print one setting."""
    parser = argparse.ArgumentParser(prog="python -m stacks", description="Prints one setting of stacks/settings.py.")
    parser.add_argument("setting", choices=ANSWERS)
    print(ANSWERS[parser.parse_args().setting](load_project()))


if __name__ == "__main__":
    main()
