"""A saved plan as data: what it changes, and what changed behind its back."""

from dataclasses import dataclass
from typing import Any, Final

from delivery.attributes import Difference, differences
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

    @property
    def risk(self) -> Risk:
        """The gravest of all risks."""
        least = Risk.ORDINARY if self.has_changes else Risk.NONE
        return max((change.risk for change in self.changes), default=least)


def read_plan(plan: Json) -> Planned:
    """Return what ``plan``, as ``terraform show -json`` gives it, would do."""
    changes = tuple(change for item in plan.get("resource_changes", []) if (change := _change(item)).kind != "no-op")
    changed = {change.address for change in changes}
    return Planned(
        changes=changes,
        # After every apply the provider finds attributes that it computes; only what the plan answers is news.
        drift=tuple(
            change
            for item in plan.get("resource_drift", [])
            if (change := _change(item)).kind != "no-op" and change.address in changed
        ),
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


def _change(item: Json) -> Change:
    change = item["change"]
    kind = KINDS.get(tuple(change["actions"]), "update")
    moved, imported = item.get("previous_address"), change.get("importing")
    if kind == "no-op" and item.get("mode") != "data" and (moved or imported):
        kind = "import" if imported else "move"
    found = tuple(_differences(change)) if kind in ("update", "replace") else ()
    risk, reason = grade(kind, item["type"], [difference.path for difference in found])
    address = item["address"] + (f" (deposed {item['deposed']})" if item.get("deposed") else "")
    note = f"moved from {moved}" if moved else str(item.get("action_reason", "")).replace("_", " ")
    return Change(address, item["type"], kind, risk, reason, found, _paths(change), note)


def _paths(change: Json) -> frozenset[str]:
    """Return the attributes that force the replacement."""
    return frozenset(
        ".".join(str(step) for step in path) if isinstance(path, list) else str(path)
        for path in change.get("replace_paths", [])
    )
