"""Makes safe Markdown of what a model wrote.

What comes out is this subset of CommonMark, which the page renders, and nothing else:

- paragraphs, and lists with `-` or `1.`, nested by indentation;
- `*emphasis*` and `**strong emphasis**`; a heading becomes a strong paragraph;
- `code`, and fenced blocks of code between lines of three or more backticks;
- `[text](https://...)` and bare `https://...`, where the caller allows the very address.

There are no images, no HTML, no references and no other links: what they say stays, where they lead does not. So a
reply can neither run anything, nor load anything, nor carry what was said to a stranger's server.
https://spec.commonmark.org/0.31.2/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from chatbot.characters import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

DEEPEST_NESTING = 20
LONGEST_ADDRESS = 500
# Letters of an address that cannot end a link, a line or an attribute anywhere.
ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(?:/[A-Za-z0-9._~%!$&+,;=:@/?#-]*)?")
# What other renderers take for an address without being told (GitHub's autolinks).
BARE_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>`]*[^\s<>`.,;:!?'\"()*]", re.IGNORECASE)
# A number in brackets that belongs to no word: a model's citation of a passage, which a person cannot follow.
CITATION = re.compile(r"[ ]*(?<!\w)\[[0-9]{1,2}(?:, ?[0-9]{1,2})*\](?!\()")
LIKE_A_TAG = re.compile(r"<(?=[A-Za-z/!?])")
LIKE_A_LINK = re.compile(r"\](?=[(\[:])")
# Two codes would become one, an exclamation mark would make a link an image, and a backslash an escape of a mark.
KEPT_APART = {("`", "`"), ("!", "["), ("\\", "`"), ("\\", "[")}

_parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST_NESTING}).disable("html_block")

Allowed = Callable[[str], bool]


def safe_markdown(text: str, *, allows: Allowed) -> str:
    """Return the subset's Markdown that says what `text` says; links stay where `allows` says so of their address."""
    return _Writer(allows).blocks(SyntaxTreeNode(_parser.parse(visible(text))).children).strip()


def allowed_links(*, hosts: Iterable[str], texts: Iterable[str]) -> Allowed:
    """Return what `safe_markdown` asks: it allows addresses on one of the hosts, and those that stand in the texts."""
    known, named = frozenset(hosts), frozenset(address for text in texts for address in _addresses(text))

    def allows(address: str) -> bool:
        if len(address) > LONGEST_ADDRESS or not ADDRESS.fullmatch(address):
            return False
        return address in named or urlsplit(address).hostname in known

    return allows


def _addresses(text: str) -> Iterator[str]:
    tree = SyntaxTreeNode(_parser.parse(visible(text)))
    for node in tree.walk():
        if node.type == "link":
            yield str(node.attrs["href"])
        elif node.type == "text":
            yield from BARE_ADDRESS.findall(node.content)


class _Writer:
    """Writes a syntax tree as the subset."""

    def __init__(self, allows: Allowed) -> None:
        self._allows = allows

    def blocks(self, nodes: Sequence[SyntaxTreeNode], *, between: str = "\n\n") -> str:
        return between.join(written for node in nodes if (written := self._block(node)))

    def _block(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "paragraph":
                return self._inline(node.children).strip()
            case "heading":
                title = self._inline(node.children).replace("*", "").strip()
                return title and f"**{title}**"
            case "bullet_list" | "ordered_list":
                return self._list(node)
            case "fence" | "code_block":
                return _fenced(node.content)
            case "blockquote":
                return self.blocks(node.children)
            case _:
                return ""

    def _list(self, node: SyntaxTreeNode) -> str:
        items = [self.blocks(item.children, between="\n") for item in node.children]
        first = int(node.attrs.get("start", 1))
        marks = (f"{number}. " if node.type == "ordered_list" else "- " for number, _ in enumerate(items, start=first))
        marked = zip(marks, items, strict=True)
        return "\n".join(mark + item.replace("\n", "\n" + " " * len(mark)) for mark, item in marked if item)

    def _inline(self, nodes: Iterable[SyntaxTreeNode]) -> str:
        return _joined(self._marked_addresses(self._pieces(nodes)))

    def _pieces(self, nodes: Iterable[SyntaxTreeNode]) -> Iterator[str]:
        """Yield what is text, and what is already Markdown as `_Mark`."""
        for node in nodes:
            match node.type:
                case "text":
                    yield node.content
                case "softbreak" | "hardbreak":
                    yield _Mark("\n")
                case "code_inline":
                    yield _Mark(_code(node.content))
                case "em" | "strong":
                    yield from self._emphasis(node)
                case "link":
                    yield from self._link(node)
                case "inline" | "image":
                    yield from self._pieces(node.children)

    def _emphasis(self, node: SyntaxTreeNode) -> Iterator[str]:
        mark = _Mark("*" if node.type == "em" else "**")
        inner = list(self._pieces(node.children))
        words = "".join(inner)
        yield from (mark, *inner, mark) if words.strip() == words != "" else inner

    def _link(self, node: SyntaxTreeNode) -> Iterator[str]:
        address = str(node.attrs["href"])
        if not self._allows(address):
            yield from self._pieces(node.children)
        elif node.info == "auto":
            yield _Mark(address)
        else:
            words = self._inline(node.children).replace("[", "(").replace("]", ")")
            yield _Mark(f"[{words or address}]({address})")

    def _marked_addresses(self, pieces: Iterable[str]) -> Iterator[str]:
        """Make code of the addresses in texts that must not become links."""
        for is_mark, group in groupby(pieces, key=lambda piece: isinstance(piece, _Mark)):
            if is_mark:
                yield from group
                continue
            text, end = _plain("".join(group)), 0
            for found in BARE_ADDRESS.finditer(text):
                yield text[end : found.start()]
                yield _Mark(found[0] if self._allows(found[0]) else _code(found[0]))
                end = found.end()
            yield text[end:]


class _Mark(str):
    """A piece of Markdown, as against a text whose characters mean themselves."""


def _joined(pieces: Iterable[str]) -> str:
    """Put pieces together so that no renderer finds more in them than each holds."""
    written = ""
    for piece in pieces:
        written += " " + piece if (written[-1:], piece[:1]) in KEPT_APART else piece
    return written


def _plain(text: str) -> str:
    """Return text in which there is no tag, no link, no reference and no beginning of code."""
    return LIKE_A_LINK.sub("] ", LIKE_A_TAG.sub("< ", CITATION.sub("", text))).replace("`", "'")


def _code(content: str) -> str:
    """Return a span of code; a mark longer than any in it closes it, and a space keeps theirs apart."""
    if not content.strip():
        return ""
    mark = _longer_than_any(content, "`", shortest=1)
    space = " " if content[0] == "`" or content[-1] == "`" else ""
    return f"{mark}{space}{content}{space}{mark}"


def _fenced(content: str) -> str:
    if not content.strip():
        return ""
    mark = _longer_than_any(content, "`", shortest=3)
    return f"{mark}\n{content.strip('\n')}\n{mark}"


def _longer_than_any(content: str, mark: str, *, shortest: int) -> str:
    longest = max((len(run) for run in re.findall(f"{mark}+", content)), default=0)
    return mark * max(shortest, longest + 1)
