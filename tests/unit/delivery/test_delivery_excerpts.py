"""What a review shows of two long answers: where they differ, cut between words, whatever they say."""

import re

import pytest

from delivery.behaviour import TEXT_LIMIT, Behaviour
from delivery.builds import Section
from delivery.changes import read_plan
from delivery.excerpts import excerpts
from delivery.page import page
from delivery.review import Review
from delivery.risk import Risk

FILLER = " ".join(f"word{number}" for number in range(400))


def edited(before: str, after: str) -> Behaviour:
    """A section whose words changed, and no question that another one answers."""
    pair = Section("about#parley", "Parley", before, ()), Section("about#parley", "Parley", after, ())
    return Behaviour(asked=474, added=(), removed=(), edited=(pair,), moved=())


def cells(behaviour: Behaviour) -> list[str]:
    """The texts before and after, as the report has them."""
    row = next(line for line in behaviour.report(10_000).splitlines() if line.startswith(r"| about\#"))
    return row.strip("| ").split(" | ")[1:]


def test_the_verdict_says_both_facts() -> None:
    """That no other section answers does not read as if no answer changed."""
    assert edited("six", "seven").verdict == (
        "0 of 474 questions are answered from another section. Sections: 1 reworded."
    )


@pytest.mark.parametrize("at", [0, 1, 200, 398, 399])
def test_one_changed_word_is_seen_wherever_it_stands(at: int) -> None:
    """With words around it, and no word cut."""
    words = FILLER.split()
    changed = [*words[:at], "changed", *words[at + 1 :]]
    before, after = cells(edited(FILLER, " ".join(changed)))
    assert words[at] in before.split()
    assert "changed" in after.split()
    for cell in (before, after):
        assert len(cell) <= TEXT_LIMIT
        assert set(cell.split()) <= {*words, "changed", "…"}
        assert cell.startswith("…") == (at > 100)
        assert cell.endswith("…") == (at < 300)


def test_changes_that_stand_far_apart_are_all_seen() -> None:
    """What lies between them is left out, and that is shown."""
    words = FILLER.split()
    changed = [*words[:20], "first", *words[21:380], "last", *words[381:]]
    before, after = cells(edited(FILLER, " ".join(changed)))
    assert {"word20", "word380"} <= set(before.split())
    assert {"first", "last"} <= set(after.split())
    assert "word200" not in before
    assert " … " in after


def test_what_was_appended_or_taken_away_is_seen() -> None:
    """One of the two ends where the other goes on."""
    before, after = cells(edited(FILLER, f"{FILLER} indeed."))
    assert before.endswith("word399")
    assert after.endswith("word399 indeed.")


def test_short_texts_are_shown_whole() -> None:
    """There is nothing to cut."""
    assert cells(edited("Open until six.", "Open until seven.")) == ["Open until six.", "Open until seven."]


def test_a_text_without_spaces_is_cut_as_well() -> None:
    """Han has none, nor has an address."""
    text = "".join(chr(0x4E00 + number) for number in range(1000))
    before, after = cells(edited(text, f"{text[:500]}!{text[501:]}"))
    assert chr(0x4E00 + 500) in before
    assert r"\!" in after
    assert max(len(before), len(after)) <= TEXT_LIMIT + len("\\")


def test_other_line_breaks_are_not_shown_as_the_same_text_twice() -> None:
    """Nothing else of it would be seen in one line."""
    assert cells(edited("- one\n- two", "- one - two")) == ["- one - two", "*the same words, in other lines*"]


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>",
        "</td></table><script>alert(1)</script>",
        "a | b | c",
        "[click](javascript:alert(1))",
        "![p](https://example.org/p.png)",
        "`code` **bold** \\",
        "&lt;b&gt;",
        "@everyone #1",
    ],
)
def test_an_answer_stays_text_in_the_review_and_on_its_page(hostile: str) -> None:
    """Also where it is cut: nothing that it says is taken for Markdown or HTML."""
    behaviour = edited(f"{FILLER} old {FILLER}", f"{FILLER} {hostile} {FILLER}")
    markdown = Review("chatbot-dev", read_plan({}), behaviour.report(10_000)).markdown()
    html = page(markdown, title="t", risk=Risk.NONE)
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    assert table.count("<td>") == 3
    assert set(re.findall("<[^>]*>", table)) <= {"<tbody>", "<tr>", "</tr>", "<td>", "</td>"}


@pytest.mark.parametrize("at", [0, 70_000, 199_999])
def test_a_change_in_a_very_long_text_is_seen(at: int) -> None:
    """Only as much is compared as takes no time."""
    words = [f"word{number}" for number in range(200_000)]

    for cell in excerpts(" ".join(words), " ".join([*words[:at], "changed", *words[at + 1 :]]), 160):
        assert len(cell) <= 160
        assert words[at] in cell or "changed" in cell
