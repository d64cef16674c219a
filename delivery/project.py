"""The project's folder and the synthesized stacks in it."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.errors import COMMAND, UsageError
from delivery.record import Release


@dataclass(frozen=True)
class Stack:
    """One synthesized stack: a folder with ``cdk.tf.json``, ``.terraform.lock.hcl`` and its assets."""

    name: str
    folder: Path

    @property
    def configuration(self) -> dict[str, Any]:
        """The stack as Terraform reads it; raises ``UsageError`` where it is damaged."""
        try:
            configuration = json.loads((self.folder / "cdk.tf.json").read_text())
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{self.folder / 'cdk.tf.json'} is not JSON ({error}): run `make synth` again") from error
        if not isinstance(configuration, dict):
            raise UsageError(f"{self.folder / 'cdk.tf.json'} holds no stack: run `make synth` again")
        return configuration

    @property
    def environment(self) -> str:
        """The environment that the provider's default tags name; where they name none, the stack stands for itself."""
        providers = self.configuration.get("provider", {}).get("aws", [])
        tags = [
            default.get("tags", {}) for one in _listed(providers) for default in _listed(one.get("default_tags", []))
        ]
        return next((str(found["Environment"]) for found in tags if "Environment" in found), self.name)


@dataclass(frozen=True)
class Project:
    """The folder that holds ``delivery/``, and after synthesis ``cdktf.out/``."""

    root: Path

    @property
    def tools(self) -> Path:
        """Where downloaded programs and their configuration are kept."""
        return self.root / ".tools"

    @property
    def build(self) -> Path:
        """Where packages are built."""
        return self.root / "build"

    @property
    def stack_names(self) -> list[str]:
        """Every synthesized stack, sorted."""
        return sorted(path.parent.name for path in self.root.glob("cdktf.out/stacks/*/cdk.tf.json"))

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return stacks in the order in which the pipeline reaches their environments, the others after them by name.

        A stage's name begins with its environment; a stack's ends with it.
        """
        stages = self._stages()
        return sorted(names, key=lambda name: (_place(stages, name.rpartition("-")[2]), name))

    def _stages(self) -> list[str]:
        if "pipeline" not in self.stack_names:
            return []
        pipelines = self.stack("pipeline").configuration.get("resource", {}).get("aws_codepipeline", {})
        found = [stage["name"] for pipeline in pipelines.values() for stage in _listed(pipeline.get("stage", []))]
        return [name.partition("-")[0] for name in found]

    def stack(self, name: str) -> Stack:
        """Return the synthesized stack ``name``; raises ``UsageError`` naming those there are."""
        names = self.stack_names
        if not names:
            raise UsageError(f"no synthesized stack below {self.root / 'cdktf.out'}: run `make synth` first")
        if name not in names:
            raise UsageError(f"no stack {name!r} in cdktf.out/stacks: there are {', '.join(names)}")
        return Stack(name, self.root / "cdktf.out" / "stacks" / name)

    def head(self) -> str:
        """Return the commit that is checked out, or an empty string outside of a repository."""
        if not (self.root / ".git").exists():
            return ""
        command = ["git", "-C", str(self.root), "rev-parse", "--verify", "--quiet", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def commit(self) -> str:
        """Return the commit this project stands at: checked out, or as the Build stage recorded it; else empty."""
        return self.release().commit

    def release(self) -> Release:
        """Return what the Build stage recorded; in a checkout that it does not stand for, the commit alone."""
        head, path = self.head(), self.build / "release.json"
        recorded = read_release(path) if path.exists() else Release(commit=head)
        return recorded if not head or recorded.commit == head else Release(commit=head)


def read_release(path: Path) -> Release:
    """Return what ``package --with-delivery`` recorded; raises ``UsageError`` where that is not what lies there."""
    try:
        return Release.load(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} is no record of a release ({error}): run `{COMMAND} package --with-delivery`"
        ) from error


def _place(stages: list[str], environment: str) -> int:
    return stages.index(environment) if environment in stages else len(stages)


def _listed(value: Any) -> list[Any]:
    """Return a block of Terraform's JSON as a list; a single one may stand without."""
    return value if isinstance(value, list) else [value]
