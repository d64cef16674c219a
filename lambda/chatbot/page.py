"""The chat page, filled in once, with the headers that let nothing but its own script and style run."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("page.html")
PRODUCTION = "prod"


class Page:
    """The page of one bot in one environment."""

    def __init__(self, *, bot_name: str, environment: str) -> None:
        source = TEMPLATE.read_text(encoding="utf-8")
        badge = "" if environment == PRODUCTION else f'<span class="badge">{html.escape(environment)}</span>'
        self.html = Template(source).substitute(bot_name=html.escape(bot_name), badge=badge)
        self.headers = {
            "Content-Security-Policy": _policy(self.html),
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
        }


def _policy(document: str) -> str:
    """Allow exactly the inline script and style of a document, by their hashes.

    https://www.w3.org/TR/CSP3/#match-element-to-source-list
    """
    allowed = {
        "default-src": "'none'",
        "script-src": _hash_of("script", document),
        "style-src": _hash_of("style", document),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{directive} {sources}" for directive, sources in allowed.items())


def _hash_of(element: str, document: str) -> str:
    (content,) = re.findall(rf"<{element}>(.*?)</{element}>", document, re.DOTALL)
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
