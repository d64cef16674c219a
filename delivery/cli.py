"""The command line: ``python -m delivery --help``."""

import argparse
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from delivery import cli_ledger, cli_reviews, cli_state
from delivery.arguments import parser
from delivery.errors import DeliveryError, TerraformError, UsageError
from delivery.options import Command
from delivery.progress import say
from delivery.project import Project, read_release


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code; what went wrong stands on stderr, in one line.

    Raises ``BrokenPipeError`` when nobody reads what is printed any more.
    """
    options = parser().parse_args(arguments)
    try:
        COMMANDS[options.command](options, Project(Path.cwd()))
    except DeliveryError as error:
        if isinstance(error, TerraformError) and error.block:
            say(error.block)
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except BrokenPipeError:
        raise
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
    from concurrent.futures import ThreadPoolExecutor

    from delivery.answers import changed_answers
    from delivery.context import context_of
    from delivery.ledger import Ledger
    from delivery.plan import make_plan
    from delivery.terraform import Terraform

    stack = project.stack(options.stack)
    ledger = Ledger.of(project) if options.record else None
    written = _text(options.behaviour) if options.behaviour else ""
    with ThreadPoolExecutor(1) as beside:
        # Answers are compared while Terraform plans.
        answers = beside.submit(changed_answers, project, stack) if options.answers else None
        made = make_plan(
            project,
            Terraform.of(project),
            stack,
            options.out,
            behaviour=answers.result if answers else lambda: written,
            review_bucket=options.review_bucket,
            context=context_of(stack.name, options.before, options.reviews),
            days=options.days,
        )
    if ledger:
        ledger.enter(made.record)
    print(made.review.markdown(), end="")


def _apply(options: argparse.Namespace, project: Project) -> None:
    from delivery.apply import Place, apply_plan, check_outputs, write_outputs
    from delivery.deployed import keep
    from delivery.terraform import Terraform

    stack = project.stack(options.stack)
    terraform = Terraform.of(project)
    environment = options.environment or os.environ.get("ENVIRONMENT") or stack.environment
    if options.outputs:
        check_outputs(options.outputs)
    apply_plan(Place.of(project, terraform, stack, environment), options.plan, options.sha256)
    if options.keep:
        keep(stack)
    if options.outputs:
        write_outputs(stack, options.outputs)


def _verify(options: argparse.Namespace, _: Project) -> None:
    from delivery.verify import QUESTION, Expected, verify

    release = options.release
    if release and release.endswith(".json"):
        release = read_release(Path(release)).release
    verify(options.url, Expected(options.environment, release), options.question or QUESTION)


def _insights(options: argparse.Namespace, project: Project) -> None:
    from delivery.insights import insights

    found = insights(project, options.environment, days=options.days, now=datetime.now(UTC))
    if options.json:
        print(found.as_json())
    else:
        found.show()


def _behaviour(options: argparse.Namespace, project: Project) -> None:
    from delivery.behaviour import compare
    from delivery.builds import questions_in

    questions = questions_in(project.root, options.questions) if options.questions else []
    print(compare(project.root, options.old, options.new, questions).markdown(), end="")


def _update(options: argparse.Namespace, project: Project) -> None:
    from delivery.publish import publish_delivery
    from delivery.terraform import Terraform
    from delivery.update import Execution, update

    stack, execution = project.stack(options.stack), Execution.of(os.environ)
    update(project, Terraform.of(project), stack, execution)
    if options.hand_on:
        publish_delivery(project, *options.hand_on)


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
    found = {name: terraform.environment[name] for name in ("TF_CLI_CONFIG_FILE", "CHECKPOINT_DISABLE")}
    if project.tools in terraform.program.parents:
        found["PATH"] = os.pathsep.join([str(terraform.program.parent), os.environ.get("PATH", os.defpath)])
    print(shell_lines(found), end="")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error


COMMANDS: Mapping[str, Command] = {
    "package": _package,
    "bootstrap": _bootstrap,
    "plan": _plan,
    "apply": _apply,
    "verify": _verify,
    "insights": _insights,
    "behaviour": _behaviour,
    "update": _update,
    "terraform": _terraform,
    "environment": _environment,
    **cli_ledger.COMMANDS,
    **cli_reviews.COMMANDS,
    **cli_state.COMMANDS,
}
