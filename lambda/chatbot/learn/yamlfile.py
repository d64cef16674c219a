"""YAML that people write, read so that every mistake is told with its line. It is not shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from chatbot.learn.mistakes import KnowledgeError

if TYPE_CHECKING:
    from pathlib import Path

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"

Node = yaml.Node


@dataclass(frozen=True)
class YamlFile:
    """A file of YAML, or the part of one that begins on `line`; what is wrong raises KnowledgeError.

    It is read as nodes rather than values: they know their lines, and leave a text such as `no` or `1.0` as written.
    """

    file: Path
    line: int = 1

    def read(self, text: str) -> Node | None:
        """Return what is written, or None for nothing."""
        try:
            return yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line if error.problem_mark else 0
            raise KnowledgeError(
                f"{self.file}:{self.line + line}: this is not YAML ({error.problem}); indent with spaces, and put "
                "texts with signs in quotes"
            ) from None
        except (yaml.YAMLError, RecursionError) as error:
            why = str(error).splitlines()[0]
            raise KnowledgeError(f"{self.file}:{self.line}: this is not YAML ({why})") from None

    def place(self, node: Node) -> str:
        return f"{self.file}:{self.line + node.start_mark.line}"

    def mistake(self, node: Node, why: str) -> KnowledgeError:
        return KnowledgeError(f"{self.place(node)}: {why}")

    def fields(self, node: Node, *, example: str) -> Iterator[tuple[yaml.ScalarNode, Node]]:
        """Yield the names and values of a mapping, in which a name stands once."""
        if not isinstance(node, yaml.MappingNode):
            raise self.mistake(node, f"write fields such as '{example}'")
        seen: dict[str, yaml.ScalarNode] = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise self.mistake(name, f"the name of a field is a text, as in '{example}'")
            if name.value in seen:
                raise self.mistake(name, f"{name.value!r} is also at {self.place(seen[name.value])}; write it once")
            seen[name.value] = name
            yield name, value

    def items(self, node: Node) -> list[Node]:
        """Return the items of a list, or the one thing that stands instead of it."""
        return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]

    def texts(self, node: Node) -> tuple[str, ...]:
        """Return a list of texts, or the one text that stands instead of it."""
        return tuple(self.text(item) for item in self.items(node))

    def text(self, node: Node) -> str:
        if isinstance(node, yaml.MappingNode):
            raise self.mistake(node, "write a text here, or a list of texts; put quotes around one that holds ': '")
        if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL or not node.value.strip():
            raise self.mistake(node, "write a text here, or a list of texts")
        return str(node.value)

    def is_null(self, node: Node) -> bool:
        return node.tag == _NULL
