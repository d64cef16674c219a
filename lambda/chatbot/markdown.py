"""Makes safe Markdown of what a model wrote.

What comes out is this subset of CommonMark, which the page renders, and nothing else:

- paragraphs, and lists with `-` or `1.`, nested by indentation;
- `*emphasis*` and `**strong emphasis**`; a heading becomes a strong paragraph;
- `code` without backticks in it, and fenced blocks of code between lines of three or more backticks;
- `[text](https://...)`, `<https://...>` and bare `https://...`, where the caller allows the very address.

There are no images, no HTML, no references and no other links: what they say stays, where they lead does not. An
address that is not allowed loses its scheme wherever it stands, code included, so that no renderer can make a link of
it. So a reply can neither run anything, nor load anything, nor carry what was said to a stranger's server.
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
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,20}://|www\.", re.IGNORECASE)
# A number in brackets that belongs to no word: a model's citation of a passage, which a person cannot follow.
CITATION = re.compile(r"(?<! ) *(?<!\w)\[[0-9]{1,2}(?:, ?[0-9]{1,2})*\](?!\()")
LIKE_A_TAG = re.compile(r"<(?=[A-Za-z/!?])")
LIKE_A_LINK = re.compile(r"\](?=[(\[:])")
# After these a link is a link: an exclamation mark makes an image of it, a backslash text; an address takes it in.
BEFORE_A_LINK = ("", " ", "\n", "(", "*")

_parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST_NESTING}).disable("html_block")


class Addresses:
    """The addresses that an answer may hold: those that stand in some texts, and those on some hosts."""

    def __init__(self, *, hosts: Iterable[str], texts: Iterable[str]) -> None:
        self._hosts = frozenset(hosts)
        self._named = frozenset(address for text in texts for address in _named(visible(text)))

    def may_link(self, address: str) -> bool:
        """Whether a text may be a link to it."""
        if len(address) > LONGEST_ADDRESS or not ADDRESS.fullmatch(address):
            return False
        return address in self._named or urlsplit(address).hostname in self._hosts

    def may_stand(self, address: str) -> bool:
        """Whether it may be written as it is, and become a link in renderers that make one of it."""
        return address in self._named or self.may_link(address)


def _named(text: str) -> Iterator[str]:
    yield from BARE_ADDRESS.findall(text)
    yield from (str(node.attrs["href"]) for node in SyntaxTreeNode(_parser.parse(text)).walk() if node.type == "link")


def safe_markdown(text: str, addresses: Addresses) -> str:
    """Return the subset's Markdown that says what `text` says."""
    return _Writer(addresses).blocks(SyntaxTreeNode(_parser.parse(visible(text))).children).strip()


class _Writer:
    """Writes a syntax tree as the subset."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def blocks(self, nodes: Sequence[SyntaxTreeNode], *, between: str = "\n\n") -> str:
        return between.join(written for node in nodes if (written := self._block(node)))

    def _block(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "paragraph":
                return self._inline(node.children).strip()
            case "heading":
                title = self._inline(node.children).strip()
                return f"**{title}**" if title and "*" not in title else title
            case "bullet_list" | "ordered_list":
                return self._list(node)
            case "fence" | "code_block":
                return _fenced(_settled(node.content, self._tamed))
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
        return _joined(self._tamed_texts(self._pieces(nodes)))

    def _pieces(self, nodes: Iterable[SyntaxTreeNode]) -> Iterator[str]:
        """Yield what is text, and what is already Markdown as `_Mark`."""
        for node in nodes:
            match node.type:
                case "text":
                    yield node.content
                case "softbreak" | "hardbreak":
                    yield _Mark("\n")
                case "code_inline":
                    yield _code(_settled(node.content, self._tamed))
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
        if not self._addresses.may_link(address):
            yield from self._pieces(node.children)
        elif node.info == "auto":
            yield _Mark(f"<{address}>")
        else:
            words = self._inline(node.children).replace("[", "(").replace("]", ")")
            yield _Mark(f"[{words or address}]({address})")

    def _tamed_texts(self, pieces: Iterable[str]) -> Iterator[str]:
        for is_mark, group in groupby(pieces, key=lambda piece: isinstance(piece, _Mark)):
            if is_mark:
                yield from group
            else:
                yield _settled("".join(group), lambda text: self._tamed(_plain(text)))

    def _tamed(self, text: str) -> str:
        """Take the scheme from each address that may not stand in an answer."""
        return BARE_ADDRESS.sub(
            lambda found: found[0] if self._addresses.may_stand(found[0]) else SCHEME.sub("", found[0]), text
        )


class _Mark(str):
    """A piece of Markdown, as against a text whose characters mean themselves."""


def _joined(pieces: Iterable[str]) -> str:
    """Put pieces together so that no renderer finds more in them than each holds."""
    written = ""
    for piece in pieces:
        runs_on = piece[:1] == "[" and isinstance(piece, _Mark) and written[-1:] not in BEFORE_A_LINK
        merges = piece[:1] == "`" and written[-1:] in ("`", "\\")
        written += " " + piece if runs_on or merges else piece
    return written


def _plain(text: str) -> str:
    """Return text in which there is no tag, no link, no reference and no beginning of code."""
    return LIKE_A_LINK.sub("] ", LIKE_A_TAG.sub("< ", CITATION.sub("", text))).replace("`", "'")


def _settled(text: str, change: Callable[[str], str]) -> str:
    """Change a text until nothing is left to change: what is taken out may leave something new behind."""
    while (changed := change(text)) != text:
        text = changed
    return text


def _code(content: str) -> _Mark:
    return _Mark(f"`{content.replace('`', "'")}`" if content.strip() else "")


def _fenced(content: str) -> str:
    """Return a block of code, between marks longer than any in it."""
    if not content.strip():
        return ""
    mark = "`" * max((3, *(len(run) + 1 for run in re.findall("`+", content))))
    return f"{mark}\n{content.strip('\n')}\n{mark}"
