"""What a build may have of this machine: its programs and its package indexes, and nothing of its user."""

import configparser
import os
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PIP_KEPT_OUT = {"PIP_CONFIG_FILE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_LOG"}
PIP_KEPT_OUT |= {"PIP_REQUIRE_VIRTUALENV", "PIP_CACHE_DIR", "PIP_SRC"}
NPM_KEPT_OUT = {"proxy", "http_proxy", "https_proxy", "https-proxy", "noproxy", "cafile"}
NPM_KEPT_OUT |= {"prefix", "userconfig", "globalconfig", "cache", "global", "loglevel", "local_prefix", "init_module"}
NPM_PREFIX = "npm_config_"


def program_folders(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the folders of ``PATH`` that belong to the machine: no virtual environment's, no project's."""
    folders = dict.fromkeys(environment.get("PATH", os.defpath).split(os.pathsep))
    return tuple(folder for folder in folders if _is_of_the_machine(Path(folder)))


def _is_of_the_machine(folder: Path) -> bool:
    in_environment = (folder.parent / "pyvenv.cfg").exists()
    return folder.is_absolute() and not in_environment and folder.parts[-2:] != ("node_modules", ".bin")


def pyenv_root(folders: tuple[str, ...]) -> dict[str, str]:
    """Return the variable without which pyenv's shims look in the build's own ``HOME``, if there are shims."""
    for folder in map(Path, folders):
        if folder.name == "shims" and (folder.parent / "versions").is_dir():
            return {"PYENV_ROOT": str(folder.parent)}
    return {}


def package_indexes(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Copy pip's and npm's configuration of this user into ``folder``; return the variables that point there.

    A company's build image has its package indexes configured as well, so these are no secrets of the caller's.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    variables = {
        name: value
        for name, value in environment.items()
        if (name.startswith("PIP_") and name not in PIP_KEPT_OUT)
        or (name.lower().startswith(NPM_PREFIX) and name.lower().removeprefix(NPM_PREFIX) not in NPM_KEPT_OUT)
    }
    _copy_pip(folder / "pip.conf", environment)
    variables["PIP_CONFIG_FILE"] = str(folder / "pip.conf")
    for kind, source in _npm_files(environment).items():
        target = folder / f"{kind}.npmrc"
        target.touch(mode=0o600)
        if source is not None and source.is_file():
            target.write_bytes(source.read_bytes())
        variables[f"NPM_CONFIG_{kind.upper()}CONFIG"] = str(target)
    return variables


def _copy_pip(target: Path, environment: Mapping[str, str]) -> None:
    """Merge the user's files in pip's own order: https://pip.pypa.io/en/stable/topics/configuration/#location."""
    home = Path(environment.get("HOME", "/"))
    settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    files = [home / ".pip/pip.conf", home / "Library/Application Support/pip/pip.conf", settings / "pip/pip.conf"]
    if named := environment.get("PIP_CONFIG_FILE"):
        files.append(Path(named))
    merged = configparser.RawConfigParser(strict=False)
    for file in files:
        try:
            merged.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will say what is wrong with a file of the machine
    for section in merged.sections():
        for option in PIP_KEPT_OUT:
            merged.remove_option(section, option.removeprefix("PIP_").lower().replace("_", "-"))
    target.touch(mode=0o600)
    with target.open("w", encoding="utf-8") as stream:
        merged.write(stream)


def _npm_files(environment: Mapping[str, str]) -> dict[str, Path | None]:
    """Return npm's configuration files: the user's and the global one, where ``npm help npmrc`` says they are."""
    lowered = {name.lower(): value for name, value in environment.items()}
    user = lowered.get(f"{NPM_PREFIX}userconfig") or Path(environment.get("HOME", "/")) / ".npmrc"
    given = lowered.get(f"{NPM_PREFIX}globalconfig")
    node = _node_prefix(environment.get("PATH", os.defpath))
    return {"user": Path(user), "global": Path(given) if given else node and node / "etc/npmrc"}


@cache
def _node_prefix(path: str) -> Path | None:
    node = shutil.which("node", path=path)
    return Path(node).resolve().parents[1] if node else None
