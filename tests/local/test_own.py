"""Making the repository a team's own: what is asked for is done, and nothing at all where it cannot be."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from own.__main__ import main

ROOT = Path(__file__).parents[2]
SETTINGS = '''"""A file that a team has written remarks into."""

from stacks.project import Environment, Project, Provider, Source

PROJECT = Project(
    name="parley",  # stays as it is
    bot_name="Parley",
    account="123456789012",
    region="eu-central-1",
    source=Source(provider=Provider.GITHUB, repository="your-team/parley", branch="main"),
    environments=(Environment(name="dev"),),
)
'''
TEA = "# Tea\n\n## How is tea made?\n\nWith hot water.\n"


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder."""
    command = ["git", "-c", "user.name=Team", "-c", "user.email=team@example.com", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the command looks at of a repository, committed."""
    root = tmp_path / "repository"
    shutil.copytree(ROOT / "lambda", root / "lambda", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in {
        ".gitignore": "__pycache__/\n",
        "stacks/settings.py": SETTINGS,
        "pyproject.toml": "[tool.ruff]\nline-length = 120\n",
        "knowledge/about.md": "# About Parley\n\n## What is Parley?\n\nA chatbot.\n",
        "knowledge/README.md": "# Writing knowledge\n",
        "tests/unit/chatbot/conftest.py": "",
        "tests/conversations/answers.yaml": '- {ask: "What is Parley?", source: about#what-is-parley}\n',
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Everything")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    """A team's knowledge."""
    folder = tmp_path / "tea"
    folder.mkdir()
    (folder / "tea.md").write_text(TEA)
    return folder


def cases(repository: Path) -> list[dict[str, str | None]]:
    """All conversation tests."""
    (file,) = (repository / "tests" / "conversations").iterdir()
    found: list[dict[str, str | None]] = yaml.safe_load(file.read_text())
    return found


def changed(repository: Path) -> list[str]:
    """The lines of the settings that are not what they were."""
    difference = git(repository, "diff", "--unified=0", "stacks/settings.py").splitlines()
    return [line[1:].strip() for line in difference if line.startswith("+") and not line.startswith("+++")]


def test_a_name_is_a_bot_with_a_first_few_answers(repository: Path) -> None:
    """Its project is named after it, and what the tests of the search speak of is put aside for them."""
    assert main(["--name", "Ada Lovelace"]) == 0

    assert changed(repository) == ['name="ada-lovelace",  # stays as it is', 'bot_name="Ada Lovelace",']
    assert "I am Ada Lovelace, a chatbot." in (repository / "knowledge" / "about.md").read_text()
    assert "# About Parley" in (repository / "tests" / "unit" / "chatbot" / "knowledge" / "about.md").read_text()
    assert (repository / "knowledge" / "README.md").is_file()
    assert cases(repository)[0] == {"ask": "Who are you?", "source": "about#who-are-you"}


def test_a_bot_that_is_renamed_later_keeps_its_project(repository: Path) -> None:
    """Its resources have that name already; and its knowledge is its team's."""
    assert main(["--name", "Ada"]) == 0
    (repository / "knowledge" / "about.md").write_text(TEA)
    assert main(["--name", "Eve"]) == 0

    assert changed(repository) == ['name="ada",  # stays as it is', 'bot_name="Eve",']
    assert (repository / "knowledge" / "about.md").read_text() == TEA


def test_every_option_is_one_setting_and_the_rest_of_the_file_stays(repository: Path) -> None:
    """Whether it stood in the file already or not."""
    options = {"--greeting": "Ahoy!", "--accent": "#7a1fa2", "--repository": "ada/bot", "--region": "eu-west-1"}
    assert main([word for option in options.items() for word in option]) == 0

    assert changed(repository) == [
        'accent="#7a1fa2",',
        'greeting="Ahoy!",',
        'region="eu-west-1",',
        'source=Source(provider=Provider.GITHUB, repository="ada/bot", branch="main"),',
    ]
    assert (repository / "knowledge" / "about.md").read_text().startswith("# About Parley")


def test_a_long_greeting_stands_on_lines_that_the_linter_takes_and_can_be_changed_again(repository: Path) -> None:
    """With quotes and all."""
    greeting = 'Good day! I am "Ada", and I know what\'s to be known about tea, ' + "black and green " * 10 + "tea."
    assert main(["--greeting", greeting]) == 0
    git(repository, "commit", "--all", "--quiet", "--message", "Greeting")
    long = (repository / "stacks" / "settings.py").read_text()
    assert main(["--greeting", "Ahoy!"]) == 0

    assert max(map(len, long.splitlines())) <= 120
    namespace: dict[str, object] = {}
    exec(long, namespace)
    assert namespace["PROJECT"].greeting == greeting  # type: ignore[attr-defined]
    assert 'greeting="Ahoy!",' in (repository / "stacks" / "settings.py").read_text()


def test_a_team_s_knowledge_takes_the_place_of_what_was_there(repository: Path, tea: Path) -> None:
    """Again and again; what the tests speak of is put aside once."""
    assert main(["--name", "Ada", "--knowledge", str(tea)]) == 0
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Tea")
    (tea / "tea.md").rename(tea / "coffee.md")
    assert main(["--knowledge", str(tea)]) == 0

    assert sorted(path.name for path in (repository / "knowledge").iterdir()) == ["README.md", "coffee.md"]
    aside = repository / "tests" / "unit" / "chatbot" / "knowledge"
    assert sorted(path.name for path in aside.iterdir()) == ["about.md"]
    assert cases(repository)[0] == {"ask": "How is tea made?", "source": "coffee#how-is-tea-made"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "nothing to do: say --name NAME"),
        (["--accent", "#ff8800"], "the nearest that has it is '#ab5b00'"),
        (["--accent", "orange"], "'orange' is no colour"),
        (["--name", "Ada", "--project", "A"], "project 'A': a name is 3 to 16"),
        (["--name", ""], "bot_name is one line"),
        (["--name", "A Bot With Quite A Name"], "project 'a-bot-with-quite-a-name': a name is 3 to 16"),
        (["--account", "12"], "account '12' is not 12 digits"),
        (["--knowledge", "nowhere"], "--knowledge nowhere: there is no such folder"),
        (["--knowledge", "lambda"], "--knowledge lambda: there is no Markdown file in it"),
        (["--knowledge", "knowledge"], "that is where the knowledge is going to be"),
    ],
)
def test_what_cannot_be_is_told_in_one_line_and_nothing_is_changed(
    repository: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    """Exit code 2, and every file as it was."""
    assert main(options) == 2

    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert git(repository, "status", "--porcelain") == ""


def test_a_readme_in_any_letters_is_no_knowledge(repository: Path, tea: Path) -> None:
    """As where it is learned; it stays where it is."""
    (tea / "readme.md").write_text("How we write.\n")
    assert main(["--name", "Ada", "--knowledge", str(tea)]) == 0
    assert sorted(path.name for path in (repository / "knowledge").iterdir()) == ["README.md", "tea.md"]


def test_knowledge_that_cannot_be_learned_is_told_with_its_file_and_line(
    repository: Path, tea: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And stays outside."""
    (tea / "tea.md").write_text("no heading\n")

    assert main(["--name", "Ada", "--knowledge", str(tea)]) == 2
    assert "tea.md:1: the file must start with a heading" in capsys.readouterr().err
    assert git(repository, "status", "--porcelain") == ""


def test_what_is_not_committed_is_not_replaced(repository: Path, tea: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Git has everything that goes, or nothing goes."""
    (repository / "knowledge" / "new.md").write_text(TEA)

    assert main(["--name", "Ada", "--knowledge", str(tea)]) == 2
    assert "knowledge/new.md has changes that are not committed" in capsys.readouterr().err
    shutil.rmtree(repository / ".git")
    assert main(["--name", "Ada", "--knowledge", str(tea)]) == 2
    assert "this folder is no git repository" in capsys.readouterr().err
    assert (repository / "stacks" / "settings.py").read_text() == SETTINGS
    assert main(["--accent", "#7a1fa2"]) == 0


def test_what_was_written_is_staged_or_it_is_told_how(
    repository: Path, tea: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new file that git does not know would not be rehearsed."""
    lock = repository / ".git" / "index.lock"
    lock.touch()

    assert main(["--name", "Ada", "--knowledge", str(tea)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "run git add --all -- knowledge tests/conversations" in said
    lock.unlink()
    git(repository, "add", "--all")
    git(repository, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "Ada")
    assert main(["--knowledge", str(tea)]) == 0
    assert "??" not in git(repository, "status", "--porcelain")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("PROJECT = (", "line 1: '(' was never closed"),
        ("OTHER = 1\n", "there is no PROJECT = Project(...)"),
        ("from x import project\n\nPROJECT = project\n", "line 3: PROJECT is not written as a call with keywords"),
    ],
)
def test_settings_of_another_form_are_left_to_their_authors(
    repository: Path, capsys: pytest.CaptureFixture[str], settings: str, said: str
) -> None:
    """The line says where to look."""
    (repository / "stacks" / "settings.py").write_text(settings)

    assert main(["--name", "Ada"]) == 2
    assert said in capsys.readouterr().err
