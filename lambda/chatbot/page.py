"""The chat page, put together once from the files of ``web/``, with headers that let nothing else run in it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from chatbot.contract import TEXT_LENGTH

if TYPE_CHECKING:
    from chatbot.looks import Looks

WEB = Path(__file__).with_name("web")
# One script, in the order in which its parts build on one another.
SCRIPTS = ("memory.js", "bot.js", "inline.js", "blocks.js", "log.js", "page.js")
REMARK = re.compile(r"^ *//.*\n", re.MULTILINE)
PRODUCTION = "prod"
BACKUPS = " Backups keep it for up to {days} days more."


class Page:
    """The page of one bot in one environment, whose backups keep what was deleted for so many days."""

    def __init__(self, looks: Looks, *, environment: str, backup_days: int) -> None:
        colours = f":root{{--accent-light:{looks.accent};--accent-dark:{looks.accent_dark}}}\n"
        self.html = Template(_read("index.html")).substitute(
            bot_name=html.escape(looks.bot_name),
            badge="" if environment == PRODUCTION else f'<span class="badge">{html.escape(environment)}</span>',
            icon=looks.accent.removeprefix("#"),
            longest=TEXT_LENGTH,
            backups=BACKUPS.format(days=backup_days) if backup_days else "",
            style=colours + _read("style.css"),
            script='"use strict";\n' + "".join(REMARK.sub("", _read(name)) for name in SCRIPTS),
        )
        self.headers = {
            "Content-Security-Policy": _policy(self.html),
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
        }


def _read(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


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
