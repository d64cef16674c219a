"""Rewrites values of ``stacks/settings.py`` where they stand, and leaves every other character of the file alone."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from own.errors import OwnError

FILE = Path("stacks/settings.py")
LONGEST_LINE = 90


class Change(NamedTuple):
    """New text for a part of the file, which is empty where text is only put in."""

    start: int
    end: int
    text: bytes


def rewritten(source: str, values: Mapping[str, str]) -> str:
    """Return settings in which ``values`` stand: ``bot_name`` is the project's, ``source.branch`` its source's.

    Raises ``OwnError`` for a file that is not ``PROJECT = Project(...)``, written with keywords.
    """
    changes = sorted(_changes(source, values), reverse=True)
    content = source.encode()
    for change in changes:
        content = content[: change.start] + change.text + content[change.end :]
    return _formatted(content.decode())


def _changes(source: str, values: Mapping[str, str]) -> Iterator[Change]:
    project, content = _project(source), source.encode()
    for name, value in values.items():
        *parents, keyword = name.split(".")
        call = project
        for parent in parents:
            if parent not in _keywords(call):
                raise OwnError(f"{FILE}: line {call.lineno}: there is no {parent}=; put that right first")
            call = _call(_keywords(call)[parent].value, parent)
        found = _keywords(call).get(keyword)
        if found is None:
            at, _ = _span(content, _successor(call))
            yield Change(at, at, f"{keyword}={_literal(value)}, ".encode())
        else:
            start, end = _with_parentheses(content, *_span(content, found.value))
            yield Change(start, end, _literal(value).encode())


def _successor(call: ast.Call) -> ast.keyword:
    """The keyword before which new ones are put: beside the bot's name, where that stands."""
    names = [keyword.arg for keyword in call.keywords[:-1]]
    return call.keywords[names.index("bot_name") + 1 if "bot_name" in names else 0]


def _span(content: bytes, node: ast.expr | ast.keyword) -> tuple[int, int]:
    """Where a node begins and ends: the syntax tree counts lines, and bytes within them."""
    lines = content.splitlines(keepends=True)
    ends = (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    start, end = (sum(map(len, lines[: line - 1])) + column for line, column in ends)
    return start, end


def _with_parentheses(content: bytes, start: int, end: int) -> tuple[int, int]:
    """The same with the parentheses around a value, which are no part of it in the syntax tree."""
    before, after = content[:start].rstrip(), content[end:].lstrip()
    if before.endswith(b"=(") and after.startswith(b")"):
        return len(before) - 1, len(content) - len(after) + 1
    return start, end


def _project(source: str) -> ast.Call:
    try:
        module = ast.parse(source)
    except SyntaxError as error:
        raise OwnError(f"{FILE}: line {error.lineno}: {error.msg}; put that right first") from None
    for statement in module.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "PROJECT":
            return _call(statement.value, "PROJECT")
    raise OwnError(f"{FILE}: there is no PROJECT = Project(...); put that right first")


def _call(node: ast.expr, name: str) -> ast.Call:
    if isinstance(node, ast.Call) and node.keywords:
        return node
    raise OwnError(f"{FILE}: line {node.lineno}: {name} is not written as a call with keywords; edit the file by hand")


def _keywords(call: ast.Call) -> dict[str, ast.keyword]:
    return {keyword.arg: keyword for keyword in call.keywords if keyword.arg}


def _literal(value: str) -> str:
    """A string as source, on several lines where one would be too long for the linter."""
    if len(value) <= LONGEST_LINE:
        return repr(value)
    lines, line = [], ""
    for word in value.split(" "):
        if line and len(line) + len(word) >= LONGEST_LINE:
            lines.append(line)
            line = ""
        line += word + " "
    parts = "\n".join(repr(part) for part in [*lines, line.removesuffix(" ")])
    return f"(\n{parts}\n)"


def _formatted(source: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(FILE), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
