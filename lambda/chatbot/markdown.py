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
BARE_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.)[^\s<>`]*[^\s<>`.,;:!?'\"()*]", re.IGNORECASE)
# A number in brackets that belongs to no word: a model's citation of a passage, which a person cannot follow.
CITATION = re.compile(r"[ ]*(?<!\w)\[\d{1,2}(?:, ?\d{1,2})*\](?!\()")
LIKE_A_TAG = re.compile(r"<(?=[A-Za-z/!?])")
LIKE_A_LINK = re.compile(r"\](?=[(\[:])")

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
        return "".join(self._span(node) for node in nodes)

    def _span(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "inline":
                return self._inline(node.children)
            case "text":
                return self._text(node.content)
            case "softbreak" | "hardbreak":
                return "\n"
            case "code_inline":
                return _code(node.content)
            case "em" | "strong":
                mark = "*" if node.type == "em" else "**"
                inner = self._inline(node.children)
                return f"{mark}{inner}{mark}" if inner.strip() == inner != "" else inner
            case "link":
                return self._link(node)
            case "image":
                return self._inline(node.children)
            case _:
                return ""

    def _link(self, node: SyntaxTreeNode) -> str:
        address = str(node.attrs["href"])
        words = self._inline(node.children)
        if not self._allows(address):
            return words
        return address if node.info == "auto" else f"[{_without_brackets(words) or address}]({address})"

    def _text(self, text: str) -> str:
        parts, end = [], 0
        for found in BARE_ADDRESS.finditer(text):
            parts += [_plain(text[end : found.start()]), self._address(found[0])]
            end = found.end()
        return "".join((*parts, _plain(text[end:])))

    def _address(self, address: str) -> str:
        return address if self._allows(address) else _code(address)


def _plain(text: str) -> str:
    """Return text in which no renderer finds a tag, a link, a reference or the beginning of code."""
    text = CITATION.sub("", text)
    return LIKE_A_LINK.sub("] ", LIKE_A_TAG.sub("< ", text)).replace("`", "'")


def _without_brackets(words: str) -> str:
    return words.replace("[", "(").replace("]", ")")


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
