"""What a rule's target is given: the event, a part of it, a constant, or a template filled from it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import logging
import re
from typing import Any

LOG = logging.getLogger(__name__)
VARIABLE = re.compile(r'\\.|"|<([A-Za-z0-9_.-]+)>', re.DOTALL)


def transformed(target: dict[str, Any], event: dict[str, Any]) -> Any:
    """Return the input of ``target`` for ``event``; ``None``, with a line in the log, where it comes out as no JSON."""
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return at(event, target["InputPath"])
    if "InputTransformer" not in target:
        return event
    transformer = target["InputTransformer"]
    values = {name: at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    text = filled(transformer["InputTemplate"], values)
    try:
        return json.loads(text)
    except ValueError as error:
        LOG.warning("the input of %s is no JSON (%s): %s", target["Arn"], error, text)
        return None


def at(event: Any, path: str) -> Any:
    """Return the value at a path such as ``$.detail.state``, ``None`` where there is none."""
    for step in path.removeprefix("$").split("."):
        for key in filter(None, re.split(r"[\[\]]", step)):
            try:
                event = event[int(key) if isinstance(event, list) else key]
            except (KeyError, IndexError, TypeError, ValueError):
                return None
    return event


def filled(template: str, values: dict[str, Any]) -> str:
    """Return ``template`` with its variables: as they are inside of quotes, as JSON outside."""
    quoted = False

    def fill(found: re.Match[str]) -> str:
        nonlocal quoted
        if found[0] == '"':
            quoted = not quoted
        if found[1] is None or found[1] not in values:
            return found[0]
        value = values[found[1]]
        if not quoted:
            return json.dumps(value)
        return value if isinstance(value, str) else json.dumps(value)

    return VARIABLE.sub(fill, template)
