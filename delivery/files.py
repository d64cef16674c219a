"""Files that are there whole or not at all, and what they hash to."""

import hashlib
import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes | str, *, mode: int = 0o644) -> None:
    """Write ``content`` so that no reader, and no crash, ever meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def make_writable(folder: Path) -> None:
    """Make ``folder`` if need be, and raise ``OSError`` where no file can be put into it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def shell_lines(values: Mapping[str, str]) -> str:
    """Return ``NAME='value'`` lines that a shell can source, whatever the values hold."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
