"""Terraform, fetched from its publisher and believed only when its digest is the pinned one."""

import hashlib
import io
import os
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import DeliveryError, UsageError
from delivery.files import write_whole
from delivery.pins import TERRAFORM_SHA256, TERRAFORM_VERSION
from delivery.progress import say

PUBLISHER = "https://releases.hashicorp.com"
TIMEOUT_SECONDS = (10, 60)
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Release:
    """One published zip of Terraform. https://developer.hashicorp.com/terraform/install"""

    version: str
    platform: str
    sha256: str

    @property
    def path(self) -> str:
        """Where the zip stands below the publisher's address."""
        return f"terraform/{self.version}/terraform_{self.version}_{self.platform}.zip"


def this_platform() -> str:
    """Return this machine as Terraform names it, e.g. ``linux_arm64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{MACHINES.get(machine, machine)}"


def pinned_release(name: str | None = None) -> Release:
    """Return the pinned release for the platform ``name``; raises ``UsageError`` where its digest is not known."""
    name = name or this_platform()
    if name not in TERRAFORM_SHA256:
        known = ", ".join(sorted(TERRAFORM_SHA256))
        raise UsageError(
            f"no pinned Terraform for {name} (there is one for {known}): install {TERRAFORM_VERSION} and put it on PATH"
        )
    return Release(TERRAFORM_VERSION, name, TERRAFORM_SHA256[name])


def download(release: Release, folder: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Put the ``terraform`` of ``release`` into ``folder`` and return its path; raises ``DeliveryError``.

    ``TERRAFORM_RELEASES_URL`` names a company's own copy of the publisher's site. Proxies and certificate
    authorities are those of the environment.
    """
    url = f"{environment.get('TERRAFORM_RELEASES_URL', PUBLISHER).rstrip('/')}/{release.path}"
    content = _fetch(url)
    found = hashlib.sha256(content).hexdigest()
    if found != release.sha256:
        raise DeliveryError(f"{url} is not the pinned release: SHA-256 is {found}, not {release.sha256}; not installed")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            program = archive.read("terraform")
    except (zipfile.BadZipFile, KeyError) as error:
        raise DeliveryError(f"{url} holds no terraform program ({error}); not installed") from error
    write_whole(folder / "terraform", program, mode=0o755)
    return folder / "terraform"


def _fetch(url: str) -> bytes:
    import requests

    say(f"downloading {url}")
    content, shown = bytearray(), 0
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as response:
            response.raise_for_status()
            size = int(response.headers.get("Content-Length", 0))
            for chunk in response.iter_content(1 << 16):
                content += chunk
                if size and len(content) * 4 // size > shown:
                    shown = len(content) * 4 // size
                    say(f"  {len(content) >> 20} of {size >> 20} MiB")
    except requests.RequestException as error:
        reason = str(error).splitlines()[0][:300]
        raise DeliveryError(
            f"cannot download Terraform from {url}: {reason}; install {TERRAFORM_VERSION} and put it on PATH, "
            "or set TERRAFORM_RELEASES_URL"
        ) from error
    return bytes(content)
