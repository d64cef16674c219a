"""What a build finds again of the builds before it: the buildspec's cache paths, kept in a folder of the rehearsal.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rehearsal import fulldisk
from rehearsal.codebuild.buildspec import Cache
from rehearsal.codebuild.links import give, keep, keeping_names

CONTAINER_HOME = "/root"
"""The home folder in CodeBuild's own images, which buildspecs name; here it is the build's home."""

HOME = re.compile(rf"^(~|{CONTAINER_HOME}|\$HOME|\$\{{HOME\}})(?=/|$)")
KEY = ".key"
EMPTY = ".empty"
"""Names the empty files of a cache."""

DRAFT = ".new"
COPIED = "copied"
"""Names the files that builds write to in place. A name is any bytes but ``/`` and NUL, which stands behind each."""

FORM = 2
"""Of what is saved: caches of another form are not found, and go when newer ones come."""

MOST_KEYS = 2
"""How many keyed caches of a project are kept: that of the lock files now, and that of those before."""

WILD_END = re.compile(r"(/\*+)+$|/+$")


class BuildCache:
    """The cache of one build, ``kept`` between builds and restored into the build's ``home`` and ``source``."""

    def __init__(
        self,
        settings: dict[str, Any],
        wanted: Cache,
        *,
        kept: Path,
        home: Path,
        source: Path,
        note: Callable[[str], None],
    ) -> None:
        self._kind = settings.get("type", "NO_CACHE") if wanted.paths else "NO_CACHE"
        if self._kind == "LOCAL" and "LOCAL_CUSTOM_CACHE" not in settings.get("modes", []):
            self._kind = "NO_CACHE"  # the other modes keep the source and Docker's layers, which cost nothing here
        self._wanted, self._kept, self._home, self._source, self._note = wanted, kept, home, source, note

    @property
    def local(self) -> bool:
        """Whether the paths are one host's own, linked rather than copied."""
        return self._kind == "LOCAL"

    def restore(self, key: str = "", fallback_keys: tuple[str, ...] = ()) -> None:
        """Bring back what an earlier build left."""
        if self._kind == "NO_CACHE" or self._wanted.action == "save":
            return
        paths = list(self._paths())
        if self._kind == "LOCAL":
            for name, target in paths:
                self._link(self._kept / "local" / name, target)
            return
        saved = self._saved(key, fallback_keys)
        if saved is not None:
            apart = _apart(saved)
            # Making links is the kernel's work, which it does for several at once.
            with ThreadPoolExecutor() as threads:
                list(threads.map(lambda path: give(saved / path[0], path[1], apart), paths))
        self._note("Cache restored" if saved else "Cache is not there yet")

    def save(self, key: str = "") -> None:
        """Keep the paths for later builds; a local cache is in place already."""
        if self._kind != "S3" or self._wanted.action == "restore":
            return
        final = self._kept / "s3" / _folder(key)
        if key and final.exists():
            return  # a keyed cache is written once
        fresh = final.with_name(f"{final.name}.{id(self)}{DRAFT}")
        try:
            self._copy_to(fresh, key)
        except OSError as error:
            # It is for later builds: this one has done what it was to do.
            self._note(f"Cache not saved: {fulldisk.explained(error, self._kept) or _first(error)}")
            shutil.rmtree(fresh, ignore_errors=True)
            return
        if fresh.exists():
            shutil.rmtree(final, ignore_errors=True)
            fresh.rename(final)
            self._note("Cache saved")
            for old in self._newest()[MOST_KEYS:]:
                shutil.rmtree(old.parent, ignore_errors=True)

    def _copy_to(self, folder: Path, key: str) -> None:
        empty: list[str] = []
        copy = keeping_names(empty)
        for name, source in self._paths():
            if source.exists():
                keep(source, folder / name, copy)
        if folder.exists():
            (folder / EMPTY).write_bytes(_listed(os.path.relpath(name, folder) for name in empty))
            (folder / KEY).write_text(key)

    def _saved(self, key: str, fallback_keys: tuple[str, ...]) -> Path | None:
        if self._kind != "S3":
            return None
        exact = self._kept / "s3" / _folder(key)
        if exact.exists():
            return self._unchanged(exact)
        if not key:
            return None
        newest = self._newest()
        starts = (file.parent for each in fallback_keys for file in newest if file.read_text().startswith(each))
        found = next(starts, None)
        return self._unchanged(found) if found else None

    def _newest(self) -> list[Path]:
        """Return the files that hold the keys of what is saved, the newest first."""
        return sorted((self._kept / "s3").glob(f"*/{KEY}"), key=lambda file: -file.stat().st_mtime)

    def _unchanged(self, saved: Path) -> Path | None:
        """Return ``saved``, unless a build wrote in place to a file that it shares with the cache."""
        written = list(_written_since(saved / KEY))
        if not written:
            return saved
        with (saved.parent / COPIED).open("ab") as names:
            names.write(_listed(written))
        name = os.fsencode(written[0]).decode(errors="replace")
        self._note(f"Cache dropped: the build before wrote to {name} in place; later builds get copies of it")
        shutil.rmtree(saved)
        return None

    def _paths(self) -> Iterator[tuple[str, Path]]:
        """Yield name and place of every path."""
        for pattern in self._wanted.paths:
            path = WILD_END.sub("", pattern)
            home = HOME.sub("", path)
            target = self._home / home.lstrip("/") if home != path else self._source / path
            inside = self._home if home != path else self._source
            plain = "*" not in path and target != inside
            if not plain or not _lies_in(target, inside):
                self._note(
                    f"The rehearsal does not cache {pattern}: name a folder below the source or {CONTAINER_HOME}"
                )
                continue
            yield hashlib.sha256(pattern.encode()).hexdigest()[:16], target

    def _link(self, kept: Path, target: Path) -> None:
        """Link a cached folder into the build; what the source brings along overrides it, as documented."""
        kept.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_symlink():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(kept, target_is_directory=True)


def forget_drafts(folder: Path) -> None:
    """Remove what was being saved below ``folder`` when a rehearsal was killed; nothing may be building there."""
    for draft in folder.glob(f"*/*/*/s3/*{DRAFT}"):
        shutil.rmtree(draft, ignore_errors=True)


def _first(error: OSError) -> str:
    """Return what went wrong; of a folder's copy, what did so first."""
    return str(error.args[0][0][2]) if isinstance(error, shutil.Error) and error.args[0] else str(error)


def _lies_in(target: Path, folder: Path) -> bool:
    return target.is_symlink() or target.resolve().is_relative_to(folder.resolve())


def _folder(key: str) -> str:
    return hashlib.sha256(f"{FORM} {key}".encode()).hexdigest()[:32]


def _written_since(mark: Path) -> Iterator[str]:
    """Yield every file beside ``mark`` with a later time of change, relative to its folder."""
    since = mark.stat().st_mtime_ns
    for folder, _, names in os.walk(mark.parent):
        for name in names:
            path = f"{folder}/{name}"
            if os.lstat(path).st_mtime_ns > since:
                yield os.path.relpath(path, mark.parent)


def _apart(folder: Path) -> dict[str, set[str]]:
    """Return, by folder, the files of the cache in ``folder`` that builds may write to in place.

    Tools replace files rather than write to them, since others may be reading. There are those that were seen to do
    so, and what tools do to an empty file: all that it can tell is its time.
    """
    found: dict[str, set[str]] = {}
    for names in (folder / EMPTY, folder.parent / COPIED):
        for name in os.fsdecode(names.read_bytes()).split("\0") if names.exists() else ():
            parent, _, file = f"{folder}/{name}".rpartition("/")
            found.setdefault(parent, set()).add(file)
    return found


def _listed(names: Iterable[str]) -> bytes:
    return os.fsencode("".join(f"{name}\0" for name in names))
