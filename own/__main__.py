"""``python -m own``, or ``make bot ARGS=…``: makes this repository a team's own bot."""

import argparse
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from own import conversations, knowledge, settings
from own.errors import OwnError

# Each option with the setting that it writes, and what that is.
SETTINGS = {
    "name": ("bot_name", "what people call the bot"),
    "project": (
        "name",
        "the first part of every resource's name, final once deployed (default: from the first --name)",
    ),
    "greeting": ("greeting", "what the bot says first"),
    "accent": ("accent", "the page's colour, such as '#2f5fdd'; it has to be readable on white"),
    "accent-dark": ("accent_dark", "the same on a dark page (default: found from --accent)"),
    "account": ("account", "the AWS account of the pipeline"),
    "region": ("region", "the AWS region"),
    "repository": ("source.repository", "the repository that is delivered, such as my-team/my-bot"),
    "branch": ("source.branch", "the branch that is delivered"),
}
REPLACED = ("knowledge", "tests/conversations")


def main(arguments: Sequence[str]) -> int:
    """Do as the options say; return 2, with one line on stderr and nothing changed, where that cannot be."""
    options = _parser().parse_args(arguments)
    given = {path: getattr(options, name.replace("-", "_")) for name, (path, _) in SETTINGS.items()}
    values = {path: value for path, value in given.items() if value is not None}
    try:
        _own(Path.cwd(), values, options.knowledge)
    except OwnError as error:
        print(f"own: {error}", file=sys.stderr)
        return 2
    return 0


def _own(root: Path, values: Mapping[str, str], folder: Path | None) -> None:
    if not (root / settings.FILE).is_file():
        raise OwnError(f"there is no {settings.FILE} here: run this in the project's folder")
    if not values and folder is None:
        raise OwnError("nothing to do: say --name NAME, for a start; --help tells the rest")
    source = (root / settings.FILE).read_text(encoding="utf-8")
    is_first = knowledge.is_parleys(root)
    values = _complete(values) if is_first else values
    wanted = settings.rewritten(source, values)
    _check_settings(wanted)
    with tempfile.TemporaryDirectory() as temporary:
        if folder is None and "bot_name" in values and is_first:
            folder = knowledge.starter(values["bot_name"], Path(temporary))
        if folder:
            sections = knowledge.learned(root, folder)
            _check_committed(root)
            knowledge.replace(root, folder)
            conversations.replace(root, sections)
            print(f"{knowledge.KNOWLEDGE}: {len(sections)} answers")
            print(f"{conversations.FOLDER}: two to go on from")
    if wanted != source:
        (root / settings.FILE).write_text(wanted, encoding="utf-8")
        print(f"{settings.FILE}: {', '.join(values)}")
    if folder:
        _stage(root)
    print("now talk to it: make chat; then rehearse its delivery: make rehearse; then commit: git commit --all")


def _complete(values: Mapping[str, str]) -> Mapping[str, str]:
    """Name the project after its new bot, unless told otherwise: two bots in one account share no resource's name."""
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in values.get("bot_name", "").lower()).strip("-")
    return values if not name or "name" in values else {"name": name, **values}


def _check_settings(source: str) -> None:
    """Raise ``OwnError`` in the settings' own words for what they would refuse."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.py"
        file.write_text(source, encoding="utf-8")
        try:
            runpy.run_path(str(file))
        except ValueError as error:
            raise OwnError(str(error)) from None


def _check_committed(root: Path) -> None:
    """What is replaced can be had again from git, or is not replaced."""
    command = ["git", "status", "--porcelain", "--", *REPLACED]
    status = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if status.returncode:
        raise OwnError("this folder is no git repository: commit everything first, since files are replaced")
    if status.stdout:
        file = status.stdout.splitlines()[0][3:]
        raise OwnError(
            f"{file} has changes that are not committed: commit or stash them first, since files are replaced"
        )


def _stage(root: Path) -> None:
    """What git does not know is neither rehearsed nor delivered."""
    command = ["git", "add", "--all", "--", *REPLACED, str(knowledge.ASIDE)]
    added = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if added.returncode:
        why = (added.stderr.strip().splitlines() or ["it gave no reason"])[0]
        raise OwnError(f"everything is written, but git does not take it ({why}): run {' '.join(command)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m own", description="Makes this repository a team's own bot.")
    for name, (_, what) in SETTINGS.items():
        parser.add_argument(f"--{name}", help=what)
    parser.add_argument(
        "--knowledge", type=Path, metavar="DIR", help="folder of Markdown that it answers from (default: a small start)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
