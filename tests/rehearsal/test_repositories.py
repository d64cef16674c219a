"""Repositories notice every push at once, whoever pushes and whatever the branch is called."""

import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from rehearsal.cloud import Cloud
from rehearsal.repositories import ANNOUNCEMENTS, Push, Repositories, RepositoryError
from tests.rehearsal.pipelines import git


@pytest.fixture
def pushes() -> list[Push]:
    return []


@pytest.fixture
def repositories(tmp_path: Path, pushes: list[Push]) -> Iterator[Repositories]:
    with Cloud(account="111122223333", region="eu-central-1") as cloud:
        opened = Repositories(tmp_path / "it's a folder; really", pushes.append)
        opened.attach(cloud)
        yield opened


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


def commit(checkout: Path, name: str = "file.txt", text: str = "text") -> str:
    (checkout / name).write_text(text)
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "--allow-empty", "-m", f"Change {name}")
    return git(checkout, "rev-parse", "HEAD")


def test_a_push_is_known_when_git_push_returns(repositories: Repositories, checkout: Path, pushes: list[Push]) -> None:
    """Each pushed branch is told with its commit and the one before; tags and deletions are no pushes."""
    first = commit(checkout)
    address = str(repositories.path("acme/parley"))
    git(checkout, "push", "-q", address, "main", "main:other")
    second = commit(checkout, text="more")
    git(checkout, "tag", "v1")
    git(checkout, "push", "-q", address, "main", "v1", ":other")

    assert sorted(pushes[:2], key=lambda push: push.branch) == [
        Push("acme/parley", "main", first, None),
        Push("acme/parley", "other", first, None),
    ]
    assert pushes[2:] == [Push("acme/parley", "main", second, first)]
    assert repositories.head("acme/parley", "main") == second
    assert repositories.head("acme/parley", "other") is None


@pytest.mark.parametrize(
    "branch", ["$(touch${IFS}pwned)", "a;b&&c|d", "'quoted\"", "--upload-pack=x", "führung/ä", "x\u2028y"]
)
def test_a_branch_may_be_called_whatever_git_allows(
    repositories: Repositories, checkout: Path, pushes: list[Push], branch: str
) -> None:
    """Names reach neither a shell nor an option list, and arrive unharmed."""
    pushed = commit(checkout)
    git(checkout, "push", "-q", str(repositories.path("acme/parley")), f"HEAD:refs/heads/{branch}")

    assert pushes == [Push("acme/parley", branch, pushed, None)]
    assert repositories.head("acme/parley", branch) == pushed
    assert not list(repositories.path("acme/parley").rglob("pwned"))


def test_a_push_from_a_bare_environment_is_noticed(
    repositories: Repositories, checkout: Path, pushes: list[Push]
) -> None:
    """The hook needs nothing of the pusher's environment, and a proxy or a global hooks path does not divert it."""
    pushed = commit(checkout)
    configuration = checkout.parent / "gitconfig"
    configuration.write_text("[core]\n\thooksPath = /nonexistent\n")
    environment = {
        "PATH": os.defpath,
        "GIT_CONFIG_GLOBAL": str(configuration),
        "http_proxy": "http://127.0.0.1:1",
        "PYTHONPATH": "/nonexistent",
        "PYTHONHOME": "/nonexistent",
    }
    command = ["git", "-C", str(checkout), "push", str(repositories.path("acme/parley")), "main"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert [push.commit for push in pushes] == [pushed]


def test_a_push_that_nobody_hears_says_so(tmp_path: Path, checkout: Path) -> None:
    """When the cloud is gone the push itself succeeds, and git shows one line that says what to do."""
    with Cloud(account="111122223333", region="eu-central-1") as cloud:
        repositories = Repositories(tmp_path / "git")
        repositories.attach(cloud)
        address = str(repositories.path("acme/parley"))
    commit(checkout)
    done = subprocess.run(["git", "-C", str(checkout), "push", address, "main"], capture_output=True, text=True)

    assert done.returncode == 0
    assert "nobody noticed this push" in done.stderr


def test_a_push_is_only_believed_with_the_token(repositories: Repositories, pushes: list[Push]) -> None:
    """Anyone can reach the port; only the hook knows the token."""
    address = (repositories._folder / "announce.json").read_text().split('"')[1]
    assert address.endswith(ANNOUNCEMENTS)
    forged = {"repository": "acme/parley", "updates": [["0" * 40, "a" * 40, "refs/heads/main"]]}

    assert requests.post(address, json=forged, timeout=5).status_code == 403
    assert (
        requests.post(address, json=forged, headers={"X-Rehearsal-Token": "ü".encode()}, timeout=5).status_code == 403
    )
    assert pushes == []
    assert (repositories._folder / "announce.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("full_id", ["../outside", "a/../../b", "/etc", "", "a//b", ".git", "-x", "a/.hidden", "a\nb"])
def test_an_id_that_leaves_the_folder_is_refused(repositories: Repositories, full_id: str) -> None:
    """A repository's id is no path to anywhere else."""
    with pytest.raises(RepositoryError, match="not a repository's id"):
        repositories.path(full_id)


def test_an_archive_holds_the_files_of_one_commit(repositories: Repositories, checkout: Path, tmp_path: Path) -> None:
    """Any commit can be archived; what is no commit's id never reaches git."""
    old = commit(checkout, text="old")
    commit(checkout, text="new")
    git(checkout, "push", "-q", str(repositories.path("acme/parley")), "main")

    repositories.archive("acme/parley", old, tmp_path / "old.zip")
    assert zipfile.ZipFile(tmp_path / "old.zip").read("file.txt") == b"old"
    for wrong in ("main", "--output=/tmp/x", "0" * 40):
        with pytest.raises(RepositoryError):
            repositories.archive("acme/parley", wrong, tmp_path / "wrong.zip")


def test_changed_paths_are_those_of_the_push(repositories: Repositories, checkout: Path, pushes: list[Push]) -> None:
    """A push of two commits changed what both did; a new branch changed what its last commit did."""
    commit(checkout, "one.txt")
    git(checkout, "push", "-q", str(repositories.path("acme/parley")), "main")
    commit(checkout, "two.txt")
    commit(checkout, "thrée\n.txt")
    git(checkout, "push", "-q", str(repositories.path("acme/parley")), "main")

    assert repositories.changed_paths(pushes[0]) == ["one.txt"]
    assert sorted(repositories.changed_paths(pushes[1])) == ["thrée\n.txt", "two.txt"]
