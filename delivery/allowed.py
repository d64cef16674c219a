"""What a stranger's configuration may hold, if it is to be planned with our credentials.

A plan runs what the configuration names: providers, data sources, external programs, functions that read files. So a
branch's stack is planned only if all in it stands in the tables below, from a folder that holds nothing else.
https://developer.hashicorp.com/terraform/language/syntax/json
"""

import errno
import json
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any, Final

from delivery.errors import UsageError
from delivery.files import write_whole

Json = dict[str, Any]

BLOCKS: Final = frozenset(
    {"//", "terraform", "provider", "resource", "data", "variable", "output", "locals", "moved", "removed", "import"}
)
"""Not ``module``, whose code is elsewhere, nor ``ephemeral``, ``check`` or ``action``, which run while planning."""

RESOURCES: Final = ("aws_*", "terraform_data")
DATA_SOURCES: Final = frozenset(
    {
        "aws_availability_zones",
        "aws_caller_identity",
        "aws_iam_policy_document",
        "aws_kms_alias",
        "aws_partition",
        "aws_region",
    }
)
"""Those that tell of the account what its plan tells anyway; others read secrets and objects, or run functions."""

PROVIDER: Final = frozenset({"alias", "allowed_account_ids", "assume_role", "default_tags", "region"})
"""Not ``endpoints`` or a proxy, which would send signed requests elsewhere, nor files of credentials."""

ASSUMED: Final = [{"role_arn": "${var.deploy_role_arn}"}]
FUNCTIONS: Final = frozenset(
    {
        *("abspath", "file", "filebase64", "filebase64sha256", "filebase64sha512", "fileexists", "filemd5", "fileset"),
        *("filesha1", "filesha256", "filesha512", "pathexpand", "templatefile"),
        *("nonsensitive", "rsadecrypt", "templatestring"),
    }
)
"""Functions that are refused: they read this machine's files, show what is marked as a secret, or run such functions by
a text that is put together while planning."""

# A minus before a name belongs to the name, or is one: the second is a call.
CALL: Final = re.compile(r"(?<![\w.])((?:\w+::)*\w+)(?:\s|/\*.*?\*/|(?:#|//)[^\n]*\n)*\(", re.DOTALL)
FILES: Final = frozenset({"filename", "source"})
ASSET: Final = re.compile(r"assets/(?!.*\.\.)[\w./-]+")
STACK: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
CONFIGURATION_BYTES: Final = 20_000_000
ASSETS_BYTES: Final = 500_000_000
MOST_ASSETS: Final = 10_000


def refusals(name: str, stack: Json, trusted: Json) -> list[str]:
    """Return why ``stack``, which a stranger wrote, must not be planned as ``name``; empty when it may be.

    ``trusted`` is a stack of our own, whose backend and providers it has to share.
    """
    found: list[str] = []
    for where, check in CHECKS:
        try:
            found += check(name, stack, trusted)
        except (AttributeError, TypeError, KeyError, RecursionError):
            found.append(f"{where} has a form that Terraform's JSON does not give it")
    return list(dict.fromkeys(_line(reason) for reason in found))


def adopt(name: str, folder: Path, trusted: Path, target: Path) -> list[str]:
    """Put what may be planned of the stack in ``folder`` into ``target``; return why not, where it may not be.

    ``trusted`` is the folder of a stack of our own: the provider lock is its, the backend has to be. Links, and files
    that no configuration should have, stay behind. Raises ``UsageError`` where ``trusted`` is damaged.
    """
    if not STACK.fullmatch(name):
        return ["its name is not of lower-case letters, digits and dashes"]
    try:
        text = regular(folder / "cdk.tf.json").read_text()
        # Read once and written anew: of a key that stands twice, Terraform would have seen both.
        stack = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        return [f"its cdk.tf.json cannot be read ({why})"]
    try:
        ours = json.loads((trusted / "cdk.tf.json").read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{trusted} holds no stack to compare with ({error})") from error
    if found := refusals(name, stack, ours):
        return found
    write_whole(target / "cdk.tf.json", json.dumps(stack))
    shutil.copyfile(trusted / ".terraform.lock.hcl", target / ".terraform.lock.hcl")
    return _copy_assets(folder, target)


def _copy_assets(folder: Path, target: Path) -> list[str]:
    total, assets = 0, folder / "assets"
    found = [assets, *islice(assets.rglob("*"), MOST_ASSETS)] if assets.is_symlink() or assets.exists() else []
    if len(found) > MOST_ASSETS:
        return [f"it has {MOST_ASSETS} assets or more"]
    for path in found:
        if not path.is_dir(follow_symlinks=False) and not _is_own(path):
            return ["its assets hold a link or a device"]
        if path.is_file():
            total += path.stat().st_size
            if total > ASSETS_BYTES:
                return [f"its assets are larger than {ASSETS_BYTES // 1_000_000} MB"]
            copy = target / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return []


def regular(path: Path) -> Path:
    """Return ``path`` if it is a file that lies in ``cdktf.out/stacks/NAME``, and not a link to one elsewhere."""
    if any(part.is_symlink() for part in path.parents[:3]) or not _is_own(path):
        raise OSError(errno.EINVAL, "it is no file of its own", str(path))
    if path.stat().st_size > CONFIGURATION_BYTES:
        raise OSError(errno.EFBIG, "it is too large", str(path))
    return path


def _is_own(path: Path) -> bool:
    """Tell whether ``path`` is a file of that name alone: a hard link, too, may lead to one that its maker cannot read.

    https://docs.kernel.org/admin-guide/sysctl/fs.html#protected-hardlinks
    """
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _blocks(_: str, stack: Json, __: Json) -> Iterator[str]:
    for block in stack:
        if block not in BLOCKS:
            yield f"block “{block}” is not allowed"


def _terraform(name: str, stack: Json, trusted: Json) -> Iterator[str]:
    theirs, ours = stack.get("terraform", {}), trusted.get("terraform", {})
    own = ours["backend"]["s3"] | {"key": f"{name}/terraform.tfstate"}
    if theirs.get("backend") != {"s3": own}:
        yield "its state would be kept elsewhere (terraform.backend)"
    if theirs.get("required_providers") != ours.get("required_providers"):
        yield "it needs other providers, or other versions of them (terraform.required_providers)"
    for key in theirs.keys() - {"backend", "required_providers", "required_version"}:
        yield f"terraform.{key} is not allowed"


def _providers(_: str, stack: Json, trusted: Json) -> Iterator[str]:
    for name, configurations in stack.get("provider", {}).items():
        if name not in trusted.get("provider", {}):
            yield f"provider “{name}” is not allowed"
        for configuration in _each(configurations):
            for key in configuration.keys() - PROVIDER:
                yield f"provider.{name}.{key} is not allowed"
            if configuration.get("assume_role", ASSUMED) != ASSUMED:
                yield f"provider.{name} would act as a role that it names itself"
    for name, variable in stack.get("variable", {}).items():
        if name == "deploy_role_arn" and "default" in variable:
            yield "it would act as a role that it names itself (variable.deploy_role_arn)"


def _resources(_: str, stack: Json, __: Json) -> Iterator[str]:
    for type_, group in stack.get("resource", {}).items():
        if not any(fnmatchcase(type_, pattern) for pattern in RESOURCES):
            yield f"resources of type “{type_}” are not allowed"
        for name, bodies in group.items():
            for body in _each(bodies):
                for key in ("provisioner", "connection"):
                    if key in body:
                        yield f"{type_}.{name} has a {key}, which would run programs"
                for key in FILES & body.keys():
                    if isinstance(body[key], str) and not ASSET.fullmatch(body[key]):
                        yield f"{type_}.{name} reads a file that is no asset ({key})"
    for type_ in stack.get("data", {}):
        if type_ not in DATA_SOURCES:
            yield f"data sources of type “{type_}” are not allowed"
    for body in _each(stack.get("removed", [])):
        if "provisioner" in body or "connection" in body:
            yield "a removed block has a provisioner, which would run programs"


def _functions(_: str, stack: Json, __: Json) -> Iterator[str]:
    for text in _strings(stack):
        if "${" in text or "%{" in text:
            for call in CALL.finditer(text):
                function = call[1].removeprefix("core::")
                if function in FUNCTIONS or "::" in function:
                    yield f"function {function}() is not allowed"


CHECKS: Final[tuple[tuple[str, Callable[[str, Json, Json], Iterator[str]]], ...]] = (
    ("the stack", _blocks),
    ("terraform", _terraform),
    ("provider", _providers),
    ("resource or data", _resources),
    ("an expression", _functions),
)


def _each(bodies: Any) -> list[Json]:
    """Terraform's JSON takes one block, or a list of them."""
    return bodies if isinstance(bodies, list) else [bodies]


def _strings(value: Any) -> Iterator[str]:
    """Yield every string in ``value``, keys too: both are templates."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]
