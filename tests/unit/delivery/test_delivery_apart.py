"""A stranger's program finds nothing of ours, and leaves nothing behind."""

import os
from pathlib import Path

import pytest

from delivery.apart import apart
from delivery.errors import UsageError

CONTAINER = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/secret-path"}
OURS = {"PATH": "/usr/bin:/bin", "AWS_SECRET_ACCESS_KEY": "ours", "REVIEW_TOKEN": "ours", "CODEBUILD_BUILD_ID": "x"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What the stranger sent."""
    folder = tmp_path / "branch"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_text("theirs")
    return folder


def run(source: Path, script: str, environment: dict[str, str]) -> tuple[int, list[str]]:
    """Run a shell script of the stranger's; return its exit code and the lines it left in ``seen``."""
    with apart(source, environment) as place:
        code = place.run(["sh", "-c", script], environment)
        seen = place.source / "seen"
        return code, seen.read_text().splitlines() if seen.exists() else []


def test_its_environment_holds_nothing_of_ours(source: Path) -> None:
    """Neither credentials nor what CodeBuild tells a build."""
    code, seen = run(source, "env > seen", OURS)

    assert code == 0
    assert "PATH=/usr/bin:/bin" in seen
    assert not [line for line in seen if "ours" in line or "CODEBUILD" in line]


def test_it_works_on_a_copy(source: Path) -> None:
    """What it changes there is not what anybody else reads."""
    code, _ = run(source, "echo changed > sub/file", OURS)

    assert code == 0
    assert (source / "sub" / "file").read_text() == "theirs"


def test_how_the_repository_was_fetched_stays_with_us(source: Path) -> None:
    """Git's folder may lead to whoever's token it was."""
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("[credential]")

    assert run(source, "ls -A > seen; ls .git && echo found >> seen", OURS) == (2, ["seen", "sub"])


def test_its_exit_code_is_told(source: Path) -> None:
    """A branch that does not synthesize fails."""
    assert run(source, "exit 3", OURS)[0] == 3


def test_beside_a_containers_credentials_it_is_another_user_or_does_not_run(source: Path, tmp_path: Path) -> None:
    """It can read neither our environment nor our files, gains no rights, and none of its processes outlive it."""
    private = tmp_path / "private"
    private.write_text("secret")
    script = f"""
        id -u > seen
        for file in {private} /proc/{os.getpid()}/environ; do
            cat $file >> seen 2> /dev/null || echo denied >> seen
        done
        grep NoNewPrivs /proc/self/status >> seen
        setsid sh -c 'sleep 600' & echo $! >> seen
    """
    if os.geteuid() != 0:
        with pytest.raises(UsageError, match="run the build as root"):
            run(source, script, OURS | CONTAINER)
        return
    private.chmod(0o600)

    code, (user, ours, environment, no_new_privileges, child) = run(source, script, OURS | CONTAINER)

    assert code == 0
    assert int(user) >= 60_000
    assert (ours, environment) == ("denied", "denied")
    assert no_new_privileges == "NoNewPrivs:\t1"
    stat = Path(f"/proc/{child}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"
