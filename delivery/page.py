"""The review as a page that stands alone: no script, nothing loaded from elsewhere, nothing in it but text."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from delivery.risk import Risk

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --soft: #f3f5f7; --line: #d9dee3;
  --plus: #0a6b2d; --minus: #b3261e; --change: #8a5300; --none: #5b6770; --ordinary: #0a6b2d; --sensitive: #8a5300;
  --destructive: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8eb; --paper: #14181b; --soft: #1d2327; --line: #333c42;
  --plus: #6fd08c; --minus: #ff8a80; --change: #f0b45b; --none: #93a0a8; --ordinary: #6fd08c; --sensitive: #f0b45b;
  --destructive: #ff8a80 } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 1rem; padding: 0 0 0 .8rem; overflow-wrap: anywhere;
  border-left: .4rem solid var(--grade) }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem;
  overflow-x: auto; font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
.plus { color: var(--plus) } .minus { color: var(--minus) } .change { color: var(--change) }
blockquote { margin: 0; padding: 0 0 0 1rem; border-left: .2rem solid var(--line); overflow-wrap: anywhere }
table { border-collapse: collapse } th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left }
code { overflow-wrap: anywhere }
@media print { pre { white-space: pre-wrap } }
"""

FRAME: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}
:root {{ --grade: var(--{grade}) }}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""

CLASSES: Final = {"+": "plus", "-": "minus", "!": "change", "?": "change"}


def page(markdown: str, *, title: str, risk: Risk) -> str:
    """Return the review ``markdown`` as a page; raw HTML and pictures in it stay text."""
    body = _renderer().render(markdown)
    return FRAME.format(title=html.escape(title), style=STYLE, grade=risk, body=body)


def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_inline", "html_block"])
    renderer.add_render_rule("fence", _fence)
    return renderer


def _fence(_self: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    """Return a block of differences with each line in the colour of its sign."""
    lines = tokens[index].content.splitlines()
    return f"<pre><code>{'\n'.join(map(_line, lines))}</code></pre>\n"


def _line(line: str) -> str:
    kind = CLASSES.get(line[:1])
    text = html.escape(line)
    return f'<span class="{kind}">{text}</span>' if kind else text
