"""What the parts of the command line share: how a command is added, what runs one, and options that are numbers."""

import argparse
from collections.abc import Callable

from delivery.project import Project

Add = Callable[[str, str], argparse.ArgumentParser]
"""Takes a command's name and what it does, and returns the parser of its options."""

Command = Callable[[argparse.Namespace, Project], None]


def number(text: str, of: str, most: int) -> int:
    """Return a number from 1 to ``most``; raises ``ArgumentTypeError``, which says that there are no such ``of``."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of {of}, from 1 to {most}")
