"""The temporary folders of rehearsals: gone with them, and with the next one after a kill."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rehearsal.scratch import scratch, sweep

KILLED = """
import os, signal
from rehearsal.scratch import scratch
with scratch() as folder:
    (folder / "build").mkdir()
    (folder / "build" / "large").write_text("x")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def killed(temporary: Path) -> Path:
    """Return the folder of a process that was killed while it had it."""
    command = [sys.executable, "-c", KILLED]
    done = subprocess.run(command, env=os.environ | {"TMPDIR": str(temporary)}, capture_output=True, text=True)
    folder = Path(done.stdout.strip())
    assert (folder / "build" / "large").exists(), done.stderr
    return folder


def test_what_a_killed_rehearsal_left_is_removed(temporary: Path) -> None:
    """A build's folder can be more than a gigabyte, and nobody else will ever look for it."""
    left = killed(temporary)

    sweep()

    assert not left.exists()


def test_what_a_killed_rehearsal_s_build_writes_while_it_ends_is_removed_the_next_time(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build ends seconds after its rehearsal; what it makes anew meanwhile is still known as abandoned."""
    left = killed(temporary)

    def rmdir(path: str, **options: int) -> None:
        (left / "build" / "late").write_text("x")
        remove(path, **options)

    remove = os.rmdir
    with monkeypatch.context() as patched:
        patched.setattr(os, "rmdir", rmdir)
        sweep()
    assert (left / "build" / "late").exists()

    sweep()

    assert not left.exists()


def test_a_living_rehearsal_keeps_its_folder(temporary: Path) -> None:
    """Until it ends, whoever sweeps meanwhile."""
    with scratch() as folder:
        (folder / "build").write_text("x")
        sweep()
        assert (folder / "build").read_text() == "x"
    assert list(temporary.iterdir()) == []


def test_what_only_looks_like_a_rehearsal_s_is_left_alone(
    temporary: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A folder without the lock is someone's; a link leads who knows where."""
    elsewhere = killed(temporary).rename(tmp_path_factory.mktemp("elsewhere") / "kept")
    (temporary / "rehearsal-link").symlink_to(elsewhere)
    (temporary / "rehearsal-notes").mkdir()

    sweep()

    assert (elsewhere / "build" / "large").exists()
    assert (temporary / "rehearsal-notes").exists()
