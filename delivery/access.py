"""What a change gives and takes: the statements before it beside those after it, and whether anyone may do more."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from delivery.attributes import UNKNOWN
from delivery.grants import Grant, policy_grants
from delivery.readers import READERS, resource_grants

PARTS: Final = (("action", "what"), ("resource", "where"), ("principal", "who"), ("condition", "when"))
DEPTH: Final = 4
"""How deep in a resource's attributes a policy document is looked for."""

MOST_PAIRS: Final = 10_000
"""Of more, nobody looks for the statement that another one was: each is shown as gone or new."""


@dataclass(frozen=True)
class Access:
    """The lines to show, whether something becomes possible that was not, and the attributes they stand for."""

    lines: tuple[str, ...] = ()
    widens: bool = False
    paths: frozenset[str] = frozenset()

    def covers(self, path: str) -> bool:
        """Whether the attribute at ``path`` is shown here already."""
        return any(path == own or path.startswith((f"{own}.", f"{own}[")) for own in self.paths)


NO_ACCESS: Final = Access()


def access(type_: str, before: Any, after: Any) -> Access:
    """Compare what a resource allows ``before`` and ``after``; an unknown value is ``UNKNOWN`` in ``after``."""
    old, new = (_documents(side, guards=_guards(type_)) for side in (before, after))
    found: list[Access] = []
    for path in sorted({**old, **new}):
        before_it, after_it = old.get(path, ()), new.get(path, ())
        if isinstance(before_it, str) or isinstance(after_it, str):
            found.append(Access((f"? {path}: {UNKNOWN}",), paths=frozenset({path})))
            continue
        compared = compare(before_it, after_it)
        named = (f"  {path}:",) if compared.lines and path != "policy" else ()
        found.append(Access(named + compared.lines, compared.widens, frozenset({path})))
    if type_ in READERS:
        sides = [resource_grants(type_, side) if isinstance(side, Mapping) else () for side in (before, after)]
        compared = compare(*sides)
        found.append(Access(compared.lines, compared.widens, frozenset({"ingress", "egress"})))
    return Access(
        lines=tuple(line for each in found for line in each.lines),
        widens=any(each.widens for each in found),
        paths=frozenset().union(*(each.paths for each in found if each.lines)),
    )


def compare(before: tuple[Grant, ...], after: tuple[Grant, ...]) -> Access:
    """Show what differs between two lists of statements: whole ones, or the parts of one that changed."""
    old_ones, new_ones = frozenset(before), frozenset(after)
    gone, come = [one for one in before if one not in new_ones], [one for one in after if one not in old_ones]
    lines: list[str] = []
    widens = False
    are_paired = len(gone) * len(come) <= MOST_PAIRS
    for new in sorted(come, key=str):
        old = _nearest(new, gone) if are_paired else None
        if old is None:
            lines.append(f"+ {new}")
            widens = widens or new.effect == "Allow"
        else:
            gone.remove(old)
            lines += _parts(old, new)
            widens = widens or _gives(old, new)
    lines += [f"- {old}" for old in sorted(gone, key=str)]
    return Access(tuple(lines), widens or any(old.effect != "Allow" for old in gone))


def _guards(type_: str) -> bool:
    """Whether resources of the type are there for their policy; others merely may have one."""
    return type_.startswith("aws_iam_") or type_.endswith("_policy")


def _documents(value: Any, path: str = "", depth: int = DEPTH, *, guards: bool) -> dict[str, tuple[Grant, ...] | str]:
    """Return every policy document in ``value`` by its path; ``UNKNOWN`` for one that cannot be known yet."""
    if isinstance(value, Mapping | list) and depth:
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        found: dict[str, tuple[Grant, ...] | str] = {}
        for name, item in items:
            inner = f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}" if path else str(name)
            found |= _documents(item, inner, depth - 1, guards=guards)
        return found
    if value == UNKNOWN and guards and path in ("policy", "assume_role_policy"):
        return {path: UNKNOWN}
    grants = policy_grants(value)
    return {} if grants is None else {path: grants}


def _nearest(new: Grant, gone: list[Grant]) -> Grant | None:
    """Return the statement of ``gone`` that ``new`` most likely was: of the same effect, and most alike."""
    candidates = [old for old in gone if old.effect == new.effect and _overlap(old, new)]
    return max(candidates, key=lambda old: (_likeness(old, new), str(old)), default=None)


def _likeness(old: Grant, new: Grant) -> int:
    return sum(getattr(old, part) == getattr(new, part) for _, part in PARTS)


def _overlap(old: Grant, new: Grant) -> bool:
    return any(getattr(old, part) & getattr(new, part) for part in ("what", "where"))


def _parts(old: Grant, new: Grant) -> Iterator[str]:
    kept = Grant(new.effect, *(getattr(old, part) & getattr(new, part) for _, part in PARTS))
    yield f"! {kept}"
    for name, part in PARTS:
        yield from (f"+   {name} {value}" for value in sorted(getattr(new, part) - getattr(old, part)))
        yield from (f"-   {name} {value}" for value in sorted(getattr(old, part) - getattr(new, part)))


def _gives(old: Grant, new: Grant) -> bool:
    """Whether ``new`` lets anyone do what ``old`` did not; an exception that changes counts as such."""
    if any(value.startswith("all but ") for _, part in PARTS for value in getattr(old, part) ^ getattr(new, part)):
        return True
    more = any(getattr(new, part) - getattr(old, part) for part in ("what", "where", "who"))
    less = any(getattr(old, part) - getattr(new, part) for part in ("what", "where", "who"))
    if new.effect == "Allow":
        return more or bool(old.when - new.when)
    return less or bool(new.when - old.when)
