"""What axe and the page's own promises say about it, in every state and in both colour schemes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.page.faults import SEND, Faults, Held, problem
from tests.page.visitor import Visitor

TOO_MANY = problem(429, "rate_limited", "Too many messages in one minute.", retry_after=60)


def empty(visitor: Visitor, faults: Faults) -> None:
    expect(visitor.greeting).to_be_visible()


def answered(visitor: Visitor, faults: Faults) -> None:
    visitor.ask("How do I print a ticket?")
    visitor.hear("Letter works as well")
    visitor.button("Good answer").click()
    expect(visitor.button("Good answer")).to_have_attribute("aria-pressed", "true")
    visitor.ask("How much is a ticket?")
    visitor.hear("Grown-ups pay 8 euros", answers=2)


def waiting(visitor: Visitor, faults: Faults) -> None:
    held = Held()
    faults.on(SEND, held)
    visitor.ask("When is the garden open?")
    expect(visitor.log).to_have_attribute("aria-busy", "true")
    held.released.set()


def failed(visitor: Visitor, faults: Faults) -> None:
    faults.on(SEND, TOO_MANY)
    visitor.ask("When is the garden open?")
    expect(visitor.alert).to_be_visible()


def menu(visitor: Visitor, faults: Faults) -> None:
    visitor.button("This conversation").click()
    expect(visitor.button("Export as JSON")).to_be_visible()


def dialog(visitor: Visitor, faults: Faults) -> None:
    menu(visitor, faults)
    visitor.button("Delete …").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()


def reason(visitor: Visitor, faults: Faults) -> None:
    visitor.ask("When is the garden open?")
    visitor.button("Bad answer").click()
    expect(visitor.page.get_by_label("What was wrong with it?")).to_be_visible()


@pytest.mark.parametrize("state", [empty, answered, waiting, failed, menu, dialog, reason])
def test_axe_finds_nothing(visitor: Visitor, faults: Faults, state: Callable[[Visitor, Faults], None]) -> None:
    """Neither against WCAG 2.2 AA nor against good practice, light or dark."""
    state(visitor, faults)

    for scheme in ("dark", "light"):
        visitor.page.emulate_media(color_scheme=scheme)
        assert visitor.violations() == [], scheme


@pytest.mark.parametrize("state", [answered, failed])
def test_nothing_scrolls_sideways_on_a_narrow_screen(
    open_page: Callable[..., Visitor], faults: Faults, state: Callable[[Visitor, Faults], None]
) -> None:
    """320 pixels are what 400 % zoom leaves: WCAG 1.4.10. Code and tables scroll in themselves."""
    visitor = open_page(viewport={"width": 320, "height": 640})
    state(visitor, faults)

    for area in ("document.documentElement", "document.getElementById('log')"):
        assert visitor.page.evaluate(f"{area}.scrollWidth <= {area}.clientWidth"), area
    assert visitor.violations() == []


def test_nothing_moves_for_whoever_wants_no_motion(open_page: Callable[..., Visitor], faults: Faults) -> None:
    """prefers-reduced-motion ends every animation."""
    held = Held()
    faults.on(SEND, held)
    visitor = open_page(reduced_motion="reduce")
    visitor.ask("When is the garden open?")
    expect(visitor.log.locator(".typing i").first).to_be_visible()

    assert visitor.page.evaluate("document.getAnimations().length") == 0
    held.released.set()


def test_a_screen_reader_is_told_who_speaks_and_hears_an_old_conversation_only_when_it_asks(
    open_page: Callable[..., Visitor],
) -> None:
    """Each turn names its speaker; what a reload brings back is not announced."""
    visitor = open_page()
    visitor.ask("When is the garden open?")
    visitor.hear("From Tuesday")
    assert visitor.log.inner_text().count("You:") == 1
    assert visitor.log.inner_text().count("Parley:") == 1
    visitor.page.add_init_script(
        "new MutationObserver(() => { if (document.querySelector('.answer')) "
        "window.live ??= document.getElementById('log').getAttribute('aria-live'); })"
        ".observe(document, { childList: true, subtree: true })"
    )
    visitor.page.reload()

    visitor.hear("From Tuesday")
    assert visitor.page.evaluate("window.live") == "off"
    expect(visitor.log).to_have_attribute("aria-live", "polite")


def test_headings_of_answers_begin_below_the_page_s_own(visitor: Visitor) -> None:
    """Whatever level their author chose, no level is left out."""
    visitor.ask("How do I print a ticket?")

    expect(visitor.page.get_by_role("heading", level=2, name="On Linux")).to_be_visible()
