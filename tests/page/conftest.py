"""The page as a person meets it: Chromium, the bot alone on loopback, and a proxy in between that can fail."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

try:
    from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
except ModuleNotFoundError:
    pytest.exit("tests/page needs Playwright, which make test installs; or leave them out: pytest tests/unit", 4)

from tests.page import chromium
from tests.page.faults import Faults, Proxy
from tests.page.serving import serving
from tests.page.visitor import Visitor

KNOWLEDGE = Path(__file__).with_name("knowledge")
# For a machine that does much else; what passes does not wait for it.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def bot() -> Iterator[str]:
    with serving(KNOWLEDGE, BOT_NAME="Parley") as address:
        yield address


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    executable = chromium.find()
    if not executable:
        pytest.fail(chromium.MISSING, pytrace=False)
    browser = playwright.chromium.launch(executable_path=executable, args=chromium.arguments())
    yield browser
    browser.close()


@pytest.fixture
def proxy(bot: str) -> Iterator[Proxy]:
    with Proxy(bot) as proxy:
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield proxy
        proxy.shutdown()


@pytest.fixture
def faults(proxy: Proxy) -> Faults:
    """What goes wrong between the browser and the bot, until a test says so: nothing."""
    return proxy.faults


@contextmanager
def contexts(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give what opens a tab in a browser of its own; ``clock`` is the time to begin at, the rest Playwright's."""
    opened = []

    def new_tab(*, clock: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}, "locale": "en-GB"} | options)
        opened.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if clock:
            context.clock.install(time=clock)
        return context.new_page()

    yield new_tab
    for context in opened:
        context.close()


@pytest.fixture
def open_page(browser: Browser, proxy: Proxy, bot: str) -> Iterator[Callable[..., Visitor]]:
    """What opens the page in a browser of its own."""
    with contexts(browser) as new_tab:

        def opened(**options: Any) -> Visitor:
            page = new_tab(**options)
            page.goto(proxy.url)
            return Visitor(page, bot)

        yield opened


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """An empty tab; to open one for each test takes longer than most tests."""
    with contexts(browser) as new_tab:
        yield new_tab()


@pytest.fixture
def visitor(tab: Page, proxy: Proxy, bot: str) -> Visitor:
    """The page, opened and greeting. Each test's proxy is another origin, so nothing is left of the test before."""
    tab.goto(proxy.url)
    visitor = Visitor(tab, bot)
    visitor.greeting.wait_for()
    return visitor


@pytest.fixture(scope="module")
def reader(browser: Browser, bot: str) -> Iterator[Visitor]:
    """One page for a whole module, for tests that leave it as it was."""
    with contexts(browser) as new_tab:
        page = new_tab()
        page.goto(bot)
        yield Visitor(page, bot)
