"""Finds Chromium, or installs it: ``python -m tests.page.chromium`` is part of ``make test``."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = (
    "the page's tests need Chromium: install it (Debian: apt-get install chromium) or name it in CHROMIUM=/path/to/it"
)
# Nothing of its own to update, report or sync, and no QUIC, which no proxy sees.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """Return the path of Chromium: what ``CHROMIUM`` names, or what is on the ``PATH``."""
    return shutil.which(os.environ.get("CHROMIUM", "")) or next(filter(None, map(shutil.which, NAMES)), None)


def arguments() -> list[str]:
    """Return Chromium's command line; its sandbox does not start under root."""
    return [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def install() -> None:
    """Install Debian's Chromium, where this machine is Debian's and we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(MISSING, file=sys.stderr)
        return
    print("setting up: Chromium for the page's tests (about a minute, once)", flush=True)
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "it gave no reason").splitlines()[-1]
            print(f"{' '.join(command)} failed: {said}; {MISSING}", file=sys.stderr)
            return


if __name__ == "__main__" and not find():
    install()
