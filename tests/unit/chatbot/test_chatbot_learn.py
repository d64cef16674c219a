"""Learning: good files become the same index every time, bad ones are told in one clear line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.learn.__main__ import main

ROOT = Path(__file__).parents[3]
GOOD = "# Tea\n\n## How is tea made?\n\nAlso asked: brewing | a hot cuppa\n\nWith *hot* water.\n\n- and\n- leaves\n"


def folder_with(path: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (path / f"{name}.md").write_bytes(data)
    return path


def test_a_section_becomes_an_answer(tmp_path: Path) -> None:
    """Title, topic and text are kept as written; the line of phrasings is heard and not shown."""
    knowledge = Knowledge(learn(folder_with(tmp_path, drinks=GOOD)))
    (section,) = knowledge.sections
    assert (section.id, section.title, section.topic) == ("drinks#how-is-tea-made", "How is tea made?", "Tea")
    assert section.text == "With *hot* water.\n\n- and\n- leaves"
    assert knowledge.search("brewing")[0].answers
    assert knowledge.search("brewng")[0].section == section


def test_text_below_the_topic_is_a_section(tmp_path: Path) -> None:
    """What stands right under the topic is not lost."""
    knowledge = Knowledge(learn(folder_with(tmp_path, a="# Tea\n\nA drink.\n\n## More\n\nMuch.\n")))
    assert [section.title for section in knowledge.sections] == ["Tea", "More"]


def test_knowledge_of_words_that_name_nothing_is_learned(tmp_path: Path) -> None:
    """Stop words alone are found by their title, as they stand."""
    knowledge = Knowledge(learn(folder_with(tmp_path, a="# It\n\n## What is it?\n\nIt.\n\n## Who are you?\n\nMe.\n")))
    assert knowledge.search("who are you")[0].section.text == "Me."


def test_ways_to_ask_inside_code_are_code(tmp_path: Path) -> None:
    """An answer may show how ways to ask are written."""
    text = "# Tea\n\n## Make\n\nSo:\n\n```\nAlso asked: brewing\n```\n"
    (section,) = Knowledge(learn(folder_with(tmp_path, a=text))).sections
    assert "Also asked: brewing" in section.text


def test_titles_that_differ_in_a_vowel_are_two_sections(tmp_path: Path) -> None:
    """Also where vowels are marks, as in the scripts of India."""
    knowledge = Knowledge(learn(folder_with(tmp_path, a="# हिन्दी\n\n## दिन\n\nA.\n\n## दीन\n\nB.\n")))
    assert [section.id for section in knowledge.sections] == ["a#दिन", "a#दीन"]


def test_headings_inside_code_are_code(tmp_path: Path) -> None:
    """A comment in a fenced block does not cut the section in two."""
    text = "# Tea\n\n## Make\n\n```\n# boil\n## brew\n```\n\n### Then\n\nDrink.\n"
    (section,) = Knowledge(learn(folder_with(tmp_path, a=text))).sections
    assert "# boil" in section.text
    assert "Drink." in section.text


@pytest.mark.parametrize(
    "asked",
    [
        "Also asked: brewing | a hot cuppa",
        "also asked: brewing |\na hot cuppa",
        "Also asked:\n\n- brewing\n- a hot cuppa",
        "Also asked:\n* brewing\n* a hot cuppa",
        "Also asked:\n\n1. brewing\n2) a hot cuppa",
    ],
)
def test_ways_to_ask_can_be_a_line_or_a_list(tmp_path: Path, asked: str) -> None:
    """Either form is heard and not shown, and a list that follows belongs to the answer."""
    knowledge = Knowledge(learn(folder_with(tmp_path, a=f"# Tea\n\n## Make\n\n{asked}\n\n- water\n- leaves\n")))
    assert list(knowledge.asked) == [("brewing", "a hot cuppa")]
    assert knowledge.sections[0].text == "- water\n- leaves"


def test_front_matter_holds_ways_to_ask_tags_and_the_language(tmp_path: Path) -> None:
    """They belong to the sections of the file, and what YAML takes for another value stays as it is written."""
    front = "---\nlanguage: de-CH\ntags: [heiss]\nAlso_asked:\n  Tee?: [kochen, no, 1.0]\n---\n"
    text = f"{front}# Trinken\n\n## Tee?\n\nWasser.\n"
    knowledge = Knowledge(learn(folder_with(tmp_path, a=text, b="---\nalso asked: moin\n---\n# Hallo\n\nGuten Tag.\n")))
    tea, hello = knowledge.sections
    assert (tea.language, tea.text, hello.language) == ("de-CH", "Wasser.", None)
    assert list(knowledge.asked) == [("kochen", "no", "1.0"), ("moin",)]
    assert knowledge.search("heiss")[0].section == tea
    assert knowledge.search("moin")[0].section == hello


def test_hundreds_of_ways_to_ask_for_one_section_are_learned(tmp_path: Path) -> None:
    """There is no bound to a list, and a way that two sections claim decides for neither."""
    many = " | ".join(f"make tea number {number}" for number in range(600))
    text = f"# Tea\n\n## Make\n\nAlso asked: {many} | both\n\nSo.\n\n## Keep\n\nAlso asked: both\n\nDry.\n"
    knowledge = Knowledge(learn(folder_with(tmp_path, a=text)))
    assert knowledge.search("make tea number 599")[0].confidence == 1.0
    assert knowledge.search("both")[0].confidence < 1.0


def test_readme_is_not_learned_and_folders_are(tmp_path: Path) -> None:
    """README.md is for authors; files in folders below are knowledge, and their path is in the id."""
    (tmp_path / "more").mkdir()
    folder_with(tmp_path, README="not knowledge")
    folder_with(tmp_path / "more", tea=GOOD)
    assert [section.id for section in Knowledge(learn(tmp_path)).sections] == ["more/tea#how-is-tea-made"]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("", "", "empty"),
        ("\n \n", "", "empty"),
        ("Some text.\n", ":1", "must start with a heading"),
        ("\n\n## A question\n\nText\n", ":3", "must start with a heading"),
        ("intro\n# Tea\n\ntext", ":1", "must start with a heading"),
        ("# Tea\n", ":1", "no text"),
        ("# Tea\n\n## One\n\nText\n\n## Two\n\n", ":7", "'Two' holds no text"),
        ("# Tea\n\n## One\n\nAlso asked: this | that\n", ":3", "'One' holds no text"),
        ("# Tea\n\n## One\n\nText\n\n# Coffee\n\nText\n", ":7", "second topic 'Coffee'"),
        ("# Tea\n\n##\n\nText\n", ":3", "no title"),
        ("# Tea\n\n## One\n\na\n\n## one\n\nb\n", ":7", "is also at"),
        (b"# Tea\n\n## One\n\ncaf\xe9\n", ":5", "not UTF-8"),
        ("# Tea\n\n## One!\n\na\n\n## One?\n\nb\n", ":7", "is also at"),
        ("# Tea\n\n## One\n\nAlso asked:\n\nText\n", ":5", "followed by nothing"),
        ("# Tea\n\n## One\n\nAlso asked: | |\n\nText\n", ":5", "followed by nothing"),
        ("---\nlanguage: en\n# Tea\n", ":1", "no end"),
        ("---\nlanguage: [\n---\n# Tea\n\nText\n", ":3", "not YAML"),
        ("---\n\nlang: en\n---\n# Tea\n\nText\n", ":3", "'lang' is no field"),
        ("---\n- en\n---\n# Tea\n\nText\n", ":2", "fields such as"),
        ("---\nlanguage: English\n---\n# Tea\n\nText\n", ":2", "'English' is no language"),
        ("---\ntags: [{a: b}]\n---\n# Tea\n\nText\n", ":2", "write a text here"),
        ("---\nalso asked:\n  - \n---\n# Tea\n\nText\n", ":3", "write a text here"),
        (
            "---\nalso asked:\n  Coffee: [x]\n---\n# Tea\n\nText\n",
            ":3",
            "no section of this file has the title 'Coffee'",
        ),
        ("---\ntags: [x]\ntags: [y]\n---\n# Tea\n\nText\n", ":3", "'tags' is also at"),
        ("---\nalso asked:\n  Tea: x\n  Tea: y\n---\n# Tea\n\nText\n", ":4", "'Tea' is also at"),
        ("---\nalso asked: x\nalso_asked: y\n---\n# Tea\n\nText\n", ":3", "a second time"),
        ("---\nalso asked:\n  - what: is it\n---\n# Tea\n\nText\n", ":3", "put quotes around"),
        ("---\nalso asked:\n  - @you\n---\n# Tea\n\nText\n", ":3", "put texts with signs in quotes"),
        ("# Tea\n\n## A\n\nAlso asked: x\n\na\n\nb\nAlso asked: y\n", ":10", "comes first below a heading"),
        ("# Tea\n\n## A\n\n**Also asked:** x\n\na\n", ":5", "in plain letters"),
        ("---\nalso asked: [x]\n---\n# Tea\n\n## A\n\na\n\n## B\n\nb\n", ":2", "the file has 2 sections"),
    ],
)
def test_a_file_that_cannot_be_learned_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | bytes, line: str, words: str
) -> None:
    """The message names file, line and fault; the exit code says: your mistake; nothing is written."""
    folder = folder_with(tmp_path, broken=content)
    assert main([str(folder), str(tmp_path / "out.json")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith(f"{tmp_path / 'broken.md'}{line}: ")
    assert words in told
    assert not (tmp_path / "out.json").exists()


def test_a_title_used_in_two_files_is_told_with_both_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two sections with one title, the message names where both are."""
    folder = folder_with(tmp_path, a=GOOD, b=GOOD)
    assert main([str(folder), str(tmp_path / "out.json")]) == 2
    told = capsys.readouterr().err
    assert "b.md:3" in told
    assert "a.md:3" in told


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_without_knowledge_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], make: bool) -> None:
    """An empty folder and one that is not there get one line each."""
    folder = tmp_path / "knowledge"
    if make:
        folder.mkdir()
    assert main([str(folder), str(tmp_path / "out.json")]) == 2
    assert capsys.readouterr().err.startswith(f"{folder}: no ")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.symlink_to("nowhere"), "there is no such file; mend the link"),
        (lambda path: path.mkdir(), "this is a folder"),
    ],
)
def test_what_is_no_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None], words: str
) -> None:
    """A link that leads nowhere and a folder that is named like a file were meant to be knowledge."""
    folder = folder_with(tmp_path, tea=GOOD)
    make(folder / "gone.md")
    assert main([str(folder), str(tmp_path / "out.index")]) == 2
    assert capsys.readouterr().err.startswith(f"{folder / 'gone.md'}: {words}")


def test_a_file_whose_name_is_no_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An id is made from the name, so it has to be one that can be written."""
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text(GOOD)
    assert main([str(tmp_path), str(tmp_path / "out.index")]) == 2
    assert "the file's name is not UTF-8" in capsys.readouterr().err
