"""A plan without what Terraform marks as sensitive, wherever it turns up."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from delivery.attributes import SENSITIVE, Marks, at, both, redacted

Json = dict[str, Any]

SHORTEST_SECRET: Final = 6
"""Shorter ones are hidden where they are all of a value: as a part of one they would take ordinary words with them."""

SHORTEST_WORD: Final = 3
"""Still shorter ones are hidden in their own resource alone: everywhere they would take ordinary numbers with them."""

OF_HTML: Final = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})

KEPT: Final = ("format_version", "terraform_version", "timestamp", "applyable", "complete", "errored")
KEPT_OF_CHANGE: Final = (
    "actions",
    "before",
    "after",
    "after_unknown",
    "before_sensitive",
    "after_sensitive",
    "replace_paths",
    "importing",
)


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
    everywhere = _Secrets.of(text for change in _changes(plan) for text in _secrets(change))
    hidden = dict(plan)
    for part in ("resource_changes", "resource_drift"):
        hidden[part] = [item | {"change": _conceal(item["change"], everywhere)} for item in plan.get(part, [])]
    outputs = plan.get("output_changes", {})
    return hidden | {"output_changes": {name: _conceal(change, everywhere) for name, change in outputs.items()}}


def marks_of(change: Json) -> Marks:
    """Return what is sensitive on either side of ``change``."""
    return both(change.get("before_sensitive"), change.get("after_sensitive"))


@dataclass(frozen=True)
class _Secrets:
    """Texts to hide: as parts of a value, by how they begin, and as the whole of one."""

    parts: Mapping[str, tuple[str, ...]]
    wholes: frozenset[str]

    @classmethod
    def of(cls, found: Iterator[str]) -> "_Secrets":
        texts = {text for text in found if len(text) >= SHORTEST_WORD and text not in ("true", "false")}
        long = {text for text in texts if len(text) >= SHORTEST_SECRET}
        long |= {written for text in long for written in _in_documents(text)}
        parts: dict[str, tuple[str, ...]] = {}
        for text in long:
            parts[text[:SHORTEST_SECRET]] = (*parts.get(text[:SHORTEST_SECRET], ()), text)
        return cls(parts, frozenset(texts))

    def and_in_here(self, found: Iterator[str]) -> "_Secrets":
        """Return these, and what is too short to be hidden elsewhere."""
        return _Secrets(self.parts, self.wholes | {text for text in found if text})

    def hide(self, value: Any) -> Any:
        """Return a single value without the secrets in it."""
        if value is not None and _text(value) in self.wholes:
            return SENSITIVE
        if isinstance(value, str) and self.parts:
            # One look at each place in the text, however many secrets there are.
            windows = {value[start : start + SHORTEST_SECRET] for start in range(len(value) - SHORTEST_SECRET + 1)}
            found = (secret for beginning in windows & self.parts.keys() for secret in self.parts[beginning])
            for secret in sorted(found, key=len, reverse=True):
                value = value.replace(secret, SENSITIVE)
        return value


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
    kept = {key: change[key] for key in KEPT_OF_CHANGE if key in change}
    return kept | {side: redacted(change.get(side), marks) for side in ("before", "after")}


def _conceal(change: Json, everywhere: _Secrets) -> Json:
    marks = marks_of(change)
    secrets = everywhere.and_in_here(_secrets(change))
    if not (secrets.parts or secrets.wholes):
        return change
    return change | {side: _hide(change.get(side), marks, secrets) for side in ("before", "after")}


def _hide(value: Any, marks: Marks, secrets: _Secrets) -> Any:
    if marks is True:
        return value
    if isinstance(value, dict):
        return {key: _hide(item, at(marks, key), secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, at(marks, index), secrets) for index, item in enumerate(value)]
    return secrets.hide(value)


def _secrets(change: Json) -> Iterator[str]:
    marks = marks_of(change)
    for side in ("before", "after"):
        yield from _marked(change.get(side), marks)


def _marked(value: Any, marks: Marks) -> Iterator[str]:
    """Yield every single value at a marked place as text."""
    if isinstance(value, dict | list):
        for place, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _marked(item, at(marks, place))
    elif marks is True and value is not None:
        yield _text(value)


def _in_documents(text: str) -> Iterator[str]:
    """Yield how a text is written inside of a JSON document, and of one inside of another.

    Terraform's own ``jsonencode`` leaves letters as they are, but not what means something to HTML.
    https://developer.hashicorp.com/terraform/language/functions/jsonencode
    """
    for ascii_only, signs in product((True, False), ({}, OF_HTML)):
        written = text
        for _ in range(2):
            written = json.dumps(written, ensure_ascii=ascii_only)[1:-1].translate(signs)
            yield written


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
