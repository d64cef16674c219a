"""The working tree becomes a commit, and the user's repository does not notice."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.errors import UserError
from rehearsal.workingtree import Change, WorkingTree

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody who has an identity."""
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, env=CLEAN, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit of one file."""
    folder = tmp_path / "check out"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "kept.txt").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An empty bare repository whose hook notes every push."""
    folder = tmp_path / "bare.git"
    git(tmp_path, "init", "--quiet", "--bare", str(folder))
    hook = folder / "hooks" / "post-receive"
    hook.write_text(f"#!/bin/sh\ncat >> '{tmp_path}/noticed'\n")
    hook.chmod(0o755)
    git(folder, "config", "core.hooksPath", str(hook.parent))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder for git's global configuration."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


def change_of(folder: Path) -> Change:
    """Return what the checkout holds."""
    with WorkingTree(folder) as tree:
        return tree.change()


def delivered(folder: Path, bare: Path, branch: str = "main") -> Change:
    """Push what the checkout holds."""
    with WorkingTree(folder) as tree:
        change = tree.change()
        assert tree.push(change, bare, branch)
    return change


def test_a_clean_tree_is_its_own_commit(checkout: Path, bare: Path) -> None:
    """Nothing uncommitted: HEAD itself is pushed."""
    change = delivered(checkout, bare)

    assert (change.commit, change.uncommitted) == (git(checkout, "rev-parse", "HEAD"), ())
    assert git(bare, "rev-parse", "main") == change.commit


def test_uncommitted_changes_are_included_and_untracked_files_named(checkout: Path, bare: Path) -> None:
    """Edited, staged and deleted files travel; files git does not know stay behind and are told of."""
    (checkout / "deleted.txt").write_text("gone soon")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "-m", "second")
    (checkout / "kept.txt").write_text("two\n")
    (checkout / "deleted.txt").unlink()
    (checkout / "staged.txt").write_text("new\n")
    git(checkout, "add", "staged.txt")
    (checkout / "unknown.txt").write_text("not mine\n")
    (checkout / ".rehearsal").mkdir()
    (checkout / ".rehearsal" / "cloud.json").write_text("{}")

    change = delivered(checkout, bare)

    assert change.uncommitted == ("deleted.txt", "kept.txt", "staged.txt")
    assert change.untracked == ("unknown.txt",)
    assert git(bare, "ls-tree", "--name-only", "main").split() == ["kept.txt", "staged.txt"]
    assert git(bare, "show", "main:kept.txt") == "two"
    assert git(bare, "rev-parse", "main^") == git(checkout, "rev-parse", "HEAD")


def test_an_edit_right_after_the_commit_is_noticed(checkout: Path) -> None:
    """Neither the file's size nor its time tells that it changed: its content does."""
    (checkout / "kept.txt").write_text("two\n")
    written = int((checkout / "kept.txt").stat().st_ctime)
    while int(time.time()) <= written:
        time.sleep(0.02)

    assert change_of(checkout).uncommitted == ("kept.txt",)


def test_the_users_repository_stays_as_it_was(checkout: Path, bare: Path) -> None:
    """Index, HEAD, branches and objects are the same before and after."""
    (checkout / "kept.txt").write_text("two\n")
    (checkout / "staged.txt").write_text("new\n")
    git(checkout, "add", "staged.txt")
    before = {path: path.read_bytes() for path in sorted((checkout / ".git").rglob("*")) if path.is_file()}

    delivered(checkout, bare)

    after = {path: path.read_bytes() for path in sorted((checkout / ".git").rglob("*")) if path.is_file()}
    assert after == before


def test_the_same_files_are_not_pushed_twice(checkout: Path, bare: Path) -> None:
    """A branch that holds exactly these files is left alone, whatever its commit is called."""
    (checkout / "kept.txt").write_text("two\n")
    delivered(checkout, bare)
    # The same files as another commit.
    git(checkout, "commit", "--quiet", "--all", "-m", "second")

    with WorkingTree(checkout) as tree:
        assert not tree.push(tree.change(), bare, "main")


def test_history_that_was_rewritten_is_pushed_all_the_same(checkout: Path, bare: Path) -> None:
    """An amended commit replaces what the branch held."""
    delivered(checkout, bare)
    (checkout / "kept.txt").write_text("other\n")
    git(checkout, "commit", "--quiet", "--all", "--amend", "-m", "other")

    delivered(checkout, bare)

    assert git(bare, "rev-parse", "main") == git(checkout, "rev-parse", "HEAD")


def test_the_users_hooks_do_not_run_and_the_repositorys_does(
    checkout: Path, bare: Path, home: Path, tmp_path: Path
) -> None:
    """Hooks of the checkout, hooks and signatures of the global configuration: none of them takes part."""
    evil = home / "hooks"
    evil.mkdir()
    for folder in (evil, checkout / ".git" / "hooks"):
        for name in (
            "pre-commit",
            "pre-push",
            "post-index-change",
            "reference-transaction",
            "post-receive",
            "fsmonitor",
        ):
            (folder / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\nexit 1\n")
            (folder / name).chmod(0o755)
    git(checkout, "config", "core.fsmonitor", str(evil / "fsmonitor"))
    (home / ".gitconfig").write_text(
        f"[core]\n hooksPath = {evil}\n autocrlf = true\n safecrlf = true\n"
        "[commit]\n gpgsign = true\n[push]\n gpgSign = true\n followTags = true\n[gpg]\n program = /bin/false\n"
    )
    (checkout / "kept.txt").write_text("two\n")

    change = delivered(checkout, bare)

    assert not (tmp_path / "ran").exists()
    assert change.commit in (tmp_path / "noticed").read_text()
    assert change.uncommitted == ("kept.txt",)


def test_somebody_without_identity_can_rehearse(checkout: Path, bare: Path, home: Path) -> None:
    """The commit has an author of its own."""
    (home / ".gitconfig").write_text("[user]\n useConfigOnly = true\n")
    (checkout / "kept.txt").write_text("two\n")

    delivered(checkout, bare)

    assert git(bare, "log", "-1", "--format=%an <%ae> %cn", "main") == "rehearsal <rehearsal@localhost> rehearsal"


@pytest.mark.parametrize("name", ["with\nnewline", 'quo"te', "-dash", "blank and 'quote'", "ünïcode", ":(top)magic"])
def test_any_file_name_travels(checkout: Path, bare: Path, name: str) -> None:
    """File names that a shell or git's path magic would trip over arrive unchanged."""
    (checkout / name).write_text("content\n")
    git(checkout, "--literal-pathspecs", "add", "--", name)
    (checkout / (name + "2")).write_text("untracked\n")

    change = delivered(checkout, bare)

    assert (change.uncommitted, change.untracked) == ((name,), (name + "2",))
    assert name in git(bare, "ls-tree", "-z", "--name-only", "main").split("\0")


def test_detached_heads_worktrees_and_subfolders_work(checkout: Path, bare: Path, tmp_path: Path) -> None:
    """Wherever the checkout is, and whatever it is on, its files are pushed."""
    worktree = tmp_path / "linked"
    git(checkout, "worktree", "add", "--quiet", "--detach", str(worktree))
    (worktree / "kept.txt").write_text("two\n")
    (worktree / "sub").mkdir()
    (worktree / "top.txt").write_text("untracked at the top")

    change = delivered(worktree / "sub", bare)

    assert (change.uncommitted, change.untracked) == (("kept.txt",), ("../top.txt",))
    assert git(bare, "show", "main:kept.txt") == "two"


def test_a_shallow_clone_can_be_pushed(checkout: Path, bare: Path, tmp_path: Path) -> None:
    """A clone made with --depth, as build servers make them, is delivered."""
    git(checkout, "commit", "--quiet", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{checkout}", "shallow")
    (tmp_path / "shallow" / "kept.txt").write_text("two\n")

    delivered(tmp_path / "shallow", bare)

    assert git(bare, "show", "main:kept.txt") == "two"


def test_a_caller_inside_a_git_hook_is_no_problem(
    checkout: Path, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR and GIT_INDEX_FILE of whoever calls lead nowhere."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nothing"))

    assert delivered(checkout, bare).uncommitted == ()


def test_branch_names_are_only_names(checkout: Path, bare: Path) -> None:
    """A name that looks like an option is a branch; one that git forbids is the user's mistake."""
    delivered(checkout, bare, "-f")
    assert git(bare, "for-each-ref", "--format=%(refname)") == "refs/heads/-f"

    with pytest.raises(UserError, match="no branch name"):
        delivered(checkout, bare, "a..b:refs/heads/main")


def test_a_folder_outside_git_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to do."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(UserError, match="no git checkout"):
        change_of(tmp_path)


def test_a_checkout_without_commit_is_refused(tmp_path: Path) -> None:
    """One line says what to do."""
    git(tmp_path, "init", "--quiet")

    with pytest.raises(UserError, match="no commit yet"):
        change_of(tmp_path)


def test_an_unfinished_merge_is_refused(checkout: Path) -> None:
    """Conflict markers are nothing to deliver."""
    git(checkout, "checkout", "--quiet", "-b", "other")
    (checkout / "kept.txt").write_text("theirs\n")
    git(checkout, "commit", "--quiet", "-am", "theirs")
    git(checkout, "checkout", "--quiet", "main")
    (checkout / "kept.txt").write_text("ours\n")
    git(checkout, "commit", "--quiet", "-am", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(checkout, "merge", "other")

    with pytest.raises(UserError, match="merge is unfinished"):
        change_of(checkout)


def test_a_machine_without_git_is_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line instead of a traceback."""
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UserError, match="git is not on PATH"):
        change_of(checkout)


def test_a_file_is_read_where_its_links_lead(checkout: Path) -> None:
    """As a build reads it: through a link, or a folder that is one; not what lies outside, nor what is no file."""
    (checkout / "specs").mkdir()
    (checkout / "specs" / "build.yml").write_text("version: 0.2\n")
    (checkout / "linked").symlink_to("specs")
    (checkout / "buildspec.yml").symlink_to("linked/build.yml")
    (checkout / "outside").symlink_to("/etc/hostname")
    git(checkout, "add", ".")

    with WorkingTree(checkout) as tree:
        change = tree.change()
        found = [tree.file(change, name) for name in ("buildspec.yml", "linked/build.yml", "outside", "specs", "none")]

    assert found == ["version: 0.2\n", "version: 0.2\n", None, None, None]
