"""The command line: what can be asked of a rehearsal, and the exit code it answers with."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rehearsal import fulldisk
from rehearsal.configuration import OWN_FOLDER
from rehearsal.errors import RehearsalError, UserError
from rehearsal.signals import Interrupted
from rehearsal.typed import typed

EXAMPLES = """\
examples:
  {me}
      start an emulated AWS, deliver the working tree through its pipeline, serve;
      again, elsewhere, while one serves: push the working tree there and follow
  APPROVE=all {me} --exit-when-done --json result.json
  {me} --to dev
      stop the execution once dev is deployed, and end
  {me} status
      what serves, how the newest execution stands, the URLs
  {me} approve --comment 'looks good'
  {me} logs Build/Build
      the log of that action
  eval "$({me} env)"
      let this shell's aws, terraform and python live in the emulated AWS
  {me} down
      end what serves

exit codes: 0 succeeded, 1 failed, rejected or stopped, 2 a mistake in how it was called, 130 Ctrl-C
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    # Each command's imports are its own: --help and status should not wait for an emulator.
    from rehearsal.screen import complain

    try:
        return _command(options)
    except UserError as error:
        complain(str(error))
        return 2
    except RehearsalError as error:
        complain(str(error))
        return 1
    except Interrupted as interruption:
        return 128 + interruption.number
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us has gone (head, less): https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        full = fulldisk.explained(error, options.source.absolute() / OWN_FOLDER)
        complain(full or f"{error.filename or 'the system'}: {error.strerror or error}")
        return 1


def _command(options: argparse.Namespace) -> int:
    from rehearsal import configuration

    if options.command is None:
        from rehearsal import rehearse

        return rehearse.rehearse(configuration.read(options.source), rehearse.wishes(options))
    from rehearsal import enquiries

    command = enquiries.COMMANDS[options.command]
    return command(configuration.read(options.source), options)


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> Parser:
    parser = Parser(
        prog=typed(),
        description="Rehearse a CodePipeline on this machine: an emulated AWS that executes what it is given.",
        epilog=EXAMPLES.format(me=typed()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_source(parser, Path())
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="serve on this port (default: a free one)")
    parser.add_argument("--approve", metavar="ask|all|none", help="who answers approvals (default: $APPROVE, else ask)")
    parser.add_argument("--exit-when-done", action="store_true", help="end with the execution instead of serving on")
    parser.add_argument("--to", metavar="ENVIRONMENT", help="stop the execution once this environment is deployed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the execution's result to this file")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="further commands (default: rehearse)")
    for name, explanation in COMMANDS.items():
        command = commands.add_parser(name, help=explanation, description=explanation.capitalize() + ".")
        _add_source(command, argparse.SUPPRESS)
        _add_options(command, name)
    return parser


COMMANDS = {
    "status": "show what serves and how its newest execution stands",
    "down": "end what serves, and wait until it is gone",
    "env": "print the shell lines that make a shell live in the emulated AWS",
    "approve": "approve what waits for approval",
    "reject": "reject what waits for approval",
    "stop": "stop the executions under way, once their running actions have ended",
    "logs": "print the log of an action of the newest execution",
}


def _add_source(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--source", type=Path, default=default, metavar="DIR", help="the project (default: this folder)"
    )


def _add_options(command: argparse.ArgumentParser, name: str) -> None:
    if name in {"approve", "reject"}:
        command.add_argument("--comment", default="", help="the approver's words, kept with the answer")
    if name == "logs":
        command.add_argument("action", nargs="?", metavar="STAGE/ACTION", help="default: what failed, runs or ran last")


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port, expected a number from 0 to 65535")
