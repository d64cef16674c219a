"""The command line's words: every command, its options, and what its exit codes mean."""

import argparse
from pathlib import Path
from typing import NoReturn

from delivery import cli_ledger, cli_reviews, cli_state
from delivery.errors import COMMAND, Refusal, UsageError
from delivery.options import number
from delivery.record import LIFETIME_DAYS

EXIT_CODES = "exit codes: 0 done, 1 something failed, 2 wrong use, 130 interrupted"
REFUSED = "\n".join(["a plan is refused with", *(f"  {each.code} when {each.meaning}" for each in Refusal)])


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with exit code 2."""
        self.exit(UsageError.exit_code, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command; ``command`` in what it returns is the command's name."""
    top = Parser(
        prog=COMMAND,
        description="Package, plan, review, apply, verify: what the pipeline runs.",
        epilog=f"{EXIT_CODES}\n\n{REFUSED}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, epilog: str = EXIT_CODES) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    package = add("package", "build the function's zip and the API's document")
    package.add_argument("--with-delivery", action="store_true", help="also what the pipeline's later stages run with")

    bootstrap = add("bootstrap", "make the state bucket and the pipeline; run again, it changes nothing")
    bootstrap.add_argument("--allow-destroy", action="store_true", help="even if resources that hold data are lost")

    plan = add("plan", "save a plan and its review")
    plan.add_argument("--stack", required=True, help="a folder of cdktf.out/stacks")
    plan.add_argument("--out", required=True, type=Path, metavar="DIR", help="where plan, review and variables.env go")
    plan.add_argument(
        "--days", type=_lifetime, default=LIFETIME_DAYS, help="for how long it may be applied (default: %(default)s)"
    )
    answers = plan.add_mutually_exclusive_group()
    answers.add_argument(
        "--answers", action="store_true", help="say in the review which answers change against what is deployed"
    )
    answers.add_argument("--behaviour", type=Path, metavar="FILE", help="say this there instead, in Markdown")
    plan.add_argument("--before", type=Path, metavar="DIR", help="the plan of the environment before, to compare with")
    plan.add_argument("--reviews", default="", metavar="BUCKET", help="where reviews of pull requests are remembered")
    plan.add_argument("--review-bucket", default="", metavar="BUCKET", help="where the review can be read for longer")
    plan.add_argument(
        "--no-record", dest="record", action="store_false", help="keep it out of the ledger: it cannot be applied"
    )

    apply = add("apply", "apply exactly the reviewed plan, once", f"{EXIT_CODES}\n\n{REFUSED}")
    apply.add_argument("--stack", required=True, help="the stack the plan was made for")
    apply.add_argument("--plan", required=True, type=Path, metavar="DIR", help="what `plan` wrote")
    apply.add_argument("--sha256", required=True, metavar="DIGEST", help="the digest of the reviewed plan file")
    apply.add_argument("--environment", help="the environment it was made for (default: ENVIRONMENT, or the stack's)")
    apply.add_argument("--keep", action="store_true", help="keep the stack beside its state, for drift to be found by")
    apply.add_argument("--outputs", type=Path, metavar="FILE", help="write the stack's outputs here, e.g. URL='…'")

    verify = add("verify", "talk to the deployed bot")
    verify.add_argument("--url", required=True, help="its address, ending in the stage")
    verify.add_argument("--environment", required=True, help="the environment it must be in")
    verify.add_argument("--release", help="what it must run: what /health reports, or a release.json")
    verify.add_argument("--question", help="what to ask, instead of what it can help with")

    insights = add("insights", "show what went unanswered, and what got a thumbs-down")
    insights.add_argument("--environment", required=True, help="whose bot to look at")
    insights.add_argument("--days", type=_days, default=30, help="how far to look back (default: %(default)s)")
    insights.add_argument("--json", action="store_true", help="print everything as JSON")

    behaviour = add("behaviour", "show which answers differ between two builds of the knowledge")
    behaviour.add_argument("old", type=Path, help="a Lambda package, an index, or a folder of knowledge")
    behaviour.add_argument("new", type=Path, help="another")
    behaviour.add_argument("--questions", type=Path, metavar="PATH", help="ask these too: conversation tests, or lines")

    update = add("update", "update the pipeline's own stack, and restart the pipeline if that changed it")
    update.add_argument("--stack", default="pipeline", help="the pipeline's stack (default: %(default)s)")

    update.add_argument(
        "--hand-on", type=cli_reviews.place, metavar="s3://BUCKET/KEY", help="then put this delivery there"
    )

    terraform = add("terraform", "run Terraform in a stack's folder")
    terraform.add_argument("stack", help="a folder of cdktf.out/stacks")
    terraform.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- ARGS", help="what Terraform gets")

    cli_ledger.register(add)
    cli_reviews.register(add)
    cli_state.register(add)

    add("environment", "print what plain cdktf and terraform need on this machine")
    return top


def _lifetime(text: str) -> int:
    return number(text, "days", 365)


def _days(text: str) -> int:
    return number(text, "days", 3650)
