"""Cross-origin requests: the sites that the settings name may call the API from their pages, and no others."""

from collections.abc import Callable
from typing import Any

import pytest

MakeBot = Callable[..., Any]
SITE, OTHER = "https://www.example.com", "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
def bot(make_bot: MakeBot) -> Any:
    return make_bot(origins=(SITE, "https://shop.example.com"))


def test_a_browser_that_asks_before_it_sends_is_let_in(bot: Any) -> None:
    """The answer names the origin, the path's methods and the headers that the API reads."""
    chat = bot.start()
    answer = bot.request("OPTIONS", chat.messages, headers={"Origin": SITE, **PREFLIGHT})
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key"))
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_answers_and_problems_can_be_read_by_an_allowed_site(bot: Any) -> None:
    """So can the headers that tell something."""
    chat = bot.start()
    for answer in (
        bot.request("POST", chat.messages, {"text": "hello"}, token=chat.token, headers={"origin": SITE}),
        bot.request("POST", chat.messages, {"text": ""}, token=chat.token, headers={"origin": SITE}),
        bot.request("GET", chat.messages, headers={"origin": SITE}),
        bot.request("GET", "/nowhere", headers={"origin": SITE}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert all(name in exposed for name in ("Retry-After", "Idempotency-Replayed", "Location", "Link"))
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [OTHER, "null", "*", f"{SITE}.evil.example", "http://www.example.com", ""])
def test_another_site_is_not_let_in(bot: Any, origin: str) -> None:
    """No header lets it read anything, and caches are told that this depends on the origin."""
    chat = bot.start()
    for answer in (
        bot.request("OPTIONS", chat.messages, headers={"Origin": origin, **PREFLIGHT}),
        bot.request("GET", chat.messages, token=chat.token, headers={"Origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Origin"
    assert bot.request("OPTIONS", chat.messages, headers={"Origin": origin, **PREFLIGHT}).status == 405


def test_without_origins_there_is_nothing_of_it(make_bot: MakeBot) -> None:
    """The API answers its own page and programs alone, unless a team says otherwise."""
    bot = make_bot()
    for method in ("OPTIONS", "GET"):
        answer = bot.request(method, "/health", headers={"Origin": SITE, **PREFLIGHT})
        assert not [name for name in answer.headers if name.startswith("Access-Control") or name == "Vary"]


def test_what_is_not_there_cannot_be_asked_for(bot: Any) -> None:
    """A preflight of an unknown path is a 404, and one that asks for nothing is no preflight."""
    assert bot.request("OPTIONS", "/nowhere", headers={"Origin": SITE, **PREFLIGHT}).status == 404
    assert bot.request("OPTIONS", "/health", headers={"Origin": SITE}).status == 405
