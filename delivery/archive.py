"""A zip that depends on nothing but its content."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""

FILE_MODE: Final = 0o100644
MADE_ON_UNIX: Final = 3


def archive(folders: Iterable[Path]) -> bytes:
    """Return a zip of everything in ``folders``, side by side: the same files give the same bytes, always.

    Lambda needs files readable by all. https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    files = {
        path.relative_to(folder).as_posix(): path for folder in folders for path in folder.rglob("*") if path.is_file()
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = FILE_MODE << 16
            entry.create_system = MADE_ON_UNIX
            zipped.writestr(entry, files[name].read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return content.getvalue()
