"""Locked dependencies, installed flat, without what is not needed where they run."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from delivery.errors import DeliveryError, UsageError
from delivery.pins import PYTHON
from delivery.progress import working

AWS_SERVICES: Final = {
    "lambda": ("bedrock-runtime", "dynamodb", "sts"),
    "delivery": (
        *("cloudtrail", "cloudwatch", "codebuild", "codecommit", "codedeploy", "codepipeline", "dynamodb", "lambda"),
        *("s3", "secretsmanager", "sns", "sso", "sso-oidc", "sts"),
    ),
}
"""The services whose descriptions each category keeps; botocore's others are 26 of its 28 MB."""

DROPPED: Final = ("bin", "**/tests", "**/*.pyi", "**/py.typed", "boto3/examples")
NATIVE: Final = (".so", ".pyd", ".dylib")
KEPT_METADATA: Final = re.compile(r"METADATA|licenses|(LICEN[CS]E|NOTICE|COPYING).*")


def locked(lock: Path, category: str) -> dict[str, Any]:
    """Return a category of ``Pipfile.lock``; raises ``UsageError`` where it is not there."""
    try:
        found: dict[str, Any] = json.loads(lock.read_text())[category]
    except OSError as error:
        raise UsageError(f"cannot read {lock} ({error.strerror}): run this in the project's folder") from error
    except (ValueError, KeyError) as error:
        raise UsageError(f"{lock} has no category {category!r}: run `pipenv lock`") from error
    return found


def digest(category: str, packages: dict[str, Any]) -> str:
    """Return the digest of everything that decides what ``vendor`` installs."""
    content = json.dumps([category, packages, PYTHON, Path(__file__).read_text()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def vendor(category: str, packages: dict[str, Any], cache: Path) -> Path:
    """Return a folder with ``packages`` installed and compiled, from ``cache`` if it is there.

    Raises ``DeliveryError`` when a package cannot be had, does not match its locked hash, or holds native code.
    """
    folder = cache / f"{category}-{digest(category, packages)[:16]}"
    if _is_whole(folder):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    with (
        working(f"installing the dependencies of {category}"),
        tempfile.TemporaryDirectory(dir=cache, prefix=f".{category}-") as staging,
    ):
        target = Path(staging) / category
        _install(packages, Path(staging) / "requirements.txt", target)
        _refuse_native(target)
        _prune(target, AWS_SERVICES.get(category, ()))
        compile_folder(target)
        if not folder.is_dir():
            target.rename(folder)
    return folder


def _is_whole(folder: Path) -> bool:
    """Whether ``folder`` is there with its byte-code, which whoever tidies a project up may take for rubbish."""
    return folder.is_dir() and all(_byte_code(module).exists() for module in folder.rglob("*.py"))


def _byte_code(module: Path) -> Path:
    """Return where ``compile_folder`` puts it, whatever this Python was told of its own."""
    return module.parent / "__pycache__" / f"{module.stem}.{sys.implementation.cache_tag}.pyc"


def compile_folder(folder: Path) -> None:
    """Put byte-code beside every module in ``folder``: the same bytes wherever the folder lies, valid as it is.

    https://docs.python.org/3/library/compileall.html
    """
    command = [sys.executable, "-m", "compileall", "-q", "-s", str(folder), "--invalidation-mode", "unchecked-hash"]
    run = subprocess.run(
        [*command, str(folder)], env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        raise DeliveryError(f"a module does not compile: {' '.join((run.stdout + run.stderr).split())[:500]}")


def _install(packages: dict[str, Any], requirements: Path, target: Path) -> None:
    """Install exactly ``packages``, from wheels that run anywhere: the function is arm64, a laptop may not be."""
    target.mkdir()
    requirements.write_text("".join(f"{requirement(name, packages[name])}\n" for name in sorted(packages)))
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--no-input", "--quiet"]
    platform = ["--platform", "any", "--implementation", "py", "--abi", "none"]
    version = ["--python-version", ".".join(map(str, PYTHON)), "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, *platform, *version, "--target", str(target)]
    run = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise DeliveryError(_why(run.stderr))


def requirement(name: str, package: dict[str, Any]) -> str:
    if "version" not in package or not package.get("hashes"):
        raise UsageError(
            f"Pipfile.lock pins no version and hashes of {name}: only packages from an index can be shipped"
        )
    marker = f" ; {package['markers']}" if package.get("markers") else ""
    return f"{name}{package['version']}{marker}" + "".join(f" --hash={value}" for value in package["hashes"])


def _why(said: str) -> str:
    missing = re.search(r"No matching distribution found for (\S+)", said)
    if missing:
        return (
            f"{missing[1]} cannot be installed: the package index offers no pure-Python wheel of it (native code would "
            "not run on both the function's arm64 and other machines)"
        )
    if "DO NOT MATCH THE HASHES" in said:
        name = re.search(r"^\s+(\S+==\S+|\S+) from ", said, re.MULTILINE)
        return f"{name[1] if name else 'a package'} does not match its hash in Pipfile.lock; nothing was installed"
    errors = (
        [line for line in said.splitlines() if line.startswith("ERROR:")] or said.splitlines() or ["no reason given"]
    )
    return f"pip failed: {errors[-1][:400]}"


def _refuse_native(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.suffix in NATIVE:
            name = path.relative_to(folder).as_posix()
            owners = [record.parent.name for record in folder.glob("*.dist-info/RECORD") if name in record.read_text()]
            owner = owners[0].removesuffix(".dist-info") if owners else name
            raise DeliveryError(
                f"{owner} holds native code ({name}), which may not run on arm64: choose a pure-Python package"
            )


def _prune(folder: Path, services: tuple[str, ...]) -> None:
    for pattern in DROPPED:
        for path in sorted(folder.glob(pattern)):
            _remove(path)
    for data in (folder / "botocore" / "data", folder / "boto3" / "data"):
        for path in data.glob("*"):
            if path.is_dir() and path.name not in services:
                shutil.rmtree(path)
    for path in folder.glob("*.dist-info/*"):
        if not KEPT_METADATA.fullmatch(path.name):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
