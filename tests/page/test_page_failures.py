"""What fails between the page and the bot: it is told, it can be tried again, and nothing is ever stored twice."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.page.faults import (
    ALWAYS,
    HISTORY,
    SEND,
    START,
    Fault,
    Faults,
    Held,
    cut_answer,
    drop_answer,
    page_of_a_gateway,
    problem,
)
from tests.page.visitor import Visitor

EVENING = "2026-11-25T17:00:00Z"
OPEN, TICKET = "When is the garden open?", "How much is a ticket?"
UNAVAILABLE = problem(503, "store_unavailable", "Conversations cannot be reached; try again soon.", retry_after=1)
TOO_MANY = problem(429, "rate_limited", "Too many messages in one minute.", retry_after=60)


def keys(faults: Faults) -> set[str]:
    """The idempotency keys of all messages sent so far."""
    return {request.headers["Idempotency-Key"] for request in faults.sent()}


@pytest.mark.parametrize("fault", [drop_answer, cut_answer, UNAVAILABLE, page_of_a_gateway])
def test_what_fails_once_is_sent_again_by_itself(visitor: Visitor, faults: Faults, fault: Fault) -> None:
    """With the same key, so that a message whose answer was lost is stored once."""
    faults.on(SEND, fault)
    visitor.ask(OPEN)

    visitor.hear("From Tuesday")
    expect(visitor.alert).to_have_count(0)
    assert len(faults.sent()) >= 2
    assert len(keys(faults)) == 1
    assert len(visitor.stored()) == 1


@pytest.mark.parametrize("fault", [drop_answer, cut_answer, page_of_a_gateway])
def test_what_keeps_failing_is_told_and_tried_again_without_a_double_turn(
    visitor: Visitor, faults: Faults, fault: Fault
) -> None:
    """The alert says what happened; the focus stays in the field; the button sends the same key."""
    faults.on(SEND, fault, times=ALWAYS)
    visitor.ask(OPEN)
    expect(visitor.alert).to_have_text(
        "Something went wrong (502)." if fault is page_of_a_gateway else "The bot cannot be reached."
    )
    expect(visitor.field).to_be_focused()
    expect(visitor.log).to_have_attribute("aria-busy", "false")
    faults.mend()
    visitor.button("Try again").click()

    visitor.hear("From Tuesday")
    expect(visitor.alert).to_have_count(0)
    expect(visitor.questions).to_have_count(1)
    assert len(keys(faults)) == 1
    assert len(visitor.stored()) == 1


def test_a_reload_while_an_answer_is_awaited_shows_one_turn(visitor: Visitor, faults: Faults) -> None:
    """The message is sent again with its key; what the bot has stored is not shown twice."""
    held = Held()
    faults.on(SEND, held)
    visitor.ask(OPEN)
    assert held.arrived.wait(20)
    held.released.set()
    visitor.page.reload()

    visitor.hear("From Tuesday")
    expect(visitor.questions).to_have_count(1)
    assert len(keys(faults)) == 1
    assert len(visitor.stored()) == 1


def test_a_reload_after_the_answer_was_lost_shows_one_turn(visitor: Visitor, faults: Faults) -> None:
    """Also when the turn is in the history already."""
    faults.on(SEND, drop_answer, times=ALWAYS)
    visitor.ask(OPEN)
    expect(visitor.alert).to_be_visible()
    faults.mend()
    visitor.page.reload()

    visitor.hear("From Tuesday")
    expect(visitor.questions).to_have_count(1)
    assert len(visitor.stored()) == 1


def test_what_is_unsent_goes_before_what_is_said_next(visitor: Visitor, faults: Faults) -> None:
    """In the order in which the person said it."""
    faults.on(SEND, drop_answer, times=ALWAYS)
    visitor.ask(OPEN)
    expect(visitor.alert).to_be_visible()
    faults.mend()
    visitor.ask(TICKET)

    visitor.hear("Grown-ups pay 8 euros", answers=2)
    assert [turn["text"] for turn in visitor.stored()] == [OPEN, TICKET]


def test_while_offline_a_message_waits_and_goes_out_when_the_network_is_back(visitor: Visitor) -> None:
    """Without anyone pressing anything."""
    visitor.page.context.set_offline(True)
    visitor.ask(OPEN)
    expect(visitor.alert).to_have_text("You are offline. This goes on when you are back.")
    visitor.page.context.set_offline(False)

    visitor.hear("From Tuesday")
    expect(visitor.alert).to_have_count(0)
    assert len(visitor.stored()) == 1


def test_too_many_messages_are_told_and_can_be_sent_when_the_wait_is_over(
    open_page: Callable[..., Visitor], faults: Faults
) -> None:
    """Retry-After is honoured: the button counts down, and cannot be pressed before."""
    visitor = open_page(clock=EVENING, timezone_id="UTC")
    faults.on(SEND, TOO_MANY)
    visitor.ask(OPEN)
    expect(visitor.alert).to_have_text("Too many messages in one minute.")
    again = visitor.page.get_by_role("button", name="Try again")
    expect(again).to_be_disabled()
    expect(again).to_have_text("Try again in 60 s")
    visitor.page.clock.run_for(30_000)
    expect(again).to_have_text("Try again in 30 s")
    expect(again).to_be_disabled()
    visitor.page.clock.run_for(31_000)
    expect(again).to_have_text("Try again")
    again.click()

    visitor.hear("From Tuesday")
    assert len(keys(faults)) == 1


def test_the_end_of_the_token_cap_is_told_in_the_words_of_the_bot(
    open_page: Callable[..., Visitor], faults: Faults
) -> None:
    """A wait of hours is a time of day."""
    visitor = open_page(clock=EVENING, timezone_id="UTC")
    detail = "Today's model tokens are used up; the count begins anew at 00:00 UTC."
    faults.on(SEND, problem(429, "token_cap_reached", detail, retry_after=7 * 3600))
    visitor.ask(OPEN)

    expect(visitor.alert).to_have_text(detail)
    expect(visitor.page.get_by_role("button", name="Try again")).to_have_text("Try again at 00:00")


def test_a_message_that_was_refused_can_be_taken_back_and_changed(visitor: Visitor, faults: Faults) -> None:
    """It goes back into the field, before what was typed there since."""
    faults.on(SEND, TOO_MANY)
    visitor.ask(OPEN)
    visitor.field.fill("Or Sunday?")
    visitor.button("Edit the message").click()

    expect(visitor.field).to_have_value(f"{OPEN}\nOr Sunday?")
    expect(visitor.questions).to_have_count(0)
    visitor.ask(TICKET)
    visitor.hear("Grown-ups pay 8 euros")
    assert [turn["text"] for turn in visitor.stored()] == [TICKET]


def test_a_message_that_may_have_been_stored_cannot_be_taken_back(visitor: Visitor, faults: Faults) -> None:
    """Only the same key makes sure that it is stored once."""
    faults.on(SEND, drop_answer, times=ALWAYS)
    visitor.ask(OPEN)
    expect(visitor.button("Try again")).to_be_visible()

    expect(visitor.button("Edit the message")).to_have_count(0)


def test_a_message_that_the_bot_will_never_take_goes_back_into_the_field(visitor: Visitor) -> None:
    """With the reason; a NUL character, for one."""
    visitor.page.evaluate("text => { write(text); say(text); }", "When is\0it open?")

    expect(visitor.alert).to_have_text("The message must not contain the character U+0000.")
    expect(visitor.field).to_have_value("When is\0it open?")
    expect(visitor.questions).to_have_count(0)
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    expect(visitor.alert).to_have_count(0)


def test_a_conversation_that_ended_is_followed_by_a_new_one_that_has_the_message(visitor: Visitor) -> None:
    """What was said before stays to be read, but can no longer be rated."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    assert visitor.call("DELETE").status_code == 204
    visitor.ask(TICKET)

    visitor.hear("Grown-ups pay 8 euros", answers=2)
    expect(visitor.log).to_contain_text("Your earlier conversation has ended. This is a new one.")
    expect(visitor.button("Good answer")).to_have_count(1)
    expect(visitor.button("Copy the answer")).to_have_count(2)
    assert [turn["text"] for turn in visitor.stored()] == [TICKET]


def test_a_reload_after_the_conversation_ended_keeps_what_was_being_typed(visitor: Visitor) -> None:
    """A note says so, and a new conversation begins."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    visitor.field.fill(TICKET)
    assert visitor.call("DELETE").status_code == 204
    visitor.page.reload()

    expect(visitor.log).to_contain_text("Your earlier conversation has ended.")
    expect(visitor.greeting).to_be_visible()
    expect(visitor.field).to_have_value(TICKET)
    visitor.field.press("Enter")
    visitor.hear("Grown-ups pay 8 euros")


def test_a_full_conversation_is_followed_by_a_new_one_when_the_person_says_so(visitor: Visitor, faults: Faults) -> None:
    """With the message that no longer went in."""
    faults.on(SEND, problem(409, "conversation_full", "This conversation holds as many messages as it can."))
    visitor.ask(OPEN)
    expect(visitor.alert).to_have_text("This conversation holds as many messages as it can.")
    visitor.button("Start a new conversation").click()

    visitor.hear("From Tuesday")
    assert len(visitor.stored()) == 1


@pytest.mark.parametrize("pattern", [START, HISTORY])
def test_a_page_that_cannot_begin_says_so_and_begins_when_asked_again(
    open_page: Callable[..., Visitor], faults: Faults, pattern: str
) -> None:
    """What is typed meanwhile is kept, and sent once the conversation is there."""
    visitor = open_page()
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    if pattern == START:
        visitor.button("New conversation").focus()
        faults.on(START, UNAVAILABLE)
        visitor.button("New conversation").click()
    else:
        faults.on(HISTORY, UNAVAILABLE)
        visitor.page.reload()
    expect(visitor.alert).to_have_text("Conversations cannot be reached; try again soon.")
    visitor.ask(TICKET)

    visitor.hear("Grown-ups pay 8 euros", answers=1 if pattern == START else 2)
    expect(visitor.greeting).to_be_visible()
    expect(visitor.alert).to_have_count(0)


def test_a_rating_that_fails_is_taken_back_told_and_tried_again(visitor: Visitor, faults: Faults) -> None:
    """The button shows what the bot knows."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    faults.on("PUT .*", UNAVAILABLE)
    visitor.button("Good answer").click()
    expect(visitor.alert).to_have_text("Conversations cannot be reached; try again soon.")
    expect(visitor.button("Good answer")).to_have_attribute("aria-pressed", "false")
    visitor.button("Try again").click()

    expect(visitor.button("Good answer")).to_have_attribute("aria-pressed", "true")
    assert visitor.stored()[0]["feedback"]["rating"] == "up"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_export_or_a_deletion_that_fails_is_told_and_changes_nothing(
    visitor: Visitor, faults: Faults, method: str
) -> None:
    """The conversation stands as it was."""
    visitor.ask(OPEN)
    visitor.hear("From Tuesday")
    faults.on(f"{method} .*", UNAVAILABLE)
    visitor.button("This conversation").click()
    if method == "GET":
        visitor.button("Export as JSON").click()
    else:
        visitor.button("Delete …").click()
        visitor.button("Delete").click()

    expect(visitor.alert).to_have_text("Conversations cannot be reached; try again soon.")
    expect(visitor.answers).to_have_count(1)
    assert len(visitor.stored()) == 1
