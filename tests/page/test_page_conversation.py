"""A conversation on the page: asking, being answered, and what can be done with answers."""

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.page.faults import HISTORY, SEND, START, Faults, Held, smaller_pages
from tests.page.visitor import Visitor

OPEN, TICKET = "When is the garden open?", "How much is a ticket?"


def test_a_suggestion_is_asked_with_one_click_and_answered_with_its_source(visitor: Visitor) -> None:
    """Then the old suggestions are gone, and the field has the focus."""
    visitor.greeting.get_by_role("button", name=OPEN).click()

    visitor.hear("From Tuesday to Sunday, 9:00 to 18:00.")
    expect(visitor.log).to_contain_text(f"Source: {OPEN}")
    expect(visitor.greeting.get_by_role("button")).to_have_count(0)
    expect(visitor.field).to_be_focused()


def test_everything_can_be_done_with_the_keyboard(visitor: Visitor) -> None:
    """Typing, a line break, sending, rating, the menu, and the dialog that it opens."""
    keyboard = visitor.page.keyboard
    expect(visitor.field).to_be_focused()
    keyboard.type("When is")
    keyboard.press("Shift+Enter")
    keyboard.type("the garden open?")
    keyboard.press("Enter")
    visitor.hear("From Tuesday")
    expect(visitor.questions).to_have_text("When is\nthe garden open?", use_inner_text=True)

    for _ in range(10):
        keyboard.press("Shift+Tab")
        if visitor.button("Good answer").evaluate("element => element === document.activeElement"):
            break
    keyboard.press("Enter")
    expect(visitor.button("Good answer")).to_have_attribute("aria-pressed", "true")

    visitor.button("This conversation").focus()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(visitor.button("Export as Markdown")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(visitor.page.get_by_role("dialog", name="Delete this conversation?")).to_be_visible()
    expect(visitor.button("Keep it")).to_be_focused()
    keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_be_hidden()
    expect(visitor.button("This conversation")).to_be_focused()
    assert len(visitor.stored()) == 1


def test_while_an_answer_is_awaited_the_log_is_busy_and_typing_goes_on(visitor: Visitor, faults: Faults) -> None:
    """A second message is neither sent nor lost."""
    held = Held()
    faults.on(SEND, held)
    visitor.ask(OPEN)
    expect(visitor.log).to_have_attribute("aria-busy", "true")
    assert held.arrived.wait(20)
    visitor.ask(TICKET)
    expect(visitor.field).to_have_value(TICKET)
    expect(visitor.field).to_be_focused()
    held.released.set()

    visitor.hear("From Tuesday")
    expect(visitor.field).to_have_value(TICKET)
    visitor.field.press("Enter")
    visitor.hear("Grown-ups pay 8 euros", answers=2)


def test_what_is_sent_before_the_page_is_ready_goes_out_as_soon_as_it_is(
    open_page: Callable[..., Visitor], faults: Faults
) -> None:
    """Once, however often it was sent."""
    held = Held()
    faults.on(START, held)
    visitor = open_page()
    assert held.arrived.wait(20)
    visitor.ask(OPEN)
    visitor.field.press("Enter")
    expect(visitor.field).to_have_value(OPEN)
    held.released.set()

    visitor.hear("From Tuesday")
    expect(visitor.field).to_have_value("")
    assert len(visitor.stored()) == 1


def test_a_reload_brings_back_the_conversation_its_ratings_and_what_was_being_typed(
    visitor: Visitor, faults: Faults
) -> None:
    """However many pages the history has."""
    for number in range(1, 6):
        visitor.ask(OPEN if number % 2 else TICKET)
        expect(visitor.answers).to_have_count(number)
    visitor.button("Bad answer").last.click()
    expect(visitor.button("Bad answer").last).to_have_attribute("aria-pressed", "true")
    visitor.field.fill("and what ab")
    faults.on(HISTORY, smaller_pages, times=9)
    visitor.page.reload()

    visitor.hear("From Tuesday", answers=5)
    expect(visitor.questions).to_have_count(5)
    expect(visitor.button("Bad answer").last).to_have_attribute("aria-pressed", "true")
    expect(visitor.greeting).to_be_visible()
    expect(visitor.field).to_have_value("and what ab")
    visitor.ask(TICKET)
    visitor.hear("Grown-ups pay 8 euros", answers=6)
    assert [turn["number"] for turn in visitor.stored()] == [1, 2, 3, 4, 5, 6]


def test_another_tab_begins_a_conversation_of_its_own(visitor: Visitor, open_page: Callable[..., Visitor]) -> None:
    """The token is the tab's alone, so that nobody reads what another left behind."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    second = Visitor(visitor.page.context.new_page(), visitor.bot)
    second.page.goto(visitor.page.url)

    expect(second.greeting).to_be_visible()
    expect(second.answers).to_have_count(0)
    second.page.close()
    assert visitor.page.evaluate("localStorage.length + document.cookie.length") == 0


def test_an_answer_is_copied_as_it_was_written(open_page: Callable[..., Visitor]) -> None:
    """Its Markdown, for wherever it goes."""
    visitor = open_page(permissions=["clipboard-read", "clipboard-write"])
    visitor.ask(OPEN)
    visitor.button("Copy the answer").click()

    expect(visitor.status).to_have_text("Copied.")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == visitor.stored()[0]["reply"]


def test_a_thumb_down_asks_for_the_reason_and_keeps_it(visitor: Visitor) -> None:
    """The rating counts at once; the reason may follow, or not."""
    visitor.ask(TICKET)
    visitor.button("Bad answer").click()
    reason = visitor.page.get_by_role("textbox", name="What was wrong with it?")
    expect(reason).to_be_visible()
    assert visitor.stored()[0]["feedback"] == {"rating": "down", "comment": None}
    reason.fill("I asked for <b>seniors</b>.")
    visitor.log.get_by_role("button", name="Send").click()
    expect(reason).to_be_hidden()
    expect(visitor.button("Bad answer")).to_be_focused()
    assert visitor.stored()[0]["feedback"] == {"rating": "down", "comment": "I asked for <b>seniors</b>."}

    visitor.page.reload()
    visitor.button("Bad answer").click()
    expect(reason).to_have_value("I asked for <b>seniors</b>.")
    reason.press("Escape")
    expect(reason).to_be_hidden()
    assert visitor.stored()[0]["feedback"]["comment"] == "I asked for <b>seniors</b>."

    visitor.button("Good answer").click()
    expect(visitor.button("Bad answer")).to_have_attribute("aria-pressed", "false")
    assert visitor.stored()[0]["feedback"]["rating"] == "up"


def test_the_conversation_is_saved_as_markdown_and_as_json(visitor: Visitor, tmp_path: Path) -> None:
    """Named after the bot and the day, with everything that was said."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    saved = {}
    for choice, ending in (("Export as Markdown", "md"), ("Export as JSON", "json")):
        visitor.button("This conversation").click()
        with visitor.page.expect_download() as download:
            visitor.button(choice).click()
        assert download.value.suggested_filename.startswith("Parley ")
        assert download.value.suggested_filename.endswith(f".{ending}")
        download.value.save_as(tmp_path / ending)
        saved[ending] = (tmp_path / ending).read_text()

    assert OPEN in saved["md"]
    assert "From **Tuesday** to *Sunday*" in saved["md"]
    assert json.loads(saved["json"])["messages"][0]["text"] == OPEN


def test_deleting_asks_first_then_removes_everything_and_begins_anew(visitor: Visitor) -> None:
    """The bot knows the conversation no longer, and neither does the page."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    visitor.button("This conversation").click()
    visitor.button("Delete …").click()
    visitor.button("Keep it").click()
    expect(visitor.answers).to_have_count(1)
    old = visitor.conversation

    visitor.button("This conversation").click()
    visitor.button("Delete …").click()
    visitor.button("Delete").click()
    expect(visitor.answers).to_have_count(0)
    expect(visitor.greeting).to_be_visible()
    expect(visitor.status).to_have_text("The conversation is deleted.")
    expect(visitor.field).to_be_focused()
    assert visitor.conversation != old
    visitor.page.evaluate("old => keep({ conversation: old })", old)
    assert visitor.call("GET", "/messages").status_code == 404


def test_a_new_conversation_leaves_the_old_one_behind(visitor: Visitor) -> None:
    """It begins with the greeting, and with the focus in the field."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    visitor.button("New conversation").click()

    expect(visitor.answers).to_have_count(0)
    expect(visitor.greeting.get_by_role("button", name=OPEN)).to_be_visible()
    expect(visitor.field).to_be_focused()


def test_a_message_that_is_too_long_is_refused_and_stays_to_be_shortened(visitor: Visitor, faults: Faults) -> None:
    """Characters are counted as the bot counts them; one over is told, and nothing is sent or cut off."""
    visitor.field.fill("🌱" * 8_001)
    expect(visitor.page.get_by_text("8,001 / 8,000")).to_be_visible()
    visitor.field.press("Enter")

    expect(visitor.alert).to_have_text("The message is 1 characters too long.")
    expect(visitor.field).to_have_attribute("aria-invalid", "true")
    assert faults.sent() == []
    visitor.ask("🌱" * 8_000)
    expect(visitor.answers).to_have_count(1)
    assert len(visitor.stored()[0]["text"]) == 8_000


def test_the_page_works_below_the_path_of_a_stage_with_and_without_a_slash(visitor: Visitor) -> None:
    """As it is opened under API Gateway's own address."""
    for path in ("stage/", "stage"):
        visitor.page.goto(visitor.page.url.split("/stage")[0].rstrip("/") + "/" + path)
        visitor.button("New conversation").click()
        visitor.ask(OPEN)
        visitor.hear("From Tuesday")


def test_text_runs_in_its_own_direction(visitor: Visitor) -> None:
    """From right to left where it is Arabic, in the field, the question and the answer."""
    question = "متى تفتح الحديقة؟"
    visitor.field.fill(question)
    expect(visitor.field).to_have_css("direction", "rtl")
    visitor.field.press("Enter")
    visitor.hear("الحديقة مفتوحة")

    expect(visitor.questions).to_have_css("direction", "rtl")
    expect(visitor.answers.locator("p")).to_have_css("direction", "rtl")


def test_the_question_stays_in_sight_above_a_long_answer(open_page: Callable[..., Visitor]) -> None:
    """On a telephone, the answer begins at the top instead of ending at the bottom."""
    visitor = open_page(viewport={"width": 360, "height": 480})
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    visitor.ask("How do I print a ticket?")
    visitor.hear("Letter works as well", answers=2)

    expect(visitor.questions.last).to_be_in_viewport()
