"""Commands that read the ledger: who put what where, and what to do about an apply that broke off."""

import argparse
import json
from collections.abc import Mapping

from delivery.errors import UsageError
from delivery.options import Add, Command, number
from delivery.printable import one_line
from delivery.project import Project
from delivery.record import Status


def register(add: Add) -> None:
    """Add the commands to the command line."""
    recover = add("recover", "say what to do about an apply that broke off")
    recover.add_argument("--environment", required=True, help="the environment it was for")
    recover.add_argument("--close", action="store_true", help="close its record, if it is surely over")

    history = add("history", "list who put what where, when, from which plan")
    history.add_argument("--environment", help="of this environment alone")
    history.add_argument("--limit", type=_plans, default=20, help="at most that many plans (default: %(default)s)")
    shape = history.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print whole records")
    shape.add_argument(
        "--attestation", metavar="PLAN", help="print one as an in-toto statement: a digest, or its start"
    )


def _plans(text: str) -> int:
    return number(text, "plans", 10_000)


def _recover(options: argparse.Namespace, project: Project) -> None:
    from delivery.history import environments
    from delivery.ledger import Ledger
    from delivery.recover import broken, close

    ledger = Ledger.of(project)
    found = broken(project, ledger, options.environment) if options.environment else []
    if not found and options.environment not in (known := environments(project)):
        raise UsageError(f"no stack is of environment {options.environment!r}: there are {', '.join(known)}")
    if not found:
        print(f"{options.environment}: every apply is closed, there is nothing to recover")
    for each in found:
        print(each.heading)
        if options.close:
            close(ledger, each)
            print(f"  closed as {Status.INTERRUPTED}")
        else:
            print(*(f"  - {one_line(fact)}" for fact in each.facts), sep="\n")
            print(*(f"  {number}. {one_line(step)}" for number, step in enumerate(each.steps, 1)), sep="\n")


def _history(options: argparse.Namespace, project: Project) -> None:
    from delivery.attestation import statement
    from delivery.history import as_data, history, one_plan, show

    if options.attestation is not None:
        print(json.dumps(statement(one_plan(project, options.environment, options.attestation)), indent=2))
        return
    records = history(project, options.environment, options.limit)
    if options.json:
        print(json.dumps(as_data(records), indent=2))
    elif records:
        show(records)
    else:
        print(f"the ledger knows no plan of {options.environment or 'any environment'}")


COMMANDS: Mapping[str, Command] = {"recover": _recover, "history": _history}
