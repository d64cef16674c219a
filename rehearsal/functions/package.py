"""Deployment packages on disk: a function's zip and layers, unpacked as Lambda does."""

import calendar
import hashlib
import io
import os
import re
import shutil
import stat
import threading
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

from moto.backends import get_backend

from rehearsal.functions.deployed import Deployed
from rehearsal.protocol import ServiceError

UNZIPPED_LIMIT = 262_144_000
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

RUNTIME_CLIENT = "awslambdaric"


@dataclass(frozen=True)
class Package:
    """Where an unpacked function lies: ``task`` stands for /var/task, ``layers`` for /opt."""

    task: Path
    layers: Path


class Packages:
    """Unpacks every function version once, into a fresh folder of its own below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unpacked: dict[Deployed, Package] = {}
        self._lock = threading.Lock()

    def of(self, deployed: Deployed) -> Package:
        """Return the unpacked package of ``deployed``; raises ``ServiceError`` for a zip that Lambda would refuse."""
        with self._lock:
            if deployed not in self._unpacked:
                self._unpacked[deployed] = self._unpack(deployed)
            return self._unpacked[deployed]

    def _unpack(self, deployed: Deployed) -> Package:
        digest = hashlib.sha256(repr((deployed, sorted(deployed.variables))).encode()).hexdigest()[:12]
        target = self._folder / deployed.name / f"{deployed.version.lstrip('$')}-{digest}"
        shutil.rmtree(target, ignore_errors=True)
        package = Package(target / "task", target / "opt")
        unpack(deployed.code, package.task)
        backend = get_backend("lambda")[deployed.account][deployed.region]
        for arn in deployed.layers:
            unpack(backend.layers_versions_by_arn(arn).code_bytes, package.layers)
        return package


def unpack(code: bytes, target: Path) -> None:
    """Unpack the zip ``code`` into ``target`` with its modes and times; raises ``ServiceError`` if it is unfit."""
    target.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            members = [(member, _inside(member.filename, target)) for member in archive.infolist()]
            if sum(member.file_size for member, _ in members) > UNZIPPED_LIMIT:
                raise _unfit(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")
            # Links come last, so that no file is ever written through one.
            for member, path in sorted(members, key=lambda each: _is_link(each[0])):
                _extract(archive, member, path, target)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise _unfit(f"Could not unzip uploaded file: {error}") from error


def _inside(name: str, target: Path) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise _unfit(f"Could not unzip uploaded file: {name!r} would lie outside the function's folder")
    return target / path


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, target: Path) -> None:
    if member.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if _is_link(member):
        aim = archive.read(member).decode()
        if not (path.parent / aim).resolve().is_relative_to(target.resolve()):
            raise _unfit(f"Could not unzip uploaded file: the link {member.filename!r} leads out of it")
        path.symlink_to(aim)
        return
    with archive.open(member) as source, path.open("wb") as sink:
        shutil.copyfileobj(source, sink)
    path.chmod((member.external_attr >> 16) & 0o777 or 0o644)
    # Byte-code that is checked against its source's time needs that time.
    moment = calendar.timegm((*member.date_time, 0, 0, 0))
    os.utime(path, (moment, moment))


def _unfit(message: str) -> ServiceError:
    return ServiceError("InvalidZipFileException", message, 502)


def link_runtime(folder: Path) -> Path:
    """Make and return what stands for /var/runtime: links to the runtime client and what it requires, and nothing else.

    So a dependency that the zip forgot is missing, as on AWS; unlike there, boto3 has to be in the zip as well.
    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-dependencies
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    required = [re.split(r"[^\w-]", line)[0] for line in distribution(RUNTIME_CLIENT).requires or []]
    for name in (RUNTIME_CLIENT, *required):
        files = distribution(name).files or []
        for part in {file.parts[0] for file in files} - {"__pycache__", ".."}:
            if not part.endswith(".dist-info"):
                (folder / part).symlink_to(Path(str(distribution(name).locate_file(part))))
    return folder
