"""Terraform's commands, as this project runs them in a stack's folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.child import Ended, run_to_end
from delivery.diagnosis import diagnose
from delivery.errors import TerraformError
from delivery.progress import working
from delivery.project import Project, Stack
from delivery.toolchain import find_terraform, first_object, terraform_environment

LOCK_TIMEOUT = "-lock-timeout=60s"
"""How long to wait for someone else to finish, unless ``TF_CLI_ARGS_plan`` or ``TF_CLI_ARGS_apply`` say otherwise."""

CHANGES = 2
"""What a plan with changes exits with."""


@dataclass(frozen=True)
class Terraform:
    """A Terraform that fits, and the environment it runs in; every method raises ``TerraformError`` when it fails."""

    program: Path
    version: str
    environment: Mapping[str, str]

    @classmethod
    def of(cls, project: Project, environment: Mapping[str, str] = os.environ) -> "Terraform":
        """Find Terraform for ``project``, or fetch it."""
        program, version = find_terraform(project.tools, environment)
        return cls(program, version, terraform_environment(project.tools, environment))

    def init(self, stack: Stack, *options: str) -> None:
        """Prepare the stack's folder. The backend always is the one the configuration names."""
        locked = ["-lockfile=readonly"] if (stack.folder / ".terraform.lock.hcl").exists() else []
        with working(f"{stack.name}: preparing Terraform"):
            self.run(stack, "init", "-no-color", "-input=false", *locked, *(options or ("-reconfigure",)))

    def plan(self, stack: Stack, out: Path) -> bool:
        """Save a plan into the file ``out``; return whether it would change anything.

        https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
        """
        options = ("-no-color", "-input=false", "-detailed-exitcode", *self._patience("plan"), f"-out={out.absolute()}")
        with working(f"{stack.name}: planning"):
            return self._end(stack, "plan", *options, good=(0, CHANGES)).code == CHANGES

    def show(self, stack: Stack, plan: Path) -> dict[str, Any]:
        """Return a saved plan as data. https://developer.hashicorp.com/terraform/internals/json-format"""
        return first_object(self.run(stack, "show", "-no-color", "-json", str(plan.absolute())))

    def apply(self, stack: Stack, plan: Path) -> None:
        """Apply exactly the saved ``plan``, showing what happens as it happens."""
        self.run(stack, "apply", "-no-color", "-input=false", *self._patience("apply"), str(plan.absolute()), live=True)

    def run(self, stack: Stack, *arguments: str, live: bool = False) -> str:
        """Run ``terraform`` with ``arguments`` in the stack's folder and return what it printed."""
        return self._end(stack, *arguments, live=live).stdout

    def _patience(self, command: str) -> tuple[str, ...]:
        own = "lock-timeout" in self.environment.get(f"TF_CLI_ARGS_{command}", "")
        return () if own else (LOCK_TIMEOUT,)

    def _end(self, stack: Stack, *arguments: str, live: bool = False, good: tuple[int, ...] = (0,)) -> Ended:
        command = [str(self.program), *arguments]
        ended = run_to_end(command, folder=stack.folder, environment=self.environment, live=live)
        if ended.code not in good:
            what = f"terraform {arguments[0]} failed in stack {stack.name}: {diagnose(stack.name, ended.stderr)}"
            raise TerraformError(what, block=ended.stderr.strip() or ended.stdout.strip())
        return ended
