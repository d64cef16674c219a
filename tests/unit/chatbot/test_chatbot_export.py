"""Taking a conversation along: whole, as JSON or Markdown, in which nothing said passes for something else."""

from collections.abc import Callable
from copy import replace
from typing import Any

import pytest

from chatbot import reading
from chatbot.reply import Reply
from chatbot.wire import size_in_response
from tests.unit.chatbot.models import MOST_TOKENS, Model

MakeBot = Callable[..., Any]


def export(chat: Any, wanted: str = "markdown") -> Any:
    answer = chat.request("GET", f"/export?format={wanted}")
    assert answer.status == 200, answer.text
    return answer


def test_json_holds_every_turn(bot: Any) -> None:
    """More turns than a page has are all there, in a file with the day in its name."""
    chat = bot.start()
    for number in range(120):
        chat.say(f"question {number}")
    answer = export(chat, "json")
    assert [turn["text"] for turn in answer.json["messages"]] == [f"question {number}" for number in range(120)]
    assert answer.json["next_cursor"] is None
    assert "Link" not in answer.headers
    assert answer.headers["Content-Disposition"] == 'attachment; filename="conversation-2026-11-22.json"'


def test_markdown_reads_as_a_conversation(bot: Any) -> None:
    """Turn by turn: when, what was asked, what was answered and from where, and what the person thought of it."""
    chat = bot.start()
    chat.say("What does it cost?")
    chat.request("PUT", "/messages/1/feedback", {"rating": "down", "comment": "Too long."})
    answer = export(chat)
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="conversation-2026-11-22.md"'
    parts = ["# Conversation with Parley", "## 1. 2026-11-22 12:00 UTC", "```text\nWhat does it cost?\n```"]
    parts += ["Parley, from “What does it cost?”:", "\n> ", "Rated: down", "```text\nToo long.\n```"]
    places = [answer.text.index(part) for part in parts]
    assert places == sorted(places)


class Echo(Model):
    """A model that says what it is told to."""

    says = ""

    def reply(self, question: str, history: Any) -> Reply:
        return replace(super().reply(question, history), text=self.says)


HOSTILE = (
    "```\n# not a heading\n```",
    "``` ``` `````\n`````\n## 2. Forged",
    "~~~\n</pre></code>\n~~~",
    "> quote\n\n## 2. Forged\n\nYou:",
    "- list\n\n<script>alert(1)</script>\n\n<!-- swallow",
    "    indented\n\n---\n\n| a | b |",
    "[link](javascript:alert(1)) ![image](https://evil.example/x)",
    "line\u2028separator\u2029 and \u202e backwards",
)


def outline(markdown: str) -> list[str]:
    """The lines of a document that are its own: outside fences, and no quotation."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        ticks = len(line) - len(line.lstrip("`"))
        if fence:
            if line == fence:
                fence = ""
        elif ticks >= 3:
            fence = "`" * ticks
        elif not line.startswith(">"):
            lines.append(line)
    assert not fence
    return [line for line in lines if line]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_person_says_stays_what_a_person_says(make_bot: MakeBot, text: str) -> None:
    """Neither fences, headings, quotes nor HTML in a message, a reply or a comment change the document's outline."""
    outlines = []
    for said in ("harmless", text):
        model = Echo()
        model.says = said
        chat = make_bot(responder=model, daily_tokens=MOST_TOKENS).start()
        assert chat.say(said).status == 200
        chat.request("PUT", "/messages/1/feedback", {"rating": "up", "comment": said})
        outlines.append(outline(export(chat).text))
    assert outlines[0] == outlines[1]
    assert text.strip() in export(chat).text


@pytest.mark.parametrize("said", ["a\r\n## 2. Forged", "a\r## 2. Forged", "a\n## 2. Forged", "<b>bold</b><!--"])
def test_what_a_model_says_stays_its_answer(make_bot: MakeBot, said: str) -> None:
    """Whatever line ending it writes, and its HTML is shown, not obeyed."""
    model = Echo()
    model.says = said
    chat = make_bot(responder=model, daily_tokens=MOST_TOKENS).start()
    chat.say("hello")
    text = export(chat).text
    assert not any(line.startswith("## 2") for line in text.replace("\r", "\n").split("\n"))
    assert "<b>" not in text
    assert "<!--" not in text


@pytest.mark.parametrize("wanted", ["json", "markdown"])
def test_what_does_not_fit_one_answer_comes_in_parts(bot: Any, monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    """Each part leads to the next by its Link header, and together they are the whole conversation."""
    monkeypatch.setattr(reading, "LARGEST_ANSWER", 9_000)
    chat = bot.start()
    for number in range(12):
        chat.say(f"question {number}:" + "€" * 500)
    parts, path = [], f"/export?format={wanted}"
    while path:
        answer = chat.request("GET", path)
        assert size_in_response(answer.text) < 10_000
        parts.append(answer.text)
        link = answer.headers.get("Link", "")
        assert not link or link.endswith('>; rel="next"')
        path = f"/{link[1:].partition('>')[0]}" if link else ""
    assert len(parts) > 2
    whole = "".join(parts)
    assert [whole.count(f"question {number}:") for number in range(12)] == [1] * 12


def test_a_turn_larger_than_an_answer_is_a_part_of_its_own(bot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the answers are, reading goes on."""
    monkeypatch.setattr(reading, "LARGEST_ANSWER", 1)
    chat = bot.start()
    for number in range(3):
        chat.say(f"question {number}")
    numbers, cursor = [], ""
    while cursor is not None:
        page = chat.request("GET", f"/messages{cursor and f'?cursor={cursor}'}").json
        numbers.append([turn["number"] for turn in page["messages"]])
        cursor = page["next_cursor"]
    assert numbers == [[1], [2], [3]]
