"""The page as a person meets it: Chromium, the bot alone on loopback, and a proxy in between that can fail."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.page import chromium
from tests.page.faults import Faults, Proxy
from tests.page.visitor import Visitor

ROOT = Path(__file__).parents[2]
KNOWLEDGE = Path(__file__).with_name("knowledge")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
PATIENCE_MS = 5_000


@contextmanager
def serving(**environment: str) -> Iterator[str]:
    """Run the bot as ``make chat`` does, with the garden's knowledge, and give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "chatbot.serve", "--port", "0", "--knowledge", str(KNOWLEDGE)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "lambda")} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process, process.stdout:
        try:
            line = process.stdout.readline()
            found = ADDRESS.search(line)
            assert found, f"the bot did not start: {line!r}"
            yield found[0]
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def bot() -> Iterator[str]:
    with serving() as address:
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
def visitors(browser: Browser, address: str, bot: str) -> Iterator[Callable[..., Visitor]]:
    """Give what opens the page in a browser of its own; ``clock`` is a clock in hand, the rest is Playwright's."""
    contexts = []

    def opened(*, clock: bool = False, **options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}, "locale": "en-GB"} | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if clock:
            context.clock.install()
        page = context.new_page()
        page.goto(address)
        return Visitor(page, bot)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(browser: Browser, proxy: Proxy, bot: str) -> Iterator[Callable[..., Visitor]]:
    """What opens the page, through the proxy."""
    with visitors(browser, proxy.url, bot) as opened:
        yield opened


@pytest.fixture
def visitor(open_page: Callable[..., Visitor]) -> Visitor:
    """The page, opened and greeting."""
    visitor = open_page()
    visitor.greeting.wait_for()
    return visitor


@pytest.fixture(scope="module")
def reader(browser: Browser, bot: str) -> Iterator[Visitor]:
    """One page for a whole module, for tests that leave it as it was."""
    with visitors(browser, bot, bot) as opened:
        yield opened()
