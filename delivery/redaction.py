"""A plan without what Terraform marks as sensitive, wherever it turns up."""

from collections.abc import Iterator
from typing import Any, Final

from delivery.attributes import SENSITIVE, Marks, at, both, redacted

Json = dict[str, Any]

SHORTEST_SECRET: Final = 6
"""Shorter strings are secrets by their place alone: hidden everywhere they would take ordinary words with them."""

KEPT: Final = ("format_version", "terraform_version", "timestamp", "applyable", "complete", "errored")


def without_secrets(plan: Json) -> Json:
    """Return the parts of ``plan`` a reader needs, with every value that Terraform marks as sensitive taken out.

    Configuration, variables and state are left out whole: not all that is secret in them carries a mark.
    """
    return {
        **{key: plan[key] for key in KEPT if key in plan},
        "resource_changes": [
            item | {"change": _redacted(item["change"])} for item in plan.get("resource_changes", []) if not _idle(item)
        ],
        "resource_drift": [item | {"change": _redacted(item["change"])} for item in plan.get("resource_drift", [])],
        "output_changes": {name: _redacted(change) for name, change in plan.get("output_changes", {}).items()},
    }


def concealed(plan: Json) -> Json:
    """Return ``plan`` with copies of its secrets hidden that carry no mark, such as computed attributes made from them.

    The marked places are left as they are, so that a change of a secret can still be seen.
    """
    secrets = {text for change in _changes(plan) for text in _secrets(change)}
    if not secrets:
        return plan
    ordered = sorted(secrets, key=len, reverse=True)
    hidden = dict(plan)
    for part in ("resource_changes", "resource_drift"):
        hidden[part] = [item | {"change": _conceal(item["change"], ordered)} for item in plan.get(part, [])]
    outputs = plan.get("output_changes", {})
    return hidden | {"output_changes": {name: _conceal(change, ordered) for name, change in outputs.items()}}


def marks_of(change: Json) -> Marks:
    """Return what is sensitive on either side of ``change``."""
    return both(change.get("before_sensitive"), change.get("after_sensitive"))


def _idle(item: Json) -> bool:
    return (
        item["change"]["actions"] == ["no-op"] and "previous_address" not in item and "importing" not in item["change"]
    )


def _changes(plan: Json) -> Iterator[Json]:
    for part in ("resource_changes", "resource_drift"):
        yield from (item["change"] for item in plan.get(part, []))
    yield from plan.get("output_changes", {}).values()


def _redacted(change: Json) -> Json:
    marks = marks_of(change)
    return change | {side: redacted(change.get(side), marks) for side in ("before", "after")}


def _conceal(change: Json, secrets: list[str]) -> Json:
    marks = marks_of(change)
    return change | {side: _hide(change.get(side), marks, secrets) for side in ("before", "after")}


def _hide(value: Any, marks: Marks, secrets: list[str]) -> Any:
    if marks is True:
        return value
    if isinstance(value, dict):
        return {key: _hide(item, at(marks, key), secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, at(marks, index), secrets) for index, item in enumerate(value)]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, SENSITIVE)
    return value


def _secrets(change: Json) -> Iterator[str]:
    marks = marks_of(change)
    for side in ("before", "after"):
        yield from _marked(change.get(side), marks)


def _marked(value: Any, marks: Marks) -> Iterator[str]:
    """Yield every string at a marked place that is long enough to be told from an ordinary word."""
    if isinstance(value, str):
        if marks is True and len(value) >= SHORTEST_SECRET:
            yield value
    elif isinstance(value, dict | list):
        for place, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _marked(item, at(marks, place))
