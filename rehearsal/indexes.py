"""The package indexes this machine is configured for, as pip and npm tell themselves."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

SECONDS = 60
PIP_DEFAULTS = """
from pip._internal.models.index import PyPI
print(PyPI.simple_url)
print("https://" + PyPI.file_storage_domain)
"""


def package_indexes() -> set[str]:
    """Return the indexes' hosts, as ``host`` or ``host:port``; a tool that is not there or fails adds none."""
    return set(hosts([*_pip(), *_npm()]))


def hosts(addresses: Iterable[str]) -> Iterator[str]:
    """Yield the host of each web address among ``addresses``, with its port if it has one."""
    for address in addresses:
        split = urlsplit(address)
        if split.scheme in ("http", "https") and split.hostname:
            yield f"{split.hostname}:{split.port}" if split.port else split.hostname


def _pip() -> Iterator[str]:
    """https://pip.pypa.io/en/stable/cli/pip_config/ shows what is configured, the rest is pip's own default."""
    yield from _output([sys.executable, "-c", PIP_DEFAULTS]).split()
    for line in _output([sys.executable, "-m", "pip", "config", "list"]).splitlines():
        yield from line.partition("=")[2].strip("'\"").replace("\\n", " ").split()


def _npm() -> Iterator[str]:
    """The registry, and those of single scopes, as ``npm help config`` names them."""
    npm = shutil.which("npm")
    settings = json.loads(_output([npm, "config", "list", "--json"]) or "{}") if npm else {}
    for name, value in settings.items():
        if isinstance(value, str) and name.endswith("registry"):
            yield value


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
