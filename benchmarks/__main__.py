"""``python -m benchmarks [NAME ...]``: measure, and print every figure beside its peer."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import accuracy, answers, delivery, function, load, package, rehearsal, storage, synth, tables
from benchmarks.figure import Figure
from benchmarks.goals import goals_of, misses
from benchmarks.project import BenchmarkError
from benchmarks.table import as_json, show

BENCHMARKS: dict[str, tuple[str, Callable[[int], list[Figure]]]] = {
    "synth": ("Synthesis", synth.measure),
    "function": ("The function", function.measure),
    "storage": ("The store", storage.measure),
    "package": ("The package", package.measure),
    "delivery": ("Plans and reviews", delivery.measure),
    "accuracy": ("The conversation tests", accuracy.measure),
    "answers": ("The answers", answers.measure),
    "tables": ("The rehearsal's tables", tables.measure),
    "load": ("The load", load.measure),
    "rehearsal": ("The rehearsal", rehearsal.measure),
}
ONLY_WHEN_NAMED = frozenset({"load", "rehearsal"})


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for. Returns 1 for a goal missed under ``--strict``, 130 for Ctrl-C."""
    options = _options(arguments)
    console = Console(width=None if sys.stdout.isatty() else 132)
    figures: list[Figure] = []
    try:
        for name in options.names or [name for name in BENCHMARKS if options.all or name not in ONLY_WHEN_NAMED]:
            figures += _measured(name, options, console)
    except KeyboardInterrupt:
        return 130
    if options.json:
        options.json.write_text(as_json(figures))
    missed = [figure.what for figure in figures if misses(figure)]
    if missed:
        console.print(f"missed: {', '.join(missed)}", style="bold red", highlight=False)
    reached = all(figure.ours and all(goal.is_met(figure) for goal in goals_of(figure)) for figure in figures)
    return 1 if options.strict and not reached else 0


def _measured(name: str, options: argparse.Namespace, console: Console) -> list[Figure]:
    """Run one benchmark and show its figures; one that cannot run says why in place of them."""
    title, measure = BENCHMARKS[name]
    try:
        with console.status(f"{title} …"):
            figures = load.measure(options.repeat, options.url) if name == "load" else measure(options.repeat)
    except BenchmarkError as error:
        figures = [Figure(id=name, what=title, unit="", ours=None, note=str(error))]
    show(console, title, figures)
    return figures


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure this project beside its peers.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (default: the short ones)"
    )
    parser.add_argument("--all", action="store_true", help="load and rehearsal too, which take minutes")
    parser.add_argument(
        "--url", type=_address, metavar="URL", help="load the chatbot deployed here, not one of its own"
    )
    parser.add_argument("--repeat", type=_count, default=5, metavar="N", help="repetitions of each (default 5)")
    parser.add_argument("--json", type=_writable, metavar="FILE", help="write the figures to this file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed or not measured")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: choose of {', '.join(BENCHMARKS)}")
    return options


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 1000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of repetitions, from 1 to 1000")


def _address(text: str) -> str:
    if text.startswith(("http://", "https://")):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no address: `python -m rehearsal status` shows those of a rehearsal")


def _writable(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: name a file in a folder that exists")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
