"""Git repositories that say at once when something was pushed to them."""

import json
import logging
import os
import re
import secrets
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from werkzeug.wrappers import Request, Response

from rehearsal.cloud import Cloud
from rehearsal.protocol import Caller

FULL_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
PULL_REQUEST = re.compile(r"pr/(\d+)")
ANNOUNCEMENTS = "/rehearsal/pushes"
HEADER = "X-Rehearsal-Token"
LOG = logging.getLogger(__name__)

ANNOUNCE = """\
import json, os, pathlib, sys, urllib.request
address, token, repository = json.loads(pathlib.Path(sys.argv[1]).read_text()) + [sys.argv[2]]
lines = os.fsdecode(sys.stdin.buffer.read()).split("\\n")
updates = [line.split(" ", 2) for line in lines if line]
body = json.dumps({"repository": repository, "updates": updates}).encode()
request = urllib.request.Request(address, body, {"Content-Type": "application/json", "%s": token})
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()
except OSError as error:
    print("nobody noticed this push, start the rehearsal and push again:", error, file=sys.stderr)
"""


class RepositoryError(Exception):
    """A repository, branch or commit that cannot be had; the message is one line for people."""


@dataclass(frozen=True)
class Push:
    """A branch of ``repository`` now at ``commit``; ``previous`` is ``None`` for a new branch."""

    repository: str
    branch: str
    commit: str
    previous: str | None


@dataclass(frozen=True)
class Commit:
    """What a source action tells about the commit it found."""

    id: str
    message: str
    author_date: str
    committer_date: str


class Repositories:
    """Bare repositories below ``folder``, by full id: ``owner/name``, or the plain name of a CodeCommit repository.

    ``on_push`` and every later ``listen`` are called with each branch of each push, before ``git push`` returns.
    """

    def __init__(self, folder: Path, on_push: Callable[[Push], None] | None = None) -> None:
        self._folder = folder.resolve()
        self._listeners = [on_push] if on_push else []
        self._token = secrets.token_urlsafe(32)
        self._address = self._folder / "announce.json"
        self._creation = threading.Lock()

    def listen(self, on_push: Callable[[Push], None]) -> None:
        """Tell ``on_push`` of every pushed branch as well."""
        self._listeners.append(on_push)

    def attach(self, cloud: Cloud) -> None:
        """Have pushes announced at ``cloud``'s port, and answer there. Doing it twice changes nothing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._address.touch(mode=0o600)
        self._address.write_text(json.dumps([cloud.endpoint + ANNOUNCEMENTS, self._token]))
        if self not in cloud.routes:
            cloud.routes.append(self)

    def path(self, full_id: str) -> Path:
        """Return the bare repository of ``full_id``, making it first where there is none.

        Raises ``RepositoryError`` for an id that is no repository's.
        """
        if not FULL_ID.fullmatch(full_id):
            raise RepositoryError(f"{full_id!r} is not a repository's id, expected owner/name or a CodeCommit name")
        path = self._folder / f"{full_id}.git"
        with self._creation:
            if not (path / "HEAD").is_file():
                self._create(path, full_id)
        return path

    def exists(self, full_id: str) -> bool:
        """Tell whether ``full_id`` was made already."""
        return bool(FULL_ID.fullmatch(full_id)) and (self._folder / f"{full_id}.git" / "HEAD").is_file()

    def head(self, full_id: str, branch: str) -> str | None:
        """Return the commit at the tip of ``branch``, or ``None`` where there is no such branch."""
        return self.branches(full_id).get(branch)

    def branches(self, full_id: str) -> dict[str, str]:
        """Return every branch's name and commit."""
        # for-each-ref and a look-up: no name given from outside is ever part of a command.
        listing = self._git(full_id, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")
        # Not splitlines: a branch's name may hold what Unicode calls a line's end.
        pairs = (line.split(" ", 1) for line in listing.split("\n") if line)
        return {name.removeprefix("refs/heads/"): commit for commit, name in pairs}

    def commit(self, full_id: str, commit: str) -> Commit:
        """Return what ``commit`` says of itself. Raises ``RepositoryError`` where there is no such commit."""
        self._require(full_id, commit)
        shown = self._git(full_id, "show", "--no-patch", "--format=%H%x00%aI%x00%cI%x00%B", commit)
        name, authored, committed, message = shown.split("\0", 3)
        return Commit(name, message.strip(), authored, committed)

    def changed_paths(self, push: Push) -> list[str]:
        """Return the paths that ``push`` changed; for a new branch, those of its last commit."""
        revisions = [push.previous, push.commit] if push.previous else ["--root", push.commit]
        listing = self._git(push.repository, "diff-tree", "-r", "-z", "--name-only", "--no-commit-id", *revisions)
        return [path for path in listing.split("\0") if path]

    def archive(self, full_id: str, commit: str, target: Path) -> None:
        """Write the files of ``commit`` into the zip file ``target``. Raises ``RepositoryError``."""
        self._require(full_id, commit)
        self._git(full_id, "archive", "--format=zip", f"--output={target.resolve()}", commit)

    def clone(self, full_id: str, version: str, target: Path) -> str:
        """Clone ``full_id`` into ``target`` and return the commit it stands at.

        ``version`` is a commit, a branch, a pull request such as ``pr/25``, or empty for the default branch. Raises
        ``RepositoryError``.
        """
        if COMMIT.fullmatch(version):
            commit = version
        elif pull := PULL_REQUEST.fullmatch(version):
            commit = self._git(full_id, "for-each-ref", "--format=%(objectname)", f"refs/pull/{pull[1]}/head").strip()
        else:
            commit = self.branches(full_id).get(version.removeprefix("refs/heads/") or "main", "")
        if not commit:
            raise RepositoryError(f"there is no {version or 'main'} in {full_id}, push it first")
        self._require(full_id, commit)
        _run("clone", "--quiet", "--no-checkout", str(self.path(full_id)), str(target))
        _run("-C", str(target), "fetch", "--quiet", "origin", commit)
        _run("-C", str(target), "checkout", "--quiet", "--detach", commit)
        return commit

    def route(self, request: Request, _caller: Caller, _service: str) -> Response | None:
        """Answer the hook of a repository that was pushed to."""
        if request.path != ANNOUNCEMENTS:
            return None
        if not secrets.compare_digest(request.headers.get(HEADER, "").encode(), self._token.encode()):
            return Response("wrong token\n", 403)
        announced = json.loads(request.get_data())
        for previous, commit, reference in announced["updates"]:
            if reference.startswith("refs/heads/") and commit.strip("0"):
                branch = reference.removeprefix("refs/heads/")
                self._tell(Push(announced["repository"], branch, commit, previous if previous.strip("0") else None))
        return Response(status=204)

    def _tell(self, push: Push) -> None:
        for listener in self._listeners:
            try:
                listener(push)
            except Exception:
                LOG.exception("a push to %s was not followed", push.repository)

    def _create(self, path: Path, full_id: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        script = self._folder / "announce.py"
        script.write_text(ANNOUNCE % HEADER)
        _run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path))
        hook = path / "hooks" / "post-receive"
        hook.parent.mkdir(exist_ok=True)
        # -I -S: neither the pusher's environment nor a virtual environment may reach into the hook.
        command = [sys.executable, "-I", "-S", str(script), str(self._address), full_id]
        hook.write_text(f"#!/bin/sh\nexec {shlex.join(command)}\n")
        hook.chmod(0o755)
        # A pusher's global core.hooksPath would hide the hook.
        settings = {"core.hooksPath": str(hook.parent), "gc.auto": "0", "receive.autogc": "false"}
        # A pull request's commit is on no branch.
        for name, value in (settings | {"uploadpack.allowAnySHA1InWant": "true"}).items():
            _run("-C", str(path), "config", name, value)

    def _require(self, full_id: str, commit: str) -> None:
        if not COMMIT.fullmatch(commit):
            raise RepositoryError(f"{commit!r} is not a commit's id, expected 40 hexadecimal digits")
        try:
            self._git(full_id, "cat-file", "-e", f"{commit}^{{commit}}")
        except RepositoryError as error:
            raise RepositoryError(f"there is no commit {commit} in {full_id}, push it first") from error

    def _git(self, full_id: str, *arguments: str) -> str:
        return _run(f"--git-dir={self.path(full_id)}", *arguments)


def _run(*arguments: str) -> str:
    # GIT_* of whoever started us would point git at another repository, their configuration at other behaviour.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["git", *arguments], env=clean, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RepositoryError(f"git {arguments[-1]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace")
