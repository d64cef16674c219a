"""What a model wrote becomes safe Markdown: the subset that the page renders, and no more."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from chatbot.markdown import Addresses, safe_markdown

PASSAGES = (
    "Read https://docs.example.com/start, or [the guide](https://docs.example.com/guide#first 'Guide').",
    "Then `curl http://127.0.0.1:8000/health`.",
)
ADDRESSES = Addresses(hosts=["www.example.org"], texts=PASSAGES)
# What the least careful renderer takes for an address.
ADDRESS = re.compile(r"(?:https?://|www\.)\w[^\s<>`*()\[\]]+", re.IGNORECASE)
# What HTML the subset may become, in any renderer.
SUBSET = {
    "root", "paragraph", "inline", "text", "softbreak", "em", "strong", "code_inline", "fence", "link",
    "bullet_list", "ordered_list", "list_item",
}  # fmt: skip
# What any renderer might make of a line that was text to us: none of it loads, runs or leads anywhere.
HARMLESS = {"heading", "blockquote", "hr", "code_block", "hardbreak"}


def safe(text: str) -> str:
    return safe_markdown(text, ADDRESSES)


def nodes(markdown: str) -> list[SyntaxTreeNode]:
    """What a renderer that knows all of CommonMark, HTML included, finds."""
    return list(SyntaxTreeNode(MarkdownIt("commonmark").parse(markdown)).walk())


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        "One line\nand another.\n\nA second paragraph.",
        "*Emphasis*, **strong emphasis** and `code`.",
        "- one\n- two\n  - nested\n- three",
        "1. first\n2. second",
        "4. fourth\n5. fifth",
        "```\ndef f(x):\n    return x < 1  # <b>\n```",
        "See [the guide](https://docs.example.com/guide#first).",
        "See https://docs.example.com/start, or <https://www.example.org/>.",
        "[any page](https://www.example.org/a/b?c=d)",
        "`<name>`, `a_b`, `a*b`, `curl http://127.0.0.1:8000/health`",
        "2 < 3 > 1 & 4 * 5, snake_case, array[0]",
        "Grüße, 你好, سلام، می‌روم, 👩‍👩‍👧 1️⃣",
    ],
)
def test_the_subset_stays_as_it_is(text: str) -> None:
    """An answer that keeps to it is not touched."""
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("# Title\n\nText", "**Title**\n\nText"),
        ("# A *b* c", "A *b* c"),
        ("Title\n===\nText", "**Title**\n\nText"),
        ("> quoted", "quoted"),
        ("_a_ __b__", "*a* **b**"),
        ("* a\n+ b", "- a\n\n- b"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("~~~python\nx\n~~~", "```\nx\n```"),
        ("```\nnever closed", "```\nnever closed\n```"),
        ("```\n```` inside\n```", "`````\n```` inside\n`````"),
        ("``a`b``", "`a'b`"),
        ("Yes [1].", "Yes."),
        ("Yes [1, 2] and [3][4] no.", "Yes and no."),
        ("a\r\nb\u2028c\x0bd", "a\nb\nc\nd"),
        ("ze\u200bro \u202eright\u202c \U000e0041tag \x07bell \ufeff", "zero right tag bell"),
    ],
)
def test_the_rest_becomes_the_subset(text: str, becomes: str) -> None:
    """What a heading, a quotation or a citation says, stays."""
    assert safe(text) == becomes


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("![pixel](https://evil.example/p.png)", "pixel"),
        ("![](https://evil.example/p.png)after", "after"),
        ("![allowed](https://www.example.org/p.png)", "allowed"),
        ("![ref][r]\n\n[r]: https://evil.example/p.png", "ref"),
        ("[![pixel](https://evil.example/p)](https://evil.example/q)", "pixel"),
        ("[click](https://evil.example/?q=secret)", "click"),
        ("[click](http://www.example.org/)", "click"),
        ("[click](https://www.example.org@evil.example/)", "click"),
        ("[click](https://www.example.org.evil.example/)", "click"),
        ("[click](https://evil.example\\@www.example.org/)", "click"),
        ("[click](//www.example.org/)", "click"),
        ("[click](https://docs.example.com/other)", "click"),
        ("[click](https://www.example.org:8443/)", "click"),
        ("[click](mailto:a@b.example)", "click"),
        ("[click](/v1/conversations)", "click"),
        ("[click](javascript:alert(1))", "[click] (javascript:alert(1))"),
        ("[click](data:text/html,x)", "[click] (data:text/html,x)"),
        ("[click][r]\n\n[r]: https://evil.example/ 'title'", "click"),
        ("<https://evil.example/>", "evil.example/"),
        ("go to https://evil.example/?q=1.", "go to evil.example/?q=1."),
        ("go to www.evil.example now", "go to evil.example now"),
        ("go to HTTPS://EVIL.example", "go to EVIL.example"),
        ("`curl https://evil.example/a`", "`curl evil.example/a`"),
        ("```\ncurl https://evil.example/a\n```", "```\ncurl evil.example/a\n```"),
        ("https://www.example.org/https://evil.example", "https://www.example.org/https://evil.example"),
        ("https://evil.example/https://evil.example", "evil.example/evil.example"),
        ("[a]www.(/x) https [1]://evil.example", "[a] (/x) evil.example"),
        ("hthttps://tps://evil.example httwww.ps://evil.example", "evil.example evil.example"),
        ("*a `b* https://evil.example/` c*", "*a `b* evil.example/` c*"),
        ("| a | `b|http://www.evil.example/` |\n|---|---|", "| a | `b|evil.example/` |\n|---|---|"),
        ("``x`https://evil.example/``", "`x'evil.example/`"),
        ("[x](https://www.example.org/ 'title')", "[x](https://www.example.org/)"),
        ("[see [1] here](https://www.example.org/)", "[see here](https://www.example.org/)"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<div>\n<p>Hello</p>\n</div>", "Hello"),
        ("a <b onclick='x'>b</b> <!-- c --> d", "a b  d"),
        ("a <scr<b>ipt>alert(1)", "a < script>alert(1)"),
        ("&lt;img src=x onerror=alert(1)&gt;", "< img src=x onerror=alert(1)>"),
        ("\\<img src=x\\>", "< img src=x>"),
        ("\\[x\\](https://evil.example/)", "[x] (evil.example/)"),
        ("\\!\\[x\\](https://evil.example/)", "![x] (evil.example/)"),
        ("\\`<img src=x>\\`", "''"),
    ],
)
def test_nothing_runs_loads_or_leads_away(text: str, becomes: str) -> None:
    """The words stay where there are any; the address does not."""
    assert safe(text) == becomes


FRAGMENTS = st.sampled_from(
    [
        "![a](https://evil.example/)", "[a](https://evil.example/)", "[a](https://www.example.org/)", "[", "]", "](",
        "(https://evil.example/)", "![", "[r]", "[r]: https://evil.example/", "\n", "\n\n", "`", "``", "```\n", "~~~\n",
        "<img src=x>", "<", ">", "</", "<!--", "-->", "<a href='x'>", "&lt;", "&amp;", "\\", "*", "**", "_", "- ",
        "1. ", "    ", "# ", "> ", "https://evil.example/", "www.evil.example", "javascript:alert(1)", " ", "a", "1",
        "\u200b", "|", "www.", "https", "://", " [1]", "---\n", "\t", "<https://evil.example/>", "\x00", "\ud800",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(FRAGMENTS, max_size=30).map("".join) | st.text(max_size=200))
def test_any_text_becomes_safe(text: str) -> None:
    """Any renderer finds no image, no HTML and no other address in it, however cleverly it was put together."""
    markdown = safe(text)

    for node in nodes(markdown):
        assert node.type in SUBSET | HARMLESS
        assert node.type != "link" or ADDRESSES.may_link(str(node.attrs["href"]))
    assert all(map(ADDRESSES.may_stand, ADDRESS.findall(markdown)))


@settings(deadline=None)
@given(st.lists(FRAGMENTS, max_size=30).map("".join))
def test_only_visible_characters_stay(text: str) -> None:
    """Nothing hides in an answer, not in its code either."""
    assert all(each in "\n\t\u200c\u200d" or each.isprintable() for each in safe(text))
