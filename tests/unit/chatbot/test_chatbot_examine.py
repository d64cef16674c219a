"""The commands that judge answers: conversation tests, and evaluation on questions from elsewhere."""

import json
import zipfile
from pathlib import Path

import pytest

from chatbot.examine import converse, evaluate
from chatbot.examine.dialogues import Step
from chatbot.learn import learn, patience, read

SHOP = """\
# Shop

## When are you open?

Also asked: opening_times | are you open on Sunday

From **Tuesday** to Saturday.

## Do you deliver abroad?

Also asked: shipping to other countries

Yes.
"""


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "shop.md").write_text(SHOP)
    (folder / "hello.md").write_text("# Hello\n\nAlso asked: hi\n\nHello!\n")
    return folder


def conversation_tests(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "conversations"
    folder.mkdir()
    (folder / "kind.yaml").write_text(text)
    return folder


def converse_about(tmp_path: Path, knowledge: Path, text: str, *more: str) -> int:
    return converse.main([str(conversation_tests(tmp_path, text)), "--knowledge", str(knowledge), *more])


def test_right_answers_pass(tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A question, one of two sections, words that must and must not stand there, a conversation, and no answer."""
    text = """\
- {ask: opening times, source: shop#when-are-you-open, says: [tuesday], never_says: monday}
- {ask: hi, source: [hello#hello, shop#when-are-you-open]}
- {ask: who won the world cup, source: null}
- turns:
    - {ask: "When are you open?", source: shop#when-are-you-open}
    - {ask: "and on sunday?", source: shop#when-are-you-open}
"""
    assert converse_about(tmp_path, knowledge, text, "--accuracy", "92.5") == 0
    assert capsys.readouterr().out.endswith("\n100.0 % of 5 right, at least 92.5 % wanted\n")


def test_what_falls_short_is_not_rounded_to_enough() -> None:
    """66.66… is less than 66.7."""
    results = [converse.Result("kind", Step("kind.yaml:1", "hi", ("a",)), fault) for fault in (None, None, "wrong")]
    assert converse.verdict(results, 66.7) == "66.67 % of 3 right, at least 66.7 % wanted"


@pytest.mark.parametrize("columns", [80, 120])
def test_what_failed_fits_the_terminal(
    tmp_path: Path,
    knowledge: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    """However long questions and names are, and nothing of them is lost."""
    monkeypatch.setenv("COLUMNS", str(columns))
    ask = "opening " + "times" * 30
    text = f"- {{ask: {ask}, source: shop#do-you-deliver-abroad}}\n"
    assert converse_about(tmp_path, knowledge, text) == 1
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= columns
    assert "instead of" in out
    assert out.count("times") + out.count("tim") >= 30


def test_what_was_packaged_can_be_judged(tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its index as it ships; what is no package is told in one line."""
    tests = conversation_tests(tmp_path, "- {ask: hi, source: hello#hello}\n")
    package, other = tmp_path / "lambda.zip", tmp_path / "other.zip"
    for file, name in ((package, converse.PACKAGED), (other, "something")):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, learn(knowledge))

    assert converse.main([str(tests), "--package", str(package)]) == 0
    capsys.readouterr()
    for wrong in (other, tests / "kind.yaml", tmp_path / "missing.zip"):
        assert converse.main([str(tests), "--package", str(wrong)]) == 2
        told = capsys.readouterr().err
        assert told.startswith(f"{wrong} cannot be asked (")
        assert told.endswith("): package the function again\n")


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("{ask: hi, source: shop#when-are-you-open}", "hello#hello instead of shop#when-are-you-open"),
        ("{ask: hi, source: null}", "hello#hello instead of no answer"),
        ("{ask: who won the world cup, source: hello#hello}", "no answer instead of hello#hello"),
        ("{ask: hi, source: hello#hello, says: [Bonjour]}", "does not say 'Bonjour'"),
        ("{ask: hi, source: hello#hello, never_says: hello}", "says 'hello'"),
    ],
)
def test_a_wrong_answer_is_shown_and_fails(
    tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str], case: str, why: str
) -> None:
    """The table says where, what was asked and what came; the exit code is 1 below the accuracy that is wanted."""
    text = f"- {case}\n- {{ask: hi, source: hello#hello}}\n"
    assert converse_about(tmp_path, knowledge, text, "--accuracy", "50.1") == 1
    said = capsys.readouterr()
    assert why in said.out
    assert "kind.yaml:1" in said.out
    assert said.err == "50.0 % of 2 right, at least 50.1 % wanted\n"
    assert converse.main([str(tmp_path / "conversations"), "--knowledge", str(knowledge), "--accuracy", "50"]) == 0


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", "", "no conversation test"),
        ("- hi\n", ":1", "fields such as"),
        ("- {ask: hi}\n", ":1", "'source' is missing"),
        ("- {ask: hi, source: hello#hello}\n- {ask: hi, source: null, say: x}\n", ":2", "'say' is no field"),
        ("- {ask: hi, source: hello#nobody}\n", ":1", "no section 'hello#nobody'"),
        ("- {ask: [hi], source: null}\n", ":1", "write a text here"),
        ("- turns: []\n  ask: hi\n", ":1", "'turns' is no field"),
        ("- {ask: What?, source: [}\n", ":1", "not YAML"),
    ],
)
def test_a_mistake_in_a_test_is_told_in_one_line(
    tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str], text: str, line: str, words: str
) -> None:
    """With file and line; the exit code says: your mistake."""
    assert converse_about(tmp_path, knowledge, text) == 2
    told = capsys.readouterr().err
    file = tmp_path / "conversations" / ("kind.yaml" if line else "")
    assert told.startswith(f"{file}{line}: ")
    assert words in told
    assert told.count("\n") == 1


def questions(tmp_path: Path, *lines: object) -> str:
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return str(path)


def test_shares_are_of_the_questions_in_and_out_of_scope(
    tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A section may be named by its id, its title, its slug or its file."""
    asked = questions(
        tmp_path,
        {"question": "opening times", "source": "shop#when-are-you-open"},
        {"question": "are you open on sunday", "source": "when_are_you_open"},
        {"question": "shipping to other countries", "source": "Do you deliver abroad?"},
        {"question": "hi", "source": "hello"},
        {"question": "hi", "source": "do-you-deliver-abroad"},
        "",
        {"question": "who won the world cup", "source": None},
        {"question": "hi", "source": None},
    )
    assert evaluate.main([str(knowledge), asked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["in_scope"], report["accuracy_in_scope"]) == (5, 0.8)
    assert (report["out_of_scope"], report["recall_out_of_scope"]) == (2, 0.5)
    assert evaluate.main([str(knowledge), asked]) == 0
    shown = capsys.readouterr().out
    assert "80.0%" in shown
    assert "50.0%" in shown


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no object such as"),
        ("[]", "no object such as"),
        ('{"question": "hi"}', "no object such as"),
        ('{"question": 1, "source": null}', "'question' is a text"),
        ('{"question": "hi", "source": ["hello"]}', "'source' is a text or null"),
        ('{"question": "hi", "source": "nobody"}', "'nobody' names no section"),
        ('{"question": "hi", "source": "shop"}', "'shop' names no section"),
    ],
)
def test_a_line_that_cannot_be_asked_is_told(
    tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    """With file and line, and nothing is measured."""
    asked = questions(tmp_path, {"question": "hi", "source": None}, line)
    assert evaluate.main([str(knowledge), asked]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"{asked}:2: ")
    assert words in said.err
    assert not said.out


def test_what_cannot_be_asked_is_told_before_anybody_waits(
    tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learning, which says how long it takes, has not begun."""
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0)
    many = " | ".join(f"open on day {day}" for day in range(1000))
    (knowledge / "days.md").write_text(f"# Days\n\nAlso asked: {many}\n\nAll of them.\n")
    assert evaluate.main([str(knowledge), questions(tmp_path, "{")]) == 2
    assert "learning" not in capsys.readouterr().err


def test_a_name_of_two_sections_is_refused(tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not guessed which is meant."""
    (knowledge / "more.md").write_text("# More\n\n## Hello!\n\nHello again!\n")
    assert evaluate.main([str(knowledge), questions(tmp_path, {"question": "hi", "source": "hello"})]) == 2
    assert "'hello' names several sections; give its id" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["knowledge", "questions"])
def test_what_is_not_there_is_told(
    tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    """One line, and exit code 2."""
    folder = tmp_path / "nowhere" if missing == "knowledge" else knowledge
    assert evaluate.main([str(folder), str(tmp_path / "nothing.jsonl")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_line_of_questions_ends_where_json_lines_end(tmp_path: Path, knowledge: Path) -> None:
    """JSON may hold U+2028 as it is, and other programs end lines with CRLF."""
    file = tmp_path / "q.jsonl"
    file.write_bytes(
        '{"question": "a\u2028b", "source": null}\r\n\r\n{"question": "hi", "source": "hello"}\r\n'.encode()
    )
    asked = evaluate.read_questions(file, read(knowledge))
    assert [(question.text, question.source) for question in asked] == [("a\u2028b", None), ("hi", "hello#hello")]


@pytest.mark.parametrize(
    ("text", "count"), [("- turns: []\n", "0"), ("- turns:\n" + "  - {ask: hi, source: null}\n" * 1001, "1,001")]
)
def test_a_conversation_that_cannot_be_held_is_told(
    tmp_path: Path, knowledge: Path, capsys: pytest.CaptureFixture[str], text: str, count: str
) -> None:
    """Of no turns, or of more than the bot takes."""
    assert converse_about(tmp_path, knowledge, text) == 2
    assert f"kind.yaml:1: a conversation has from 1 to 1,000 turns, not {count}" in capsys.readouterr().err
