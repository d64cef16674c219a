"""The phases that run a buildspec's commands, and what follows when one fails.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

import re
from pathlib import Path

from rehearsal.codebuild.buildspec import PHASES, Buildspec, Phase, Retry
from rehearsal.codebuild.log import Log
from rehearsal.codebuild.record import BuildRecord, PhaseError
from rehearsal.codebuild.runtimes import link_node
from rehearsal.codebuild.shell import Shell

GOES_ON_AFTER_FAILURE = ("build", "post_build")
"""Phases after whose failure the next one runs nevertheless, unless the buildspec says otherwise."""

LONGEST_COMMAND = 200


class Commands:
    """Runs the commands of ``spec`` in ``shell``."""

    def __init__(self, spec: Buildspec, shell: Shell, record: BuildRecord, log: Log, python: Path) -> None:
        self._spec, self._shell, self._record, self._log, self._python = spec, shell, record, log, python
        self.succeeding = True

    def run(self) -> bool:
        """Run all phases; tell whether the build gets as far as uploading its artifacts. Raises ``Halted``."""
        return all(self._phase(name) or self._goes_on(name) for name in PHASES)

    def _phase(self, name: str) -> bool:
        try:
            with self._record.phase(name.upper()):
                self._log.note(f"Entering phase {name.upper()}")
                self._check_runtimes(name)
                if phase := self._spec.phases.get(name):
                    self._attempts(phase)
        except PhaseError as error:
            self._log.note(f"Phase complete: {name.upper()} State: FAILED")
            self._log.note(f"Phase context status code: {error.code} Message: {error.message}")
            if self.succeeding:
                self._shell.export("CODEBUILD_BUILD_SUCCEEDING", "0")
            self.succeeding = False
            return False
        self._log.note(f"Phase complete: {name.upper()} State: SUCCEEDED")
        return True

    def _goes_on(self, name: str) -> bool:
        on_failure = self._spec.phases[name].on_failure if name in self._spec.phases else None
        if on_failure in ("ABORT", "CONTINUE"):
            return on_failure == "CONTINUE"
        return name in GOES_ON_AFTER_FAILURE

    def _check_runtimes(self, name: str) -> None:
        for language, version in self._spec.phases[name].runtimes.items() if name in self._spec.phases else ():
            if language == "nodejs":
                note = link_node(self._python / "bin", version)
            elif language == "python":
                note = ""  # the build's own Python was made of it
            else:
                message = f"the rehearsal knows no runtime {language} {version}, remove it from runtime-versions"
                raise PhaseError("YAML_FILE_ERROR", message)
            self._log.note(note or f"Selecting {language} runtime version {version}")

    def _attempts(self, phase: Phase) -> None:
        """Run the phase, and again while ``on-failure`` asks for it."""
        retry = phase.on_failure if isinstance(phase.on_failure, Retry) else Retry(count=0)
        for attempt in range(retry.count + 1):
            self._log.recent.clear()
            try:
                return self._once(phase)
            except PhaseError as error:
                if attempt == retry.count or not re.search(
                    retry.pattern, "\n".join([*self._log.recent, error.message])
                ):
                    raise
                self._log.note(f"Retrying phase {phase.name.upper()}, attempt {attempt + 2} of {retry.count + 1}")
        return None

    def _once(self, phase: Phase) -> None:
        """Run the commands until one fails, then ``finally``, whose own failure fails the phase as well."""
        errors = [error for each in (phase.commands, phase.finally_) if (error := self._sequence(each))]
        if errors:
            raise errors[0]

    def _sequence(self, commands: tuple[str, ...]) -> PhaseError | None:
        for command in commands:
            self._log.note(f"Running command {command}")
            if status := self._shell.run(command):
                shown = self._log.clean(command.strip())
                shown = shown if len(shown) <= LONGEST_COMMAND else shown[:LONGEST_COMMAND] + "..."
                message = f"Error while executing command: {' '.join(shown.split())}. Reason: exit status {status}"
                return PhaseError("COMMAND_EXECUTION_ERROR", message)
        return None
