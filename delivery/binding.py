"""What a saved plan belongs to: the stack, the commit, and every file it was made from."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from delivery.errors import PlanRefusedError
from delivery.files import sha256, write_whole
from delivery.project import Stack

READ_BY_PLAN = ("*.tf.json", ".terraform.lock.hcl", "assets/**/*")


@dataclass(frozen=True)
class Binding:
    """Written beside a plan when it is made, compared before it is applied."""

    stack: str
    commit: str
    plan_sha256: str
    has_changes: bool
    files: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Save the binding."""
        write_whole(path, json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")


def digests(stack: Stack) -> dict[str, str]:
    """Return the SHA-256 of all in the stack's folder that a plan reads: configuration, provider lock, assets."""
    paths = [path for pattern in READ_BY_PLAN for path in stack.folder.glob(pattern) if path.is_file()]
    return {path.relative_to(stack.folder).as_posix(): sha256(path) for path in sorted(paths)}


def read_binding(path: Path) -> Binding:
    """Return a saved binding; raises ``PlanRefusedError`` where there is none to rely on."""
    try:
        binding = Binding(**json.loads(path.read_text()))
        dict(binding.files)
        return binding
    except (OSError, ValueError, TypeError) as error:
        raise PlanRefusedError(f"{path} does not tell what the plan belongs to ({error}): plan again") from error


def check(binding: Binding, stack: Stack, *, commit: str) -> None:
    """Raise ``PlanRefusedError`` unless ``binding`` is one of ``stack`` as it stands here."""
    if binding.stack != stack.name:
        raise PlanRefusedError(f"this is a plan for {binding.stack}, not for {stack.name}: nothing was applied")
    if binding.commit and commit and binding.commit != commit:
        raise PlanRefusedError(
            f"this plan for {stack.name} was made from commit {binding.commit}, but this is {commit}: nothing applied"
        )
    here = digests(stack)
    changed = sorted(name for name in {**here, **binding.files} if here.get(name) != binding.files.get(name))
    if changed:
        raise PlanRefusedError(
            f"{', '.join(changed[:5])} of {stack.name} changed after the plan was made: nothing was applied"
        )
