"""What is deployed: the function's zip, the API's document, and what the pipeline's later stages run with."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from delivery.archive import archive, fingerprint
from delivery.errors import DeliveryError, UsageError
from delivery.files import sha256, write_whole
from delivery.pins import PROVIDER_VERSION, PYTHON, TERRAFORM_VERSION
from delivery.progress import working
from delivery.project import Project
from delivery.record import Release, now
from delivery.vendor import compile_folder, digest, locked, vendor

NOT_SHIPPED: Final = ("learn", "learn.py", "examine", "serve", "loopback.py", "memory.py", "__pycache__")
RELEASE_FILE: Final = "release.txt"
"""What `/health` reports. In the zip, not in the function's environment: changing both takes Lambda two updates."""

MADE_BY: Final = ("archive.py", "package.py", "pins.py", "vendor.py")
"""Modules of this package whose change makes another zip of the same sources."""


def package(project: Project, *, with_delivery: bool = False, environment: Mapping[str, str] = os.environ) -> None:
    """Write ``build/lambda.zip`` and ``build/openapi.json``, unless they already stand for what lies here.

    With ``with_delivery`` also ``build/delivery/`` and ``build/release.json``. Raises ``UsageError`` in a folder that
    is not the project's, or under another Python than the function's; ``DeliveryError`` when a part cannot be made.
    """
    if sys.version_info[:2] != PYTHON:
        raise UsageError(
            f"this is Python {sys.version_info.major}.{sys.version_info.minor}, but the function runs on "
            f"{'.'.join(map(str, PYTHON))}: use .venv/bin/python"
        )
    packages = locked(project.root / "Pipfile.lock", "lambda")
    inputs = _inputs(project, digest("lambda", packages))
    with _alone(project.build):
        if not _is_current(project.build, inputs):
            dependencies = vendor("lambda", packages, project.build / "cache")
            with working("packaging the function"):
                _build(project, dependencies, inputs)
        if with_delivery:
            _add_delivery(project)
            _write_release(project, environment)


def _inputs(project: Project, dependencies: str) -> str:
    """Return the digest of everything that decides what is built."""
    sources, knowledge = project.root / "lambda" / "chatbot", project.root / "knowledge"
    for folder in (sources, knowledge):
        if not folder.is_dir():
            raise UsageError(f"there is no {folder}: run this in the project's folder")
    found = hashlib.sha256(dependencies.encode())
    here = Path(__file__).parent
    for path in [*(here / name for name in MADE_BY), *_everything(sources), *_everything(knowledge)]:
        name = path.name if path.parent == here else path.relative_to(project.root).as_posix()
        # What is no file counts by its name: a link that leads nowhere was meant to hold something.
        found.update(json.dumps([name, sha256(path) if path.is_file() else ""]).encode())
    return found.hexdigest()


def _everything(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts)


def _is_current(build: Path, inputs: str) -> bool:
    try:
        record = json.loads((build / "package.json").read_text())
        return bool(
            record["inputs"] == inputs
            and record["release"]
            and record["lambda_sha256"] == sha256(build / "lambda.zip")
            and record["openapi_sha256"] == sha256(build / "openapi.json")
        )
    except (OSError, ValueError, KeyError):
        return False


@contextmanager
def _alone(build: Path) -> Iterator[None]:
    """Let one packaging at a time work in ``build``; the lock ends with the process, however that ends."""
    build.mkdir(parents=True, exist_ok=True)
    with (build / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(project: Project, dependencies: Path, inputs: str) -> None:
    with tempfile.TemporaryDirectory(dir=project.build, prefix=".staging-") as name:
        staging = Path(name)
        shutil.copytree(
            project.root / "lambda" / "chatbot", staging / "chatbot", ignore=shutil.ignore_patterns(*NOT_SHIPPED)
        )
        _run(project, "chatbot.learn", str(project.root / "knowledge"), str(staging / "chatbot" / "knowledge.index"))
        openapi = _run(project, "chatbot.openapi")
        compile_folder(staging)
        release = fingerprint((dependencies, staging))
        (staging / "chatbot" / RELEASE_FILE).write_text(release)
        content = archive((dependencies, staging))
    write_whole(project.build / "openapi.json", openapi)
    write_whole(project.build / "lambda.zip", content)
    record = {
        "inputs": inputs,
        "release": release,
        "lambda_sha256": hashlib.sha256(content).hexdigest(),
        "openapi_sha256": hashlib.sha256(openapi.encode()).hexdigest(),
    }
    write_whole(project.build / "package.json", json.dumps(record, indent=2) + "\n")


def _run(project: Project, module: str, *arguments: str) -> str:
    """Run a module of the function's sources and return what it printed."""
    environment = dict(os.environ) | {"PYTHONPATH": str(project.root / "lambda")}
    command = [sys.executable, "-B", "-m", module, *arguments]
    run = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        said = (run.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise DeliveryError(f"python -m {module} failed: {said}")
    return run.stdout


def _add_delivery(project: Project) -> None:
    """Put what later stages import into ``build/delivery``, replacing it whole."""
    packages = locked(project.root / "Pipfile.lock", "delivery")
    target, mark = project.build / "delivery", digest("delivery", packages)
    marker = target / ".inputs"
    if marker.is_file() and marker.read_text() == mark:
        return
    source = vendor("delivery", packages, project.build / "cache")
    with tempfile.TemporaryDirectory(dir=project.build, prefix=".delivery-") as name:
        shutil.copytree(source, Path(name) / "new")
        (Path(name) / "new" / marker.name).write_text(mark)
        if target.exists():
            target.rename(Path(name) / "old")
        (Path(name) / "new").rename(target)


def _write_release(project: Project, environment: Mapping[str, str]) -> None:
    """Write what this build is: one record that later stages read."""
    Release(
        commit=environment.get("CODEBUILD_RESOLVED_SOURCE_VERSION") or project.head(),
        release=json.loads((project.build / "package.json").read_text())["release"],
        lambda_sha256=sha256(project.build / "lambda.zip"),
        openapi_sha256=sha256(project.build / "openapi.json"),
        created_at=now(),
        terraform_version=TERRAFORM_VERSION,
        provider_version=PROVIDER_VERSION,
    ).save(project.build / "release.json")
