"""The search: spelling, follow-ups, speed of nothing but words, and questions that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.knowledge import Knowledge
from chatbot.words import edits, shown, stem, words


@pytest.mark.parametrize("question", ["waht does it csot", "WHAT DOES IT COST???", "whát does it cöst", "costs"])
def test_spelling_case_and_accents_do_not_matter(knowledge: Knowledge, question: str) -> None:
    """The price is told however the question is typed."""
    assert knowledge.search(question)[0].section.id == "aws#what-does-it-cost"


@pytest.mark.parametrize("question", ["", "   ", "?!", "🙂", "\ud800", "東京", "the of and", "x" * 2000, "a b " * 500])
def test_what_is_no_question_gets_no_answer(knowledge: Knowledge, question: str) -> None:
    """Blanks, signs, other scripts and noise are declined."""
    assert not any(match.answers for match in knowledge.search(question))


@pytest.mark.parametrize(
    "question",
    [
        "it",
        "that",
        "what is it",
        "this one",
        "<script>alert(1)</script>",
        "<script>what does it cost</script>",
        "<style>cost</style>",
        '<a href="https://example.org/cost">it</a>',
        "<script>cost",
    ],
)
def test_what_names_nothing_gets_no_answer(knowledge: Knowledge, question: str) -> None:
    """It refers to what nobody said, or is markup; but what comes near is suggested."""
    found = knowledge.search(question)
    assert not any(match.answers for match in found)
    assert found[0].is_near


@pytest.mark.parametrize("question", ["<b>What</b> does it cost?", "how much is it", "who are you", "what can you do"])
def test_what_has_markup_or_nothing_but_small_words_may_be_a_question(knowledge: Knowledge, question: str) -> None:
    """A word outside of the markup tells what it is about, or it is put as one was taught."""
    assert knowledge.search(question)[0].answers


def test_what_refers_back_is_understood_from_what_was_said(knowledge: Knowledge) -> None:
    """The question before tells what "it" is."""
    assert knowledge.search("and what is it", earlier="what does it cost")[0].answers


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a < b and c > d", "a < b and c > d"),
        ("<p>one<br/>two</P>", " one two "),
        ("a<SCRIPT src=x>b</script >c<style>d</style>", "a c "),
        ("a<script>b<style>c</script>d", "a d"),
    ],
)
def test_of_markup_only_what_a_page_shows_is_read(text: str, seen: str) -> None:
    """Signs that only look like it stay."""
    assert shown(text) == seen


@pytest.mark.parametrize(
    "question", ["w\u200bh\u200ba\u200bt is p\u200bar\u00adley", "\u202ewhat is parley\u202c", "\ufeffwhat is parley"]
)
def test_signs_that_nobody_sees_do_not_matter(knowledge: Knowledge, question: str) -> None:
    """A question copied from a page brings soft hyphens and marks of direction along."""
    assert knowledge.search(question) == knowledge.search("what is parley")


def test_vowels_that_are_marks_are_a_part_of_their_word() -> None:
    """Words of India's scripts stay whole; the full stop ends them."""
    assert words("चाय कैसे।") == ["चाय", "कैसे"]


@given(st.text(max_size=200))
def test_any_text_can_be_asked(knowledge: Knowledge, question: str) -> None:
    """No text breaks the search, and confidence stays between 0 and 1."""
    for match in knowledge.search(question, previous="about#what-is-parley", earlier=question):
        assert 0 <= match.confidence <= 1


@pytest.mark.parametrize(
    "question",
    [
        "deploy " * 1100,
        "\ufdfa" * 8000,
        "שלום עולם " * 800,
        "你好吗" * 2600,
        "ﬁ\u200b\u202e\x00" * 2000,
        "a" * 8000,
        "zqxj " * 1600,
        "<script" * 1100,
        "<script>" * 1000,
        "</a" * 2600,
    ],
)
def test_eight_thousand_characters_of_anything_can_be_asked(knowledge: Knowledge, question: str) -> None:
    """The longest message is searched like any other, whatever it is made of."""
    assert len(knowledge.search(question, limit=3)) <= 3


def test_every_title_and_every_phrasing_leads_to_its_own_section(knowledge: Knowledge) -> None:
    """A suggestion is a title, so asking it must give its section; so must a phrasing, as long as it has no other."""
    for section, asked in zip(knowledge.sections, knowledge.asked, strict=True):
        for phrase in (section.title, *asked):
            (found,) = knowledge.search(phrase, limit=1)
            assert (found.section, found.confidence) == (section, 1.0), phrase


@pytest.mark.parametrize(
    ("earlier", "question", "section"),
    [
        ("How do I approve a deployment?", "can it be skipped?", "delivery#when-is-an-approval-skipped"),
        (
            "How do I delete a conversation?",
            "is it gone from backups?",
            "using#are-deleted-conversations-gone-from-backups",
        ),
        ("What does it cost?", "who wrote hamlet", None),
        ("What does it cost?", "and who wrote it?", None),
    ],
)
def test_a_question_is_understood_from_the_one_before(
    knowledge: Knowledge, earlier: str, question: str, section: str | None
) -> None:
    """What was said before completes a question, and does not make up for one about something else."""
    (found,) = knowledge.search(question, earlier=earlier, limit=1)
    assert (found.section.id if found.answers else None) == section


def test_a_follow_up_leans_on_the_section_before(knowledge: Knowledge) -> None:
    """The same words are a little more likely to mean what was just spoken of."""
    question, about = "and in prod?", "environments#how-do-i-deploy-to-another-account"
    without, after = (
        {match.section.id: match.confidence for match in knowledge.search(question, previous=previous, limit=50)}
        for previous in (None, about)
    )
    assert after[about] > without[about]
    assert {key: value for key, value in after.items() if key != about} == {
        key: value for key, value in without.items() if key != about
    }


@pytest.mark.parametrize(
    "family",
    [
        ("deploy", "deploys", "deployed", "deploying", "deployment", "deployments"),
        ("plan", "plans", "planned", "planning"),
        ("configure", "configures", "configured", "configuration"),
        ("approve", "approves", "approved", "approval"),
        ("delete", "deletes", "deleted", "deleting", "deletion"),
        ("repository", "repositories"),
    ],
)
def test_forms_of_a_word_have_one_stem(family: tuple[str, ...]) -> None:
    """A question may use any form of a word that the knowledge uses."""
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [("cost", "cost", 0), ("csot", "cost", 1), ("enviroment", "environment", 1), ("deploymnet", "deployment", 1),
     ("", "abc", 3), ("kitten", "sitting", 3)],
)  # fmt: skip
def test_typing_errors_are_counted(one: str, other: str, errors: int) -> None:
    """A letter changed, lost, added or swapped with its neighbour is one error."""
    assert edits(one, other) == edits(other, one) == errors


def test_words_are_plain() -> None:
    """Case, accents, apostrophes and signs are gone."""
    assert words("Don’t DÉPLOY `it`, e-mail me_too!") == ["dont", "deploy", "it", "e", "mail", "me", "too"]


def test_what_is_written_without_spaces_has_words_too() -> None:
    """Neighbouring signs stand for words where a script does not part them."""
    assert words("AWSの料金は?") == ["aws", "の料", "料金", "金は"]
