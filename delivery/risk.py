"""How dangerous a change is, by the tables in ``rules``."""

import re
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from delivery.rules import SENSITIVE_ATTRIBUTES, SENSITIVE_REMOVALS, SENSITIVE_TYPES, STATEFUL, STATELESS


class Risk(IntEnum):
    """Grades of risk, from the harmless to the irreversible."""

    NONE = 0
    ORDINARY = 1
    SENSITIVE = 2
    DESTRUCTIVE = 3

    def __str__(self) -> str:
        return self.name.lower()


UNHEARD_OF: Final = "a type that no rule knows"


def grade(
    kind: str, type_: str, attributes: list[str], *, guarded: bool = False, widens: bool = False
) -> tuple[Risk, str]:
    """Return the risk of one change and the reason: ``kind`` is what happens, ``attributes`` are those that differ.

    ``guarded`` is what Terraform itself stands on; what ``widens`` lets someone do more. A type that no table knows
    gets the worse grade: it may hold data, or let someone in.
    """
    if kind == "no-op":
        return Risk.NONE, ""
    if kind in ("delete", "replace") and (lost := holds(type_)):
        return Risk.DESTRUCTIVE, f"loses {lost}"
    if kind == "forget":
        return Risk.SENSITIVE, "no longer managed"
    if guarded:
        return Risk.SENSITIVE, "Terraform's state, locks or ledger"
    for pattern, reason in (*SENSITIVE_TYPES, *(SENSITIVE_REMOVALS if kind == "delete" else ())):
        if fnmatchcase(type_, pattern):
            return Risk.SENSITIVE, reason
    if kind in ("update", "replace"):
        row = min((_row(type_, attribute) for attribute in attributes), default=len(SENSITIVE_ATTRIBUTES))
        if row < len(SENSITIVE_ATTRIBUTES):
            return Risk.SENSITIVE, SENSITIVE_ATTRIBUTES[row][1]
    if widens:
        return Risk.SENSITIVE, "who may use the resource"
    if kind not in ("move", "import") and not _is_known(type_):
        return Risk.SENSITIVE, UNHEARD_OF
    return Risk.ORDINARY, ""


def holds(type_: str) -> str:
    """Return what is lost with a resource of the type; empty for one that is known to hold nothing."""
    if type_ in STATEFUL:
        return STATEFUL[type_]
    sensitive = any(fnmatchcase(type_, pattern) for pattern, _ in SENSITIVE_TYPES)
    return "" if sensitive or _is_known(type_) else f"what {UNHEARD_OF} may hold"


@lru_cache(maxsize=100_000)
def _row(type_: str, attribute: str) -> int:
    """Return the first row of the table that the attribute matches; resources of a type have the same attributes."""
    for row, (pattern, _) in enumerate(SENSITIVE_ATTRIBUTES):
        name = f"{type_}.{attribute}" if pattern.startswith("aws_") else attribute
        # A block that is unknown, or a secret, as a whole may hold what the pattern names in it.
        if fnmatchcase(name, pattern) or name == re.split(r"[*\[]", pattern)[0]:
            return row
    return len(SENSITIVE_ATTRIBUTES)


def _is_known(type_: str) -> bool:
    return type_ in STATEFUL or any(fnmatchcase(type_, pattern) for pattern in STATELESS)
