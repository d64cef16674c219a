"""Somebody else's program, run where it finds nothing of ours: neither credentials nor files, nor this process."""

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from delivery.errors import UsageError
from delivery.progress import say

KEPT: Final = (
    *("PATH", "LANG", "LC_*", "TZ", "TERM", "PYENV_ROOT", "PIP_*", "NPM_CONFIG_*", "npm_config_*"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT"),
)
"""What a build tool needs of the environment; all else stays with us."""

CONTAINER: Final = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
"""Where a container's programs get its role's credentials from, for those who know the address.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html"""

USERS: Final = range(60_000, 64_000)
"""Nobody has these ids, so everything that runs under one was started here."""

PR_SET_NO_NEW_PRIVS: Final = 38
TIMEOUT_SECONDS: Final = 1_500


@dataclass(frozen=True)
class Apart:
    """A folder for a stranger's files and programs, and the user they belong to: ``None`` for ourselves."""

    folder: Path
    user: int | None

    @property
    def source(self) -> Path:
        """Where the stranger's files lie."""
        return self.folder / "source"

    def run(self, command: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
        """Run ``command`` in the folder of the stranger's files to its end; return its exit code, 124 for too late.

        Its output goes where ours does. Nothing that it started is left running.
        """
        home = self.folder / "home"
        kept = {name: value for name, value in environment.items() if any(fnmatchcase(name, each) for each in KEPT)}
        given = kept | {"HOME": str(home), "TMPDIR": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "CI": "true"}
        process = subprocess.Popen(
            command,
            cwd=self.source,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            start_new_session=True,
            preexec_fn=_no_new_privileges if sys.platform == "linux" else None,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        try:
            return int(process.wait(TIMEOUT_SECONDS))
        except subprocess.TimeoutExpired:
            return 124
        finally:
            self._end(process)

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # Whoever left the group still is the user.
        while self.user is not None and (others := list(_processes(self.user))):
            for pid in others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def apart(source: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Apart]:
    """Copy ``source`` into a folder that lasts as long as the block, for programs in it to be run apart from us.

    Where the environment leads to the credentials of a container, they run as a user that has no part in it; this takes
    root, as CodeBuild's builds have it. Raises ``UsageError`` without.
    """
    user = None
    if any(environment.get(name) for name in CONTAINER):
        if os.geteuid() != 0:
            raise UsageError("a branch's code would share a user with the build's credentials: run the build as root")
        user = secrets.choice(USERS)
    with tempfile.TemporaryDirectory(prefix="apart-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        # Git's own folder may tell how the repository was fetched, and synthesis needs no history.
        shutil.copytree(source, folder / "source", symlinks=True, ignore=shutil.ignore_patterns(".git"))
        if user is None:
            say(
                "no container's credentials are here: the branch's code runs as this user, in an environment of its own"
            )
        else:
            _give(folder, user)
            _let_pass(environment.get("PATH", os.defpath))
        yield Apart(folder, user)


def _give(folder: Path, user: int) -> None:
    for root, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(root) / name, user, user, follow_symlinks=False)


def _let_pass(path: str) -> None:
    """Let everyone pass through, not look into, the folders that programs lie in: CodeBuild's Python is below /root."""
    for each in path.split(os.pathsep):
        for folder in (Path(each), *Path(each).parents):
            _open(folder)


def _open(folder: Path) -> None:
    if folder.is_dir() and not folder.stat().st_mode & 0o001:
        folder.chmod(folder.stat().st_mode | 0o011)


def _processes(user: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == user and not _is_dead(entry):
                yield int(entry.name)


def _is_dead(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")


def _no_new_privileges() -> None:
    # https://docs.kernel.org/userspace-api/no_new_privs.html
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
