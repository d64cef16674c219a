"""The command line: ``python -m delivery --help``."""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from delivery import cli_reviews, cli_state
from delivery.errors import DeliveryError, Refusal, TerraformError, UsageError
from delivery.progress import say
from delivery.project import Project, read_release
from delivery.record import LIFETIME_DAYS, Status

Command = Callable[[argparse.Namespace, Project], None]

EXIT_CODES = "exit codes: 0 done, 1 something failed, 2 wrong use, 130 interrupted"
REFUSED = "\n".join(["a plan is refused with", *(f"  {each.code} when {each.meaning}" for each in Refusal)])


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code; what went wrong stands on stderr, in one line."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        command(options, Project(Path.cwd()))
    except DeliveryError as error:
        if isinstance(error, TerraformError) and error.block:
            say(error.block)
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except OSError as error:
        say(f"{error.filename or 'this machine'}: {error.strerror or error}")
        return 1
    return 0


def _bootstrap(options: argparse.Namespace, project: Project) -> None:
    from delivery.bootstrap import bootstrap
    from delivery.terraform import Terraform

    project.stack("state")
    bootstrap(project, Terraform.of(project), allow_destroy=options.allow_destroy)


def _plan(options: argparse.Namespace, project: Project) -> None:
    from delivery.context import context_of
    from delivery.ledger import Ledger
    from delivery.plan import make_plan
    from delivery.terraform import Terraform

    stack = project.stack(options.stack)
    ledger = Ledger.of(project) if options.record else None
    made = make_plan(
        project,
        Terraform.of(project),
        stack,
        options.out,
        behaviour=_text(options.behaviour) if options.behaviour else "",
        review_bucket=options.review_bucket,
        context=context_of(stack.name, options.before, options.reviews),
        days=options.days,
    )
    if ledger:
        ledger.enter(made.record)
    print(made.review.markdown(), end="")


def _apply(options: argparse.Namespace, project: Project) -> None:
    from delivery.apply import Place, apply_plan, write_outputs
    from delivery.terraform import Terraform

    stack = project.stack(options.stack)
    terraform = Terraform.of(project)
    environment = options.environment or os.environ.get("ENVIRONMENT") or stack.environment
    apply_plan(Place.of(project, terraform, stack, environment), options.plan, options.sha256)
    if options.outputs:
        write_outputs(terraform, stack, options.outputs)


def _recover(options: argparse.Namespace, project: Project) -> None:
    from delivery.ledger import Ledger
    from delivery.recover import broken, close

    ledger = Ledger.of(project)
    found = broken(project, ledger, options.environment)
    if not found:
        print(f"{options.environment}: every apply is closed, there is nothing to recover")
    for each in found:
        print(each.heading)
        if options.close:
            close(ledger, each)
            print(f"  closed as {Status.INTERRUPTED}")
        else:
            print(*(f"  - {fact}" for fact in each.facts), sep="\n")
            print(*(f"  {number}. {step}" for number, step in enumerate(each.steps, 1)), sep="\n")


def _history(options: argparse.Namespace, project: Project) -> None:
    from delivery.attestation import statement
    from delivery.history import as_data, history, one_plan, show

    if options.attestation is not None:
        print(json.dumps(statement(one_plan(project, options.environment, options.attestation)), indent=2))
        return
    records = history(project, options.environment, options.limit)
    if options.json:
        print(json.dumps(as_data(records), indent=2))
    else:
        show(records)


def _verify(options: argparse.Namespace, _: Project) -> None:
    from delivery.verify import QUESTION, Expected, verify

    release = options.release
    if release and release.endswith(".json"):
        release = read_release(Path(release)).release
    verify(options.url, Expected(options.environment, release), options.question or QUESTION)


def _insights(options: argparse.Namespace, project: Project) -> None:
    from delivery.insights import insights
    from delivery.terraform import Terraform

    now = datetime.now(UTC)
    found = insights(project, Terraform.of(project), options.environment, days=options.days, now=now)
    if options.json:
        print(found.as_json())
    else:
        found.show()


def _update(options: argparse.Namespace, project: Project) -> None:
    from delivery.terraform import Terraform
    from delivery.update import Execution, update

    stack, execution = project.stack(options.stack), Execution.of(os.environ)
    update(project, Terraform.of(project), stack, execution)


def _package(options: argparse.Namespace, project: Project) -> None:
    from delivery.package import package

    package(project, with_delivery=options.with_delivery)


def _terraform(options: argparse.Namespace, project: Project) -> None:
    from delivery.terraform import Terraform

    stack = project.stack(options.stack)
    terraform = Terraform.of(project)
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    if arguments[:1] != ["init"] and not (stack.folder / ".terraform").exists():
        terraform.init(stack)
    # In place of this process, so that Terraform may ask questions and gets signals itself.
    os.chdir(stack.folder)
    environment = {name: value for name, value in terraform.environment.items() if name != "TF_INPUT"}
    os.execve(terraform.program, ["terraform", *arguments], environment)  # noqa: S606 (no shell is wanted)


def _environment(_: argparse.Namespace, project: Project) -> None:
    from delivery.files import shell_lines
    from delivery.terraform import Terraform

    terraform = Terraform.of(project)
    found = {"TF_CLI_CONFIG_FILE": terraform.environment["TF_CLI_CONFIG_FILE"]}
    if project.tools in terraform.program.parents:
        found["PATH"] = os.pathsep.join([str(terraform.program.parent), os.environ.get("PATH", os.defpath)])
    print(shell_lines(found), end="")


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with exit code 2."""
        self.exit(UsageError.exit_code, f"{self.prog}: {message}; see {self.prog} --help\n")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8") from error


def _lifetime(text: str) -> int:
    return _number(text, "days", 365)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 3650):
        raise argparse.ArgumentTypeError(f"days are a number from 1 to 3650, got {text!r}")
    return int(text)


def _count(text: str) -> int:
    return _number(text, "plans", 10_000)


def _number(text: str, of: str, most: int) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of {of}, from 1 to {most}")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m delivery",
        description="Package, plan, review, apply, verify: what the pipeline runs.",
        epilog=f"{EXIT_CODES}\n\n{REFUSED}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, epilog: str = EXIT_CODES) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=command)
        return added

    package = add("package", _package, "build the function's zip and the API's document")
    package.add_argument("--with-delivery", action="store_true", help="also what the pipeline's later stages run with")

    bootstrap = add("bootstrap", _bootstrap, "make the state bucket and the pipeline; run again, it changes nothing")
    bootstrap.add_argument("--allow-destroy", action="store_true", help="even if resources that hold data are lost")

    plan = add("plan", _plan, "save a plan and its review")
    plan.add_argument("--stack", required=True, help="a folder of cdktf.out/stacks")
    plan.add_argument("--out", required=True, type=Path, metavar="DIR", help="where plan, review and variables.env go")
    plan.add_argument(
        "--days", type=_lifetime, default=LIFETIME_DAYS, help="for how long it may be applied (default: %(default)s)"
    )
    plan.add_argument(
        "--behaviour", type=Path, metavar="FILE", help="the answers that change, in Markdown, for the review"
    )
    plan.add_argument("--before", type=Path, metavar="DIR", help="the plan of the environment before, to compare with")
    plan.add_argument("--reviews", default="", metavar="BUCKET", help="where reviews of pull requests are remembered")
    plan.add_argument("--review-bucket", default="", metavar="BUCKET", help="where the review can be read for longer")
    plan.add_argument(
        "--no-record", dest="record", action="store_false", help="keep it out of the ledger: it cannot be applied"
    )

    apply = add("apply", _apply, "apply exactly the reviewed plan, once", f"{EXIT_CODES}\n\n{REFUSED}")
    apply.add_argument("--stack", required=True, help="the stack the plan was made for")
    apply.add_argument("--plan", required=True, type=Path, metavar="DIR", help="what `plan` wrote")
    apply.add_argument("--sha256", required=True, metavar="DIGEST", help="the digest of the reviewed plan file")
    apply.add_argument("--environment", help="the environment it was made for (default: ENVIRONMENT, or the stack's)")
    apply.add_argument("--outputs", type=Path, metavar="FILE", help="write the stack's outputs here, e.g. URL='…'")

    recover = add("recover", _recover, "say what to do about an apply that broke off")
    recover.add_argument("--environment", required=True, help="the environment it was for")
    recover.add_argument("--close", action="store_true", help="close its record, if it is surely over")

    history = add("history", _history, "list who put what where, when, from which plan")
    history.add_argument("--environment", help="of this environment alone")
    history.add_argument("--limit", type=_count, default=20, help="at most that many plans (default: %(default)s)")
    shape = history.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print whole records")
    shape.add_argument(
        "--attestation", metavar="PLAN", help="print one as an in-toto statement: a digest, or its start"
    )

    verify = add("verify", _verify, "talk to the deployed bot")
    verify.add_argument("--url", required=True, help="its address, ending in the stage")
    verify.add_argument("--environment", required=True, help="the environment it must be in")
    verify.add_argument("--release", help="what it must run: what /health reports, or a release.json")
    verify.add_argument("--question", help="what to ask, instead of what it can help with")

    insights = add("insights", _insights, "show what went unanswered, and what got a thumbs-down")
    insights.add_argument("--environment", required=True, help="whose bot to look at")
    insights.add_argument("--days", type=_days, default=30, help="how far to look back (default: %(default)s)")
    insights.add_argument("--json", action="store_true", help="print everything as JSON")

    update = add("update", _update, "update the pipeline's own stack, and restart the pipeline if that changed it")
    update.add_argument("--stack", default="pipeline", help="the pipeline's stack (default: %(default)s)")

    terraform = add("terraform", _terraform, "run Terraform in a stack's folder")
    terraform.add_argument("stack", help="a folder of cdktf.out/stacks")
    terraform.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- ARGS", help="what Terraform gets")

    cli_reviews.register(add)
    cli_state.register(add)

    add("environment", _environment, "print what plain cdktf and terraform need on this machine")
    return parser
