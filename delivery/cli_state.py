"""Commands about what is deployed: keeping it, and whether it drifted."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from delivery.errors import UsageError
from delivery.options import Add, Command
from delivery.project import Project


def register(add: Add) -> None:
    """Add the commands to the command line."""
    keep = add("keep", "keep what was just applied beside its state, for drift to be found by")
    keep.add_argument("--stack", required=True, help="the stack that was applied")

    drift = add("drift", "tell what is no longer as it was released")
    drift.add_argument("--stack", required=True, help="the stack to look at")
    drift.add_argument("--topic", required=True, type=_topic, metavar="ARN", help="the SNS topic that hears of it")
    drift.add_argument("--namespace", required=True, help="the CloudWatch namespace of the metric")

    add("orphans", "name the states whose stack is no longer synthesized")

    retire = add("retire", "plan the end of an orphan, and destroy what it holds by that plan")
    retire.add_argument("--stack", required=True, help="the stack that is no longer synthesized")
    retire.add_argument("--like", default="", metavar="STACK", help="one in its account and region, if none was kept")
    retire.add_argument("--out", type=Path, metavar="DIR", help="plan, and put plan and review here")
    retire.add_argument("--plan", type=Path, metavar="DIR", help="apply the plan that lies here")
    retire.add_argument("--sha256", default="", metavar="DIGEST", help="the digest of the reviewed plan file")
    retire.add_argument("--approve", choices=["destructive"], help="the plan may lose data for good")


def _topic(text: str) -> str:
    if not re.fullmatch(r"arn:[\w-]+:sns:[\w-]+:\d+:[\w.-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no ARN of an SNS topic")
    return text


def _keep(options: argparse.Namespace, project: Project) -> None:
    from delivery.deployed import keep

    keep(project.stack(options.stack))


def _drift(options: argparse.Namespace, project: Project) -> None:
    from delivery.drift import check_drift

    check_drift(project, options.stack, topic=options.topic, namespace=options.namespace)


def _orphans(_: argparse.Namespace, project: Project) -> None:
    from delivery.orphans import orphans

    found = list(orphans(project))
    print("\n".join(map(str, found)) if found else "every state has its stack")


def _retire(options: argparse.Namespace, project: Project) -> None:
    from delivery.retire import plan_retirement, retire
    from delivery.terraform import Terraform

    if bool(options.out) == bool(options.plan) or bool(options.plan) != bool(options.sha256):
        raise UsageError("retire takes --out DIR to plan, or --plan DIR with --sha256 DIGEST to apply")
    terraform = Terraform.of(project)
    if options.out:
        made = plan_retirement(project, terraform, options.stack, options.out, options.like)
        print(made.review.markdown(), end="")
    else:
        approved = options.approve is not None
        retire(project, terraform, options.stack, options.plan, options.sha256, approved=approved)


COMMANDS: Mapping[str, Command] = {
    "keep": _keep,
    "drift": _drift,
    "orphans": _orphans,
    "retire": _retire,
}
