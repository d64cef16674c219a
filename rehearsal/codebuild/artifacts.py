"""What a build hands over: the files its buildspec names, in a zip file.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts
"""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from rehearsal.codebuild.archive import pack
from rehearsal.codebuild.buildspec import Artifact, Buildspec
from rehearsal.codebuild.record import PhaseError

MAGIC = re.compile(r"[*?\[]")
PACKAGED = "UPLOAD_ARTIFACTS"


def choose(spec: Buildspec, names: list[str]) -> dict[str, Artifact]:
    """Return the definition of each of the action's output artifacts ``names``; raises ``PhaseError``.

    One output artifact is the buildspec's own; several are its secondary artifacts of the same names.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html#action-reference-CodeBuild-output
    """
    chosen = {}
    for name in names:
        artifact = spec.secondary_artifacts.get(name) or (spec.artifact if len(names) == 1 else None)
        if artifact is None:
            where = "artifacts.files" if len(names) == 1 else f"artifacts.secondary-artifacts.{name}"
            raise PhaseError(
                "CLIENT_ERROR", f"the action's output artifact {name} is not in the buildspec, add {where}"
            )
        chosen[name] = artifact
    return chosen


def package(artifact: Artifact, *, source: Path, target: Path, note: Callable[[str], None]) -> None:
    """Write the zip file of ``artifact``, whose files lie below ``source``; raises ``PhaseError``."""
    base = source / artifact.base_directory
    if not base.is_dir():
        message = f"no matching base directory path found for {artifact.base_directory}"
        raise PhaseError("CLIENT_ERROR", message)
    found = _collect(artifact, base, note)
    if not found:
        looked_for = ", ".join(artifact.files)
        raise PhaseError(
            "CLIENT_ERROR", f"no matching artifact paths found: nothing matches {looked_for} in {base.name}"
        )
    note(f"Found {len(found)} file(s)")
    pack(found, target, keep_links=artifact.enable_symlinks)


def _collect(artifact: Artifact, base: Path, note: Callable[[str], None]) -> dict[str, Path]:
    excluded = [_pattern(each) for each in artifact.exclude_paths]
    found: dict[str, Path] = {}
    for pattern in artifact.files:
        note(f"Expanding {pattern}")
        matches = [
            each
            for each in matching(base, pattern, follow=not artifact.enable_symlinks)
            if not any(rule.fullmatch(each) for rule in excluded)
        ]
        if not matches:
            note(f"Skipping invalid file path {pattern}")
        for each in matches:
            found[PurePosixPath(each).name if artifact.discard_paths else each] = base / each
    return dict(sorted(found.items()))


def matching(base: Path, pattern: str, *, follow: bool = True) -> Iterator[str]:
    """Yield the files below ``base`` that ``pattern`` names, relative to it, hidden ones too; raises ``PhaseError``."""
    text = os.path.normpath(pattern)
    if text.startswith(("..", "/")):
        raise PhaseError("CLIENT_ERROR", f"{pattern} lies outside of its base directory, set base-directory")
    parts = PurePosixPath(text).parts
    fixed = list(_until_magic(parts[:-1]))
    rule = _pattern(text)
    return (each for each in _walk(base, "/".join(fixed), follow=follow) if rule.fullmatch(each))


def _until_magic(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        if MAGIC.search(part):
            return
        yield part


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(glob.translate(os.path.normpath(pattern), recursive=True, include_hidden=True))


def _walk(base: Path, start: str, *, follow: bool, seen: frozenset[Path] = frozenset()) -> Iterator[str]:
    """Yield every file, and every link that is to stay one, below ``start``; a link to a folder above is left out."""
    folder = base / start
    real = folder.resolve()
    if real in seen or not folder.is_dir():
        return
    for entry in os.scandir(folder):
        path = f"{start}/{entry.name}" if start else entry.name
        if entry.is_symlink() and not follow:
            yield path
        elif entry.is_dir():
            yield from _walk(base, path, follow=follow, seen=seen | {real})
        elif entry.is_file():
            yield path
