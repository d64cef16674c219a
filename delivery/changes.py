"""A saved plan as data: what it changes, and what changed behind its back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from delivery.access import NO_ACCESS, Access, access
from delivery.attributes import Difference, differences, known, redacted
from delivery.redaction import marks_of
from delivery.risk import Risk, grade

Json = dict[str, Any]

KINDS: Final = {
    ("no-op",): "no-op",
    ("read",): "no-op",
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("forget",): "forget",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("create", "forget"): "create",
    ("forget", "create"): "create",
}
"""What Terraform's lists of actions amount to. https://developer.hashicorp.com/terraform/internals/json-format"""


@dataclass(frozen=True)
class Change:
    """What happens to one resource."""

    address: str
    type: str
    kind: str
    risk: Risk
    reason: str
    differences: tuple[Difference, ...] = ()
    forcing: frozenset[str] = frozenset()
    access: Access = NO_ACCESS
    moved_from: str = ""
    imported: bool = False
    note: str = ""


@dataclass(frozen=True)
class Planned:
    """Everything a saved plan would do."""

    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    outputs: tuple[Difference, ...]
    applicable: bool

    @property
    def has_changes(self) -> bool:
        """Whether applying the plan would change anything: resources, outputs, or what the state calls them."""
        return self.applicable or bool(self.changes or self.outputs)

    @cached_property
    def risk(self) -> Risk:
        """The gravest of all risks."""
        least = Risk.ORDINARY if self.has_changes else Risk.NONE
        return max((change.risk for change in self.changes), default=least)


def read_plan(plan: Json, guarded: frozenset[str] = frozenset()) -> Planned:
    """Return what ``plan``, as ``terraform show -json`` gives it, would do.

    ``guarded`` are the names of what Terraform itself stands on: the bucket of states, the tables of locks and plans.
    """
    changes = [_change(item, guarded) for item in plan.get("resource_changes", [])]
    changes = [change for change in changes if change.kind != "no-op"]
    changed = {change.address for change in changes}
    drift = [_change(item, guarded) for item in plan.get("resource_drift", [])]
    return Planned(
        changes=tuple(changes),
        # After every apply the provider finds attributes that it computes; only what the plan answers is news.
        drift=tuple(change for change in drift if _is_news(change) and change.address in changed),
        outputs=tuple(
            difference
            for name, change in sorted(plan.get("output_changes", {}).items())
            if change["actions"] != ["no-op"]
            for difference in _differences(change, name)
        ),
        applicable=bool(plan.get("applyable", False)),
    )


def _differences(change: Json, prefix: str = "") -> list[Difference]:
    marks = marks_of(change)
    before, after, unknown = change.get("before"), change.get("after"), change.get("after_unknown")
    if prefix:
        before, after, marks, unknown = {prefix: before}, {prefix: after}, {prefix: marks}, {prefix: unknown}
    return differences(before, after, sensitive=marks, unknown=unknown)


def _change(item: Json, guarded: frozenset[str]) -> Change:
    change, moved = item["change"], item.get("previous_address", "")
    imported = "importing" in change
    kind = _kind(change["actions"])
    if kind == "no-op" and item.get("mode") != "data" and (moved or imported):
        kind = "import" if imported else "move"
    found = tuple(_differences(change)) if kind in ("update", "replace") else ()
    names = {str(side.get(name)) for side in _sides(change) for name in ("bucket", "name", "id")}
    allowed = _access(item["type"], change) if kind not in ("no-op", "move", "import", "forget") else NO_ACCESS
    risk, reason = grade(
        "forget" if "forget" in change["actions"] else kind,
        item["type"],
        [difference.path for difference in found],
        guarded=bool(names & guarded),
        widens=allowed.widens,
    )
    note = f"moved from {moved}" if moved else str(item.get("action_reason", "")).replace("_", " ")
    return Change(
        address=address_of(item),
        type=item["type"],
        kind=kind,
        risk=risk,
        reason=reason,
        differences=found,
        forcing=_paths(change),
        access=allowed,
        moved_from=moved,
        imported=imported,
        note=note,
    )


def _is_news(change: Change) -> bool:
    """Whether somebody would see it: a provider also turns nothing into an empty list."""
    return change.kind != "no-op" and (change.kind != "update" or bool(change.differences))


def address_of(item: Json) -> str:
    """Return what a resource is called, and which of its objects it is, where a replacement left one behind."""
    return str(item["address"]) + (f" (deposed {item['deposed']})" if item.get("deposed") else "")


def _kind(actions: list[str]) -> str:
    """Return what a list of actions amounts to; an unheard-of one that deletes counts as a replacement."""
    return KINDS.get(tuple(actions), "replace" if "delete" in actions else "update")


def _sides(change: Json) -> list[Json]:
    return [side for side in (change.get("before"), change.get("after")) if isinstance(side, dict)]


def _access(type_: str, change: Json) -> Access:
    marks = marks_of(change)
    after = known(change.get("after"), change.get("after_unknown")) if change["actions"] != ["delete"] else None
    return access(type_, redacted(change.get("before"), marks), redacted(after, marks))


def _paths(change: Json) -> frozenset[str]:
    """Return the attributes that force the replacement."""
    return frozenset(
        ".".join(str(step) for step in path) if isinstance(path, list) else str(path)
        for path in change.get("replace_paths", [])
    )
