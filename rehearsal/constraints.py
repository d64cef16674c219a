"""The constraints of a service's model that botocore leaves to the service: lengths, patterns and enumerations."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape

from rehearsal.protocol import ServiceError, service_model


def enforce(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Raise AWS's ``ValidationException`` for the first value of ``parameters`` that breaks the model of ``operation``.

    https://smithy.io/2.0/spec/constraint-traits.html
    """
    shape = service_model(service).operation_model(operation).input_shape
    faults = list(_faults(parameters, shape, ""))
    if faults:
        count = "1 validation error" if len(faults) == 1 else f"{len(faults)} validation errors"
        raise ServiceError("ValidationException", f"{count} detected: {'; '.join(faults)}")


def _faults(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members and member is not None:
                yield from _faults(member, shape.members[name], f"{path}.{name}".lstrip("."))
    elif shape.type_name == "list":
        yield from _size(len(value), shape, path)
        for number, member in enumerate(value, 1):
            yield from _faults(member, shape.member, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from _faults(key, shape.key, f"{path}.key")
            yield from _faults(member, shape.value, f"{path}.{key}.member")
    else:
        yield from _scalar(value, shape, path)


def _scalar(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if shape.type_name == "string":
        yield from _size(len(value), shape, path, unit="length ")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield _fault(value, path, f"satisfy regular expression pattern: {pattern}")
        if (enum := shape.metadata.get("enum")) and value not in enum:
            yield _fault(value, path, f"satisfy enum value set: [{', '.join(enum)}]")
    elif shape.type_name in ("integer", "long"):
        yield from _size(value, shape, path, unit="value ")


def _size(size: int, shape: Shape, path: str, *, unit: str = "length ") -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < minimum:
        yield _fault(size, path, f"have {unit}greater than or equal to {minimum}")
    if maximum is not None and size > maximum:
        yield _fault(size, path, f"have {unit}less than or equal to {maximum}")


def _fault(value: object, path: str, constraint: str) -> str:
    return f"Value '{str(value)[:80]}' at '{path}' failed to satisfy constraint: Member must {constraint}"
