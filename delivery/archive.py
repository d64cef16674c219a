"""A zip that depends on nothing but its content."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from delivery.files import sha256

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""

FILE_MODE: Final = 0o100644
MADE_ON_UNIX: Final = 3


SMALL: Final = 9
QUICK: Final = 1
"""A fifth of the time for a tenth more."""


def archive(folders: Iterable[Path]) -> bytes:
    """Return a zip of everything in ``folders``, side by side: the same files give the same bytes, always."""
    return pack(files(folders))


def pack(found: Iterable[tuple[str, Path]], level: int = SMALL) -> bytes:
    """Return a zip of files by the names they have in it.

    Lambda needs files readable by all. https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, path in found:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = FILE_MODE << 16
            entry.create_system = MADE_ON_UNIX
            zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, level)
    return content.getvalue()


def fingerprint(folders: Iterable[Path]) -> str:
    """Return a SHA-256 over the names and contents of everything in ``folders``, in hexadecimal."""
    found = hashlib.sha256()
    for name, path in files(folders):
        found.update(json.dumps([name, sha256(path)]).encode())
    return found.hexdigest()


def files(folders: Iterable[Path]) -> list[tuple[str, Path]]:
    """Return every file in ``folders`` and its name there, in order."""
    return sorted(
        (path.relative_to(folder).as_posix(), path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    )
