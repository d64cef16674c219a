"""Who may do what: a policy as statements that a person can read."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = Mapping[str, Any]

ANYONE: Final = "anyone (*)"
NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Grant:
    """One statement: ``what`` is allowed or denied, to ``who``, on ``where``, if all of ``when`` holds."""

    effect: str = "Allow"
    what: frozenset[str] = NOTHING
    where: frozenset[str] = NOTHING
    who: frozenset[str] = NOTHING
    when: frozenset[str] = NOTHING

    def __str__(self) -> str:
        parts = [("", self.what), (" on ", self.where), (" for ", self.who), (" if ", self.when)]
        return f"{self.effect} " + "".join(f"{word}{', '.join(sorted(part))}" for word, part in parts if part)


def policy_grants(text: object) -> tuple[Grant, ...] | None:
    """Return the statements of a policy document, or ``None`` for anything else.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    if not isinstance(text, str) or ('"Statement"' not in text and "\\u" not in text):
        return None
    try:
        statements = json.loads(text)["Statement"]
        return tuple(_statement(each) for each in listed(statements))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _statement(statement: Json) -> Grant:
    who = _named(statement, "Principal", principals)
    return Grant(
        effect=str(statement.get("Effect", "Allow")),
        what=frozenset(_named(statement, "Action", listed)),
        where=frozenset(_named(statement, "Resource", listed)),
        who=frozenset(who),
        when=frozenset(
            f"{operator} {key} = {' or '.join(sorted(map(str, listed(value))))}"
            for operator, keys in statement.get("Condition", {}).items()
            for key, value in keys.items()
        ),
    )


def _named(statement: Json, key: str, read: Callable[[Any], Iterable[Any]]) -> Iterator[str]:
    """Yield what ``key`` and its negation hold."""
    yield from (str(value) for value in read(statement.get(key, [])))
    yield from (f"all but {value}" for value in read(statement.get(f"Not{key}", [])))


def principals(value: Any) -> Iterator[str]:
    """Yield whom ``Principal`` names."""
    if not isinstance(value, Mapping):
        yield from (ANYONE if each == "*" else str(each) for each in listed(value))
        return
    for kind, names in value.items():
        yield from (ANYONE if (kind, name) == ("AWS", "*") else f"{kind} {name}" for name in listed(names))


def listed(value: Any) -> list[Any]:
    """Return what may stand alone or in a list as a list."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
