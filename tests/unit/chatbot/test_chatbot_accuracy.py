"""How well the shipped knowledge answers people who phrase, and spell, as people do."""

from pathlib import Path

from chatbot.knowledge import Knowledge

QUESTIONS = Path(__file__).with_name("questions.txt")
NO_SECTION = "-"


def asked() -> tuple[tuple[str, str], ...]:
    lines = (line for line in QUESTIONS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    pairs = (line.split(" | ", maxsplit=1) for line in lines)
    return tuple((section, question) for section, question in pairs)


ANSWERABLE = tuple((section, question) for section, question in asked() if section != NO_SECTION)
OUT_OF_SCOPE = tuple(question for section, question in asked() if section == NO_SECTION)


def answer(knowledge: Knowledge, question: str) -> str | None:
    """The section that the bot would answer from, if it would answer."""
    found = knowledge.search(question, limit=1)
    return found[0].section.id if found and found[0].answers else None


def test_every_expected_section_exists(knowledge: Knowledge) -> None:
    """The table of questions names sections of the shipped knowledge, and every section is asked for."""
    assert {section for section, _ in ANSWERABLE} == {section.id for section in knowledge.sections}


def test_nine_of_ten_questions_get_the_section_that_answers_them(knowledge: Knowledge) -> None:
    """Paraphrased and misspelled questions are answered from the right section."""
    wrong = [wanted + " | " + question for wanted, question in ANSWERABLE if answer(knowledge, question) != wanted]
    assert len(ANSWERABLE) >= 60
    assert len(wrong) <= len(ANSWERABLE) // 10, "\n".join(wrong)


def test_the_bot_declines_what_it_does_not_know(knowledge: Knowledge) -> None:
    """Questions about anything else get no answer rather than a wrong one."""
    answered = [question for question in OUT_OF_SCOPE if answer(knowledge, question) is not None]
    assert len(OUT_OF_SCOPE) >= 15
    assert len(answered) <= len(OUT_OF_SCOPE) // 5, "\n".join(answered)


def test_every_title_leads_to_its_own_section(knowledge: Knowledge) -> None:
    """A suggestion is a title, so asking a title must give its section."""
    for section in knowledge.sections:
        (found, *_) = knowledge.search(section.title)
        assert found.section == section
        assert found.answers
