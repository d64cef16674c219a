"""What a change of the knowledge changes: builds in all their forms, compared by their own code."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from delivery.behaviour import Behaviour, compare
from delivery.builds import Section, questions_in
from delivery.errors import UsageError
from tests.packaging.bots import AFTER, BEFORE, ROOT, folder, learned, package


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What was learned before and after."""
    base = tmp_path_factory.mktemp("builds")
    before, after = folder(base / "before", BEFORE), folder(base / "after", AFTER)
    return learned(before, base / "before.index"), learned(after, base / "after.index")


def test_sections_and_questions_that_change_are_named(builds: tuple[Path, Path]) -> None:
    """Added, removed and edited sections, and each question that is answered differently, before and after."""
    found = compare(ROOT, *builds, ["who are you"])
    assert [section.id for section in found.added] == ["shop#do-you-deliver-abroad"]
    assert [section.id for section in found.removed] == ["shop#do-you-repair-kettles"]
    assert [(old.id, "six" in old.text, "seven" in new.text) for old, new in found.edited] == [
        ("shop#when-are-you-open", True, True)
    ]
    moved = {
        moved.question: (moved.before and moved.before.id, moved.after and moved.after.id) for moved in found.moved
    }
    assert moved["mend my kettle"] == ("shop#do-you-repair-kettles", None)
    assert moved["shipping to other countries"] == (None, "shop#do-you-deliver-abroad")
    assert not {"opening times", "who are you"} & moved.keys()


def test_the_report_is_markdown_that_no_text_breaks_out_of(builds: tuple[Path, Path]) -> None:
    """A bar or a tag in a text is shown as it is written."""
    told = compare(ROOT, *builds).markdown()
    assert told.startswith("# Answers\n\n")
    assert "1 reworded, 1 added, 1 removed" in told
    assert r"until \| seven in the \<evening\>" in told
    assert "| mend my kettle | shop\\#do-you-repair-kettles | *no answer* |" in told


def test_the_report_has_a_bound_and_counts_what_it_leaves_out() -> None:
    """However much changes, it fits a comment."""
    sections = tuple(Section(f"a#{number}", "A", "word " * 50, ()) for number in range(5000))
    told = Behaviour(asked=0, added=sections, removed=(), edited=(), moved=()).markdown(limit=10_000)
    assert len(told) <= 10_000
    shown = told.count("| a\\#")
    assert f"… and {5000 - shown} more." in told


def test_every_form_of_a_build_can_be_compared(builds: tuple[Path, Path], tmp_path: Path) -> None:
    """A folder, an index and a package that hold the same say the same."""
    for same in (folder(tmp_path / "knowledge", BEFORE), package(builds[0], tmp_path / "lambda.zip")):
        found = compare(ROOT, builds[0], same)
        assert [*found.added, *found.removed, *found.edited, *found.moved] == []


def test_a_package_is_asked_without_this_process_s_secrets(
    builds: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code sees no credentials."""
    path = package(builds[0], tmp_path / "lambda.zip")
    curious = tmp_path / "curious.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(curious, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "chatbot/ask.py":
                text = b"import os, sys\nsys.exit(' '.join(sorted(os.environ)))\n"
            new.writestr(name, text)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(UsageError) as told:
        compare(ROOT, builds[0], curious)
    assert "PYTHONPATH" in str(told.value)
    assert "AWS_SECRET_ACCESS_KEY" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such package"),
        (b"nonsense", "no knowledge index"),
        ("zip", "holds no chatbot/knowledge.index that can be asked"),
        ("folder", "no section to learn"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(
    builds: tuple[Path, Path], tmp_path: Path, content: bytes | str | None, words: str
) -> None:
    """With the name of what was given."""
    path = tmp_path / "given"
    if content == "folder":
        path.mkdir()
    elif content == "zip":
        data = io.BytesIO()
        zipfile.ZipFile(data, "w").close()
        path.write_bytes(data.getvalue())
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(UsageError) as told:
        compare(ROOT, builds[0], path)
    assert str(path) in str(told.value) or content == b"nonsense"
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_package_of_another_version_is_told_in_one_line(builds: tuple[Path, Path], tmp_path: Path) -> None:
    """Whatever it prints, it is called by the name that the caller has for it."""
    path = package(builds[0], tmp_path / "lambda.zip")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"print('[]')" if name == "chatbot/ask.py" else old.read(name))
    with pytest.raises(UsageError, match="the old one answers in a way of its own"):
        compare(ROOT, other, builds[1], called=("the old one", "the new one"))


def test_questions_come_from_conversation_tests_or_lines(tmp_path: Path) -> None:
    """Of a conversation the first question, which needs nothing before it."""
    tests = tmp_path / "conversations"
    tests.mkdir()
    (tests / "a.yaml").write_text("- turns: [{ask: hi, source: null}, {ask: and?, source: null}]\n")
    (tmp_path / "questions.txt").write_text("one\n\ntwo\n")
    assert questions_in(ROOT, tests) == ["hi"]
    assert questions_in(ROOT, tmp_path / "questions.txt") == ["one", "two"]
    with pytest.raises(UsageError, match="cannot be read"):
        questions_in(ROOT, tmp_path / "nothing.txt")


def test_the_command_prints_the_report(builds: tuple[Path, Path], tmp_path: Path) -> None:
    """From the project's folder, in any folder's name."""
    old = folder(tmp_path / "what was", BEFORE)
    command = [sys.executable, "-m", "delivery", "behaviour", str(old), str(builds[1])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# Answers\n")
