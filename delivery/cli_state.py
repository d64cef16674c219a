"""Commands about what is deployed: keeping it, and whether it drifted."""

import argparse
from collections.abc import Callable, Mapping

from delivery.project import Project

Add = Callable[[str, str], argparse.ArgumentParser]


def register(add: Add) -> None:
    """Add the commands to the command line."""
    keep = add("keep", "keep what was just applied beside its state, for drift to be found by")
    keep.add_argument("--stack", required=True, help="the stack that was applied")

    drift = add("drift", "tell what is no longer as it was released")
    drift.add_argument("--stack", required=True, help="the stack to look at")
    drift.add_argument("--topic", required=True, metavar="ARN", help="the SNS topic that hears of it")
    drift.add_argument("--namespace", required=True, help="the CloudWatch namespace of the metric")


def _keep(options: argparse.Namespace, project: Project) -> None:
    from delivery.deployed import keep

    keep(project.stack(options.stack))


def _drift(options: argparse.Namespace, project: Project) -> None:
    from delivery.drift import check_drift

    check_drift(project, options.stack, topic=options.topic, namespace=options.namespace)


COMMANDS: Mapping[str, Callable[[argparse.Namespace, Project], None]] = {
    "keep": _keep,
    "drift": _drift,
}
