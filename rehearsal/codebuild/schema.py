"""YAML read against a schema, so that every mistake is told with its file, line and key."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

YES = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


class BuildspecError(Exception):
    """A buildspec that cannot be used; the message is one line: file, line, what is wrong, what to do."""


class Shape:
    """What a node of the document may look like."""


@dataclass(frozen=True)
class Text(Shape):
    """A scalar, taken as it is written; ``advice`` is given to whoever wrote something else."""

    advice: str = "write one value, in quotes if it holds a colon"


@dataclass(frozen=True)
class Choice(Shape):
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Flag(Shape):
    """``yes`` or ``no``."""


@dataclass(frozen=True)
class Many(Shape):
    """A sequence of ``each``."""

    each: Shape


@dataclass(frozen=True)
class Named(Shape):
    """A mapping of any names to ``each``."""

    each: Shape


@dataclass(frozen=True)
class Keys(Shape):
    """A mapping of known keys, some of them ``required``."""

    known: dict[str, Shape]
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused(Shape):
    """A documented key that the rehearsal does not emulate."""

    instead: str


class Document:
    """One YAML text called ``name`` in messages."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = name, text

    def read(self, shape: Shape) -> Any:
        """Return the document as plain Python values; raises ``BuildspecError``."""
        try:
            self._loader = yaml.SafeLoader(self._text)
            node = self._loader.get_single_node()
            if node is None:
                raise BuildspecError(f"{self.name}: the buildspec is empty, write at least version and phases")
            return self._value(node, shape, "the buildspec")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f", line {mark.line + 1}" if mark else ""
            raise BuildspecError(f"{self.name}{line}: no valid YAML: {error.problem or error.context}") from error
        except yaml.YAMLError as error:
            raise BuildspecError(f"{self.name}: no valid YAML: {str(error).splitlines()[0]}") from error
        except RecursionError:
            raise BuildspecError(f"{self.name}: it is nested too deep to be read, write fewer levels") from None

    def error(self, node: yaml.Node, problem: str) -> BuildspecError:
        """Return the error that points at ``node``."""
        return BuildspecError(f"{self.name}, line {node.start_mark.line + 1}: {problem}")

    def _value(self, node: yaml.Node, shape: Shape, where: str) -> Any:
        match shape:
            case Refused(instead):
                raise self.error(node, f"the rehearsal does not emulate {where}: {instead}")
            case Text() | Choice() | Flag():
                return self._scalar(node, shape, where)
            case Many(each):
                return tuple(
                    self._value(item, each, f"{where}[{i}]") for i, item in enumerate(self._items(node, where))
                )
            case Named(each):
                return {
                    key.value: self._value(value, each, f"{where}.{key.value}")
                    for key, value in self._pairs(node, where)
                }
            case Keys():
                return self._known(node, shape, where)
        raise TypeError(shape)

    def _known(self, node: yaml.Node, shape: Keys, where: str) -> dict[str, Any]:
        values = {}
        for key, value in self._pairs(node, where):
            if key.value not in shape.known:
                raise self.error(key, f'unknown key "{key.value}" in {where}, {_suggestion(key.value, shape.known)}')
            path = key.value if where == "the buildspec" else f"{where}.{key.value}"
            values[key.value] = self._value(value, shape.known[key.value], path)
        for name in shape.required:
            if name not in values:
                raise self.error(node, f'{where} has no "{name}", add it')
        return values

    def _scalar(self, node: yaml.Node, shape: Shape, where: str) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            found = "a mapping" if isinstance(node, yaml.MappingNode) else "a sequence"
            advice = shape.advice if isinstance(shape, Text) else "write one word"
            raise self.error(node, f"{where} must be one value, found {found}: {advice}")
        if isinstance(shape, Choice) and node.value not in shape.words:
            raise self.error(node, f'{where} is "{node.value}", write one of {", ".join(shape.words)}')
        if isinstance(shape, Flag):
            if node.value.lower() not in YES:
                raise self.error(node, f'{where} is "{node.value}", write yes or no')
            return YES[node.value.lower()]
        return "" if node.tag == "tag:yaml.org,2002:null" else node.value

    def _items(self, node: yaml.Node, where: str) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if node.tag == "tag:yaml.org,2002:null":
            return []
        raise self.error(node, f"{where} must be a sequence: write each entry on its own line after a dash")

    def _pairs(self, node: yaml.Node, where: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f'{where} must be a mapping: write "key: value" lines')
        self._loader.flatten_mapping(node)
        # A merged mapping's own keys come last and win, as YAML has it; twice the same key on its own lines is a slip.
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(key, f"{where} has a key that is no plain word, write one")
            if seen.get(key.value) is not None and key.start_mark.line > seen[key.value] >= node.start_mark.line:
                raise self.error(key, f'"{key.value}" stands twice in {where}, keep one')
            seen[key.value] = key.start_mark.line
            yield key, value


def _suggestion(word: str, known: dict[str, Shape]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f'did you mean "{close[0]}"?' if close else f"known are {', '.join(known)}"
