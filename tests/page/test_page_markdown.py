"""How answers are shown: as the Markdown that they are, and as nothing else, however hostile they may be."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import expect

from tests.page.visitor import Visitor

ANSWERS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("answers.yaml").read_text(encoding="utf-8"))
RENDER = (
    "text => { const box = make('div'); markdown(box, text); return box.innerHTML.replaceAll(' dir=\"auto\"', ''); }"
)
ELEMENTS = """text => {
  const box = make("div");
  markdown(box, text);
  return [...box.querySelectorAll("*")].map((element) => ({
    name: element.localName, protocol: element.protocol, rel: element.rel, attributes: element.getAttributeNames(),
  }));
}"""
HARMLESS = {"p", "a", "code", "pre", "div", "table", "tr", "th", "td", "em", "strong"}
PASSIVE = {"dir", "tabindex", "class", "href", "title", "target", "rel"}
LENGTH = 20_000


def rendered(reader: Visitor, text: str) -> str:
    """What the page makes of an answer, as HTML."""
    html: str = reader.page.evaluate(RENDER, text)
    return html


@pytest.mark.parametrize("answer", ANSWERS["shown"], ids=lambda answer: answer["text"])
def test_markdown_is_shown_as_what_it_means(reader: Visitor, answer: dict[str, str]) -> None:
    """Paragraphs, emphasis, headings, lists, code, quotes, tables and links."""
    assert rendered(reader, answer["text"]) == answer["html"]


@pytest.mark.parametrize("text", ANSWERS["hostile"])
def test_whatever_an_answer_holds_nothing_in_it_can_run_or_load(reader: Visitor, text: str) -> None:
    """Only the elements of Markdown, without any attribute that does something, and links to the web alone."""
    for element in reader.page.evaluate(ELEMENTS, text):
        assert element["name"] in HARMLESS
        assert set(element["attributes"]) <= PASSIVE
        if element["name"] == "a":
            assert element["protocol"] in ("http:", "https:")
            assert element["rel"] == "noopener noreferrer"


@pytest.mark.parametrize("piece", ANSWERS["signs"])
def test_an_answer_made_of_nothing_but_signs_is_shown_all_the_same(reader: Visitor, piece: str) -> None:
    """Twenty thousand characters of it neither hang the page nor break it."""
    rendered(reader, piece * (LENGTH // len(piece)))

    assert rendered(reader, "fine") == "<p>fine</p>"


def test_a_hostile_answer_is_only_read(visitor: Visitor) -> None:
    """Through the whole page: no script runs, nothing is fetched, and the policy has nothing to stop."""
    complaints, requests = [], []
    visitor.page.on("console", lambda message: complaints.append(message.text))
    visitor.page.on("request", lambda request: requests.append(request.url))
    visitor.ask("Tell me something evil")

    visitor.hear("<script>window.harmed = true</script>")
    expect(visitor.answers.locator("img, script")).to_have_count(0)
    assert visitor.page.evaluate("window.harmed") is None
    assert complaints == []
    assert {url.split("/v1/")[0] + "/" for url in requests} == {visitor.page.url}
