"""How long packaging takes, and how large what is shipped is."""

import gzip
import itertools
import shutil
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, Measurement, Sample, interleaved, seconds, single
from benchmarks.project import PYTHON, ROOT, know_the_function, make_package, run

COMMAND = (PYTHON, "-m", "delivery", "package")
COPIED = ("delivery", "knowledge", "lambda")
MEGABYTE, KILOBYTE = 10**6, 10**3


def measure(repeat: int) -> list[Figure]:
    """Package a copy of the project: unchanged, and after a change of one source; beside Python's own start."""
    make_package()
    found = _durations(repeat)
    bare = found["python"]
    zip_size, page = (ROOT / "build" / "lambda.zip").stat().st_size, _page()
    return [
        _duration("package.unchanged", "packaging, nothing changed", found["unchanged"], bare),
        _duration("package.changed", "packaging, one source changed", found["changed"], bare),
        Figure(id="package.zip", what="the function's zip", unit="MB", ours=single(zip_size / MEGABYTE)),
        Figure(
            id="package.page",
            what="the chat page, gzip",
            unit="kB",
            ours=single(len(gzip.compress(page, mtime=0)) / KILOBYTE),
            peer=single(len(page) / KILOBYTE),
            peer_name="uncompressed",
        ),
    ]


def _page() -> bytes:
    """The page as the function sends it."""
    know_the_function()
    from chatbot.page import Page
    from chatbot.serve.bot import LOOKS
    from chatbot.settings import looks

    return Page(looks(LOOKS), environment="dev", backup_days=35).html.encode()


def _duration(id: str, what: str, ours: Sample, bare: Sample) -> Figure:
    return Figure(id=id, what=what, unit="s", ours=ours, peer=bare, peer_name="python -c pass")


def _durations(repeat: int) -> dict[str, Sample]:
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for folder in COPIED:
            shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(ROOT / "Pipfile.lock", copy / "Pipfile.lock")
        # The dependencies are installed already: what is measured is a change of the bot, not of its lock.
        shutil.copytree(ROOT / "build", copy / "build", ignore=shutil.ignore_patterns(".*", "delivery"))
        run(COMMAND, folder=copy)
        numbers = itertools.count()
        measurements: dict[str, Measurement] = {
            "python": seconds(partial(run, (PYTHON, "-c", "pass"), folder=copy)),
            "unchanged": seconds(partial(run, COMMAND, folder=copy)),
            "changed": lambda: _after_a_change(copy, next(numbers)),
        }
        return interleaved(measurements, repeat)


def _after_a_change(copy: Path, number: int) -> float:
    with (copy / "lambda" / "chatbot" / "words.py").open("a") as source:
        source.write(f"CHANGE = {number}\n")
    return seconds(partial(run, COMMAND, folder=copy))()
