"""The chat page: its own script runs and no other, its name is only text, and it is small."""

import base64
import gzip
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from chatbot.looks import Looks
from chatbot.page import Page


class Elements(HTMLParser):
    """Collects every element with its attributes."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def looking(environment: str = "dev", *, backup_days: int = 35, **changes: str) -> Page:
    """Return the page of a bot that looks like Parley, but for some changes."""
    looks = {"bot_name": "Parley", "greeting": "Hello!", "accent": "#2f5fdd", "accent_dark": "#7a98e9"}
    return Page(Looks(**looks | changes), environment=environment, backup_days=backup_days)


@pytest.fixture
def page() -> Page:
    return looking()


def test_the_page_is_served_as_html_with_its_policy(bot: Any) -> None:
    """A browser gets the page and the headers that protect it."""
    answer = bot.request("GET", "/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.text.startswith("<!doctype html>")


def test_the_policy_allows_exactly_this_script_and_this_style(page: Page) -> None:
    """The hashes in the policy are those of the script and the style in the page; nothing inline is allowed besides."""
    policy = page.headers["Content-Security-Policy"]
    for element in ("script", "style"):
        (content,) = re.findall(f"<{element}[^>]*>(.*?)</{element}>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_nothing_in_the_page_needs_more_than_the_policy(page: Page) -> None:
    """No inline handlers or styles, nothing loaded from elsewhere, and no HTML made of text."""
    for tag, attributes in Elements(page.html).found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith(("data:", "#"))
    for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert unsafe not in page.html


def test_the_bot_name_is_text_whatever_it_holds() -> None:
    """A name made of markup and template signs is shown, not run, and does not change the policy."""
    name = '<script>alert(1)</script> & "Co" $badge ${x} \'s'
    page, plain = looking(bot_name=name), looking()
    assert "<script>alert" not in page.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Co&quot; $badge ${x}" in page.html
    assert page.headers == plain.headers


def test_the_environment_is_shown_unless_it_is_production() -> None:
    """A badge tells test environments from the real one."""
    assert '<span class="badge">dev</span>' in looking().html
    assert 'class="badge"' not in looking("prod").html


def test_whoever_deletes_is_told_how_long_backups_keep_what_was_deleted() -> None:
    """Where there are none, nothing is said of them."""
    assert "Backups keep it for up to 35 days more." in looking(backup_days=35).html
    assert "Backups" not in looking(backup_days=0).html


def test_the_page_tells_assistive_technology_what_it_is(page: Page) -> None:
    """A log that announces, a labelled field, a named button, a language and a title."""
    elements = Elements(page.html).found
    by_id = {attributes["id"]: attributes for _, attributes in elements if attributes.get("id")}
    assert by_id["log"]["role"] == "log"
    assert by_id["log"]["aria-busy"] == "false"
    assert ("label", {"class": "hidden", "for": "text"}) in elements
    assert by_id["send"]["aria-label"] == "Send"
    assert ("html", {"lang": "en"}) in elements
    assert "<title>Parley</title>" in page.html


def test_the_page_is_small(page: Page) -> None:
    """It arrives in less than 20 kB."""
    assert len(gzip.compress(page.html.encode())) < 20_000
