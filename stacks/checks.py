"""How settings are checked: a wrong one is named, with what was got and what to write instead."""

import json
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path


class SettingsError(ValueError):
    """A setting that cannot be deployed; the message says which, what was got, and what to write instead."""


def check(valid: object, message: str) -> None:
    """Raise `SettingsError` with ``message`` unless ``valid``."""
    if not valid:
        raise SettingsError(message)


def member[E: StrEnum](kind: type[E], value: object, where: str) -> E:
    """Return the member of ``kind`` that ``value`` is or spells."""
    try:
        return kind(value)  # type: ignore[arg-type]
    except ValueError:
        raise SettingsError(
            f"{where}: unknown {kind.__name__.lower()} {value!r}; use one of {', '.join(kind)}"
        ) from None


@cache
def partitions() -> dict[str, str]:
    """The partition of every AWS region, as the SDK lists them; read as a file, since importing the SDK is slow."""
    spec = find_spec("botocore")
    if spec is None or not spec.origin:
        raise SettingsError("botocore is not installed; run make setup")
    listed = json.loads((Path(spec.origin).parent / "data" / "partitions.json").read_bytes())["partitions"]
    return {region: partition["id"] for partition in listed for region in partition["regions"]}


def check_region(region: str, where: str) -> None:
    """Raise `SettingsError` for what is no region of AWS."""
    check(region in partitions(), f"{where}: unknown region {region!r}; write one such as 'eu-central-1'")
