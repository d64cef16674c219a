"""The working tree as a commit, made and pushed without touching the user's index, HEAD, objects or hooks."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rehearsal.configuration import OWN_FOLDER
from rehearsal.errors import RehearsalError, UserError
from rehearsal.scratch import scratch

IDENTITY = {"NAME": "rehearsal", "EMAIL": "rehearsal@localhost"}
OBJECTS = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")

# Whatever the repository or its user configured to run or to sign is not for us to run.
NEUTRAL = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.safecrlf": "false",
    "core.quotePath": "false",
    "advice.addEmbeddedRepo": "false",
    "gc.auto": "0",
}


@dataclass(frozen=True)
class Change:
    """What the working tree holds: a commit, and how it differs from ``HEAD``."""

    commit: str
    tree: str
    head: str
    uncommitted: tuple[str, ...]
    untracked: tuple[str, ...]


class WorkingTree:
    """The checkout that ``folder`` lies in; what is made for it lives in a temporary folder for the ``with`` block.

    Raises ``UserError`` when there is no git, no checkout, no commit, or a merge is unfinished.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exit = ExitStack()
        self._environment: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            self._scratch = entered.enter_context(scratch())
            self._environment = self._prepared()
            self._exit = entered.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def change(self) -> Change:
        """Return the working tree's tracked files as a commit: ``HEAD`` itself when nothing is uncommitted."""
        head = self._head()
        if self._git("ls-files", "--unmerged", "-z"):
            raise UserError(f"{self._folder}: a merge is unfinished; resolve it (git status) and run this again")
        self._git("add", "--update", "--", ":/")
        tree = self._git("write-tree").strip()
        uncommitted = _names(self._git("diff-index", "--cached", "--name-only", "--no-renames", "-z", head))
        untracked = _names(
            self._git("ls-files", "--others", "--exclude-standard", f"--exclude={OWN_FOLDER}/", "-z", "--", ":/")
        )
        commit = self._commit(tree, head) if uncommitted else head
        return Change(commit, tree, head, uncommitted, untracked)

    def file(self, change: Change, path: str) -> str | None:
        """Return the text of the file at ``path`` in ``change``, if there is one: where links within it lead."""
        # https://git-scm.com/docs/git-cat-file#_batch_output
        answer = self._git("cat-file", "--batch", "--follow-symlinks", given=f"{change.tree}:{path}\n")
        head, _, text = answer.partition("\n")
        return text.removesuffix("\n") if re.fullmatch(r"[0-9a-f]+ blob [0-9]+", head) else None

    def push(self, change: Change, repository: Path, branch: str) -> bool:
        """Make ``branch`` of the bare ``repository`` the ``change``; ``False`` when its files are there already."""
        if self._try("check-ref-format", f"refs/heads/{branch}") is None:
            raise UserError(f"pyproject.toml: [tool.rehearsal] repository: {branch!r} is no branch name git allows")
        reference = f"refs/heads/{branch}"
        if self._tree_in(repository, reference) == change.tree:
            return False
        # A checkout made with --depth can be pushed only where the receiver agrees.
        receiver = "GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -c receive.shallowUpdate=true receive-pack"
        options = ("--quiet", "--force", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no")
        self._git("push", *options, f"--receive-pack={receiver}", str(repository), f"{change.commit}:{reference}")
        return True

    def _tree_in(self, repository: Path, reference: str) -> str:
        # Our own temporary folder of objects holds none of that repository's.
        environment = {name: value for name, value in self._environment.items() if name not in OBJECTS}
        arguments = (f"--git-dir={repository}", "rev-parse", "--verify", "--quiet", f"{reference}^{{tree}}")
        return self._run(arguments, environment).stdout.strip()

    def _prepared(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment = clean | {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        if self._try("rev-parse", "--is-inside-work-tree") != "true\n":
            raise UserError(
                f"{self._folder} is no git checkout; the pipeline's source is a commit: git init, git add, git commit"
            )
        index, objects = (self._path(name) for name in ("index", "objects"))
        scratch = {
            "GIT_INDEX_FILE": str(self._scratch / "index"),
            "GIT_OBJECT_DIRECTORY": str(self._scratch / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(objects),
        }
        (self._scratch / "objects").mkdir()
        if index.is_file():
            # With its time: git takes a file as old as the index for one that may have changed since.
            shutil.copy2(index, self._scratch / "index")
        identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in IDENTITY.items()}
        return dict(self._environment) | scratch | identity

    def _path(self, name: str) -> Path:
        """Resolve what git keeps under ``name``, wherever a linked worktree has it."""
        return self._folder / self._git("rev-parse", "--git-path", name).removesuffix("\n")

    def _head(self) -> str:
        head = self._try("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if head is None:
            raise UserError(f"{self._folder} has no commit yet; make the first one: git add, git commit")
        return head.strip()

    def _commit(self, tree: str, head: str) -> str:
        return self._git("commit-tree", "--no-gpg-sign", "-p", head, "-m", "Working tree, rehearsed", tree).strip()

    def _git(self, *arguments: str, given: str = "") -> str:
        result = self._run(arguments, given=given)
        if result.returncode:
            message = " ".join(result.stderr.split()) or f"ended with {result.returncode}"
            raise RehearsalError(f"git {arguments[0]} in {self._folder} failed: {message}")
        return result.stdout

    def _try(self, *arguments: str) -> str | None:
        result = self._run(arguments)
        return None if result.returncode else result.stdout

    def _run(
        self, arguments: tuple[str, ...], environment: Mapping[str, str] | None = None, *, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        settings = [word for name, value in NEUTRAL.items() for word in ("-c", f"{name}={value}")]
        try:
            return subprocess.run(
                ["git", *settings, *arguments],
                cwd=self._folder,
                env=environment or self._environment,
                input=given,
                capture_output=True,
                text=True,
                errors="surrogateescape",
            )
        except FileNotFoundError:
            raise UserError("git is not on PATH; install it, the pipeline's source is a git commit") from None


def _names(output: str) -> tuple[str, ...]:
    return tuple(name for name in output.split("\0") if name)


def _quoted(folder: Path) -> str:
    """Quote ``folder`` for a list that is split at colons; git unquotes C-style strings there."""
    text = str(folder)
    if not any(character in text for character in ':"\\\n'):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
