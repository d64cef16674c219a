"""The API's reference for people: the OpenAPI document, and the page that is made from it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chatbot.openapi import document
from chatbot.wire import to_json

STYLE = """\
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 48rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { margin: 2rem 0 .25rem; } h4 { margin: 1rem 0 .25rem; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .25rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); }
th { font-weight: 400; white-space: nowrap; } li { margin: .2rem 0; }
"""
FRAME = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""

Node = Mapping[str, Any]


class Reference:
    """The document and its page, written once."""

    def __init__(self, *, bot_name: str, backup_days: int) -> None:
        found = document(title=bot_name, backup_days=backup_days)
        self.json = to_json(found)
        self.html = FRAME.format(
            title=_text(f"The API of {bot_name}"), style=STYLE, body="\n".join(_body(found, bot_name))
        )
        self.headers = {
            "Content-Security-Policy": _policy(STYLE),
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
        }


def _policy(style: str) -> str:
    """Allow the page its one style and nothing else: https://www.w3.org/TR/CSP3/#match-element-to-source-list."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    none = ("default-src", "base-uri", "form-action", "frame-ancestors")
    return "; ".join((f"style-src 'sha256-{digest}'", *(f"{directive} 'none'" for directive in none)))


def _body(found: Node, bot_name: str) -> Iterator[str]:
    yield f"<h1>The API of {_text(bot_name)}</h1>"
    yield f'<p>{_text(found["info"]["description"])} As a file: <a href="v1/openapi.json">OpenAPI document</a>.</p>'
    for scheme in found["components"]["securitySchemes"].values():
        yield f"<p>{_text(scheme['description'])}</p>"
    for path, item in found["paths"].items():
        for method, operation in item.items():
            yield from _operation(method.upper(), path, operation)
    yield "<h2>What goes in and out</h2>"
    for name, schema in found["components"]["schemas"].items():
        yield f'<h3 id="{name}">{name}</h3>\n<p>{_text(schema["description"])}</p>'
        required = schema["required"]
        yield _table((member, _kind(each, member in required), each) for member, each in schema["properties"].items())


def _operation(method: str, path: str, operation: Node) -> Iterator[str]:
    yield f'<h2 id="{operation["operationId"]}">{_text(operation["summary"])}</h2>'
    yield f"<p><code>{method} {_text(path)}</code></p>"
    if "description" in operation:
        yield f"<p>{_text(operation['description'])}</p>"
    if "security" in operation:
        yield "<p>Needs <code>Authorization: Bearer</code> and the conversation's token.</p>"
    if parameters := operation.get("parameters"):
        yield _table(
            (each["name"], f"{each['in']}, {_kind(each['schema'], each['required'])}", each) for each in parameters
        )
    if body := operation.get("requestBody"):
        yield f"<p>Takes {_contents(body['content'])}.</p>"
    yield "<ul>"
    for status, response in operation["responses"].items():
        gives = f": {_contents(response['content'])}" if status < "300" and "content" in response else ""
        yield f"<li><code>{status}</code> {_text(response['description'])}{gives}</li>"
    yield "</ul>"


def _table(rows: Iterator[tuple[str, str, Node]]) -> str:
    cells = (
        f'<tr><th scope="row"><code>{_text(name)}</code></th><td>{kind}</td>'
        f"<td>{_text(' '.join(filter(None, (node.get('description'), _limits(node.get('schema', node))))))}</td></tr>"
        for name, kind, node in rows
    )
    return f"<table>{''.join(cells)}</table>"


def _contents(content: Node) -> str:
    return ", ".join(
        f"{_kind(each['schema'], True)} as <code>{media_type}</code>" for media_type, each in content.items()
    )


def _kind(schema: Node, required: bool) -> str:
    """Return what a value is, with a link to its model where it has one."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        kind = f'<a href="#{name}">{name}</a>'
    elif schema.get("type") == "array":
        kind = f"list of {_kind(schema['items'], True)}"
    else:
        kind = _text(schema.get("format", schema["type"]))
    return kind + (" or null" if schema.get("nullable") else "") + ("" if required else ", optional")


def _limits(schema: Node) -> str:
    if values := schema.get("enum"):
        return f"One of {', '.join(values)}."
    if "maximum" in schema:
        return f"From {schema['minimum']:,} to {schema['maximum']:,}."
    if "maxLength" in schema:
        return f"At most {schema['maxLength']:,} characters."
    return f"Matches {schema['pattern']}." if "pattern" in schema else ""


def _text(text: str) -> str:
    """Return text as HTML, with what stands in backquotes as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))
