"""Finding Terraform and its provider, or fetching them; and how Terraform's words are understood."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from delivery.diagnosis import diagnose
from delivery.download import Release, download, pinned_release, this_platform
from delivery.errors import DeliveryError, UsageError
from delivery.mirror import PROVIDER, configuration_file, find_mirror, mirror_folders
from delivery.pins import PROVIDER_VERSION, TERRAFORM_VERSION
from delivery.toolchain import find_terraform, first_object, fits, terraform_environment


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address it is published at."""
    folder = tmp_path / "published"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=folder)  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def publish(folder: Path, content: bytes) -> Release:
    """Publish ``content`` as a release and return it."""
    release = Release("9.9.9", "linux_amd64", hashlib.sha256(content).hexdigest())
    path = folder / release.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return release


def zipped(name: str, content: str) -> bytes:
    """A zip with one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def terraform(folder: Path, version: str) -> Path:
    """Put a program there that says it is Terraform of this version, after a warning."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "terraform"
    program.write_text(f'#!/bin/sh\necho Warning: old\necho \'{{"terraform_version": "{version}"}}\'\n')
    program.chmod(0o755)
    return program


def test_a_release_with_the_pinned_digest_is_installed(publisher: tuple[Path, str], tmp_path: Path) -> None:
    """The program is unpacked whole, and can be run."""
    folder, url = publisher
    release = publish(folder, zipped("terraform", "#!/bin/sh\necho it runs\n"))

    program = download(release, tmp_path / "tools", {"TERRAFORM_RELEASES_URL": url})

    assert program.read_text() == "#!/bin/sh\necho it runs\n"
    assert program.stat().st_mode & 0o111


def test_another_digest_is_not_installed(publisher: tuple[Path, str], tmp_path: Path) -> None:
    """What was tampered with, or cut off, leaves nothing behind."""
    folder, url = publisher
    release = publish(folder, zipped("terraform", "good"))
    (folder / release.path).write_bytes(zipped("terraform", "evil"))

    with pytest.raises(DeliveryError, match="is not the pinned release"):
        download(release, tmp_path / "tools", {"TERRAFORM_RELEASES_URL": url})
    assert not (tmp_path / "tools").exists()


def test_what_cannot_be_downloaded_is_said_in_one_line(publisher: tuple[Path, str], tmp_path: Path) -> None:
    """A missing page, a machine that is offline, a platform without a release: each with a way out."""
    release = Release("9.9.9", "linux_amd64", "0" * 64)
    for url in (publisher[1], "http://127.0.0.1:9"):
        with pytest.raises(DeliveryError, match=r"install .* and put it on PATH") as caught:
            download(release, tmp_path / "tools", {"TERRAFORM_RELEASES_URL": url})
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="no pinned Terraform for plan9_mips"):
        pinned_release("plan9_mips")


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("1.11.4", True),
        ("1.11.10", True),
        ("1.12.0", True),
        ("1.11.3", False),
        ("1.5.7", False),
        ("2.0.0", False),
        ("1.12.0-rc1", False),
        ("", False),
    ],
)
def test_versions_that_fit(version: str, good: bool) -> None:
    """At least the pinned one, before the next major, and no pre-release."""
    assert fits(version) is good


def test_the_terraform_at_hand_is_used_if_it_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An old one on PATH gives way to the one downloaded before."""
    path = terraform(tmp_path / "bin", TERRAFORM_VERSION)
    environment = {"PATH": str(path.parent)}
    assert find_terraform(tmp_path / "tools", environment)[0] == path

    terraform(tmp_path / "bin", "1.5.7")
    kept = terraform(tmp_path / "tools" / "terraform" / TERRAFORM_VERSION, TERRAFORM_VERSION)
    assert find_terraform(tmp_path / "tools", environment)[0] == kept
    assert "is version 1.5.7" in capsys.readouterr().err


@pytest.mark.parametrize(
    "provider",
    [
        f"{PROVIDER_VERSION}/{this_platform()}/program",
        f"terraform-provider-aws_{PROVIDER_VERSION}_{this_platform()}.zip",
    ],
)
@pytest.mark.parametrize("place", ["home/.terraform.d/plugins", "xdg/terraform/plugins", "opt/a/b/c"])
def test_a_mirror_is_found(tmp_path: Path, provider: str, place: str) -> None:
    """Unpacked or packed, where Terraform itself would look and somewhat further."""
    path = tmp_path / place / PROVIDER / provider
    path.parent.mkdir(parents=True)
    path.write_text("")
    environment = {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "xdg"), "XDG_DATA_DIRS": "/nowhere"}

    assert find_mirror(mirror_folders(environment, opt=tmp_path / "opt")) == tmp_path / place


def test_another_provider_version_is_no_mirror(tmp_path: Path) -> None:
    """Terraform would ask the mirror alone, and find nothing there."""
    (tmp_path / PROVIDER / "4.0.0" / this_platform()).mkdir(parents=True)

    assert find_mirror(iter([tmp_path])) is None


def test_a_configuration_of_ones_own_is_respected(tmp_path: Path) -> None:
    """But only one that exists: Terraform itself would just warn about the other."""
    own = tmp_path / "own.rc"
    environment = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(own)}
    assert configuration_file(tmp_path / "tools", environment) == tmp_path / "tools" / "terraform.rc"

    own.write_text("")
    assert configuration_file(tmp_path / "tools", environment) == own


def test_terraform_runs_without_questions_and_seldom_collects_garbage(tmp_path: Path) -> None:
    """How seldom, the caller may say."""
    environment = {"HOME": str(tmp_path), "AWS_REGION": "eu-central-1", "TF_INPUT": "1"}
    found = terraform_environment(tmp_path / "tools", environment)
    assert (found["TF_INPUT"], found["GOGC"], found["AWS_REGION"]) == ("0", "400", "eu-central-1")

    assert terraform_environment(tmp_path / "tools", environment | {"GOGC": "50"})["GOGC"] == "50"


def test_warnings_before_a_report_are_skipped() -> None:
    """Terraform prints a deprecation onto the same stream."""
    text = 'Warning: Deprecated {parameter}\n\n{"url": {"value": "https://example.org"}}\n'

    assert first_object(text) == {"url": {"value": "https://example.org"}}
    with pytest.raises(DeliveryError, match="printed no JSON"):
        first_object("Error: nothing")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("Error: No valid credential sources found", "sign in"),
        ('Error: S3 bucket "acme" does not exist', "python -m delivery bootstrap"),
        ("Error: Failed to query available provider packages", "neither in a mirror"),
        ("AccessDenied: User is not authorized to perform: s3:GetObject", "lacks a permission"),
        ("Error: something new", "mend its cause"),
    ],
)
def test_errors_come_with_advice(error: str, advice: str) -> None:
    """What to do next depends on what happened."""
    assert advice in diagnose("dev", error)
