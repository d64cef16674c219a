"""Reads settings.py, and turns whatever is wrong with it into one line."""

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from stacks.project import Project

FILE = Path(__file__).with_name("settings.py")


def load_project() -> Project:
    """Return the project of ``stacks/settings.py``.

    Ends the program with exit code 2 and one line on stderr when the file cannot be read, run or deployed.
    """
    try:
        with _read_anew():
            project = importlib.import_module("stacks.settings").PROJECT
    except SyntaxError as error:
        _refuse(f"line {error.lineno}: {error.msg}")
    except Exception as error:
        _refuse(f"line {_line_of(error)}: {error or repr(error)}")
    if not isinstance(project, Project):
        _refuse(f"PROJECT is a {type(project).__name__}; make it a Project")
    return project


@contextmanager
def _read_anew() -> Iterator[None]:
    """Keep no byte-code: Python takes it for that of a file of the same size that changed within the same second."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _line_of(error: BaseException) -> int | str:
    """The line of settings.py at which ``error`` came up."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == FILE]
    return (frames[-1].lineno if frames else None) or "?"


def _refuse(message: str) -> NoReturn:
    print(f"stacks/settings.py: {message}", file=sys.stderr)
    raise SystemExit(2)
