"""One shell for a whole build: what a command exports or where it goes, the next command finds.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-cmd.html
"""

import contextlib
import os
import selectors
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from signal import SIGINT, SIGKILL, SIGTERM
from typing import IO

from rehearsal import processes
from rehearsal.codebuild.limits import Halted, Limits
from rehearsal.guard import Guard

LONGEST_LINE = 64 * 1024
LARGEST_PIPE_CHUNKS = 64
POLL_SECONDS = 0.05
AT_THE_END: processes.Steps = ((SIGTERM, 2), (SIGKILL, 5))
SAVE = {"bash": "{ declare -p; declare -f; }", "sh": "{ export -p; set; }"}

AFTER = """\
{{ __status=$?; {save} >{state}.new && command mv {state}.new {state}
command printf '%s\\n' "$__status" >&8; }} 2>/dev/null
"""


class Shell:
    """A ``sh`` or ``bash`` in a session of its own, fed one command at a time; its output goes to ``print_line``."""

    def __init__(
        self,
        program: str,
        *,
        folder: Path,
        environment: Mapping[str, str],
        start_in: Path,
        limits: Limits,
        print_line: Callable[[str], None],
    ) -> None:
        self._program, self._environment, self._start_in = program, dict(environment), start_in
        self._limits, self._print_line = limits, print_line
        folder.mkdir(parents=True, mode=0o700)
        self._step, self._state, self._status = folder / "script.sh", folder / "state.sh", folder / "status"
        self._marker = f"CODEBUILD_BUILD_ID={environment['CODEBUILD_BUILD_ID']}".encode()
        self._guard = Guard(self._marker)
        self._sessions: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        os.mkfifo(self._status, 0o600)
        # Opened for reading and writing, so that it never ends; that a shell is gone is noticed otherwise.
        self._statuses = os.open(self._status, os.O_RDWR | os.O_NONBLOCK)

    def run(self, command: str) -> int:
        """Run ``command`` and return its exit status; raises ``Halted``, with no process left, when time is up."""
        process = self._process or self._start()
        self._step.write_text(command + "\n")
        after = AFTER.format(save=SAVE[self._program], state=quote(str(self._state)))
        self._feed(process, f"{{ . {quote(str(self._step))}; }} </dev/null 8>&-\n{after}")
        try:
            return self._await(process)
        except Halted:
            self._end(((SIGINT, self._limits.grace), (SIGTERM, 5), (SIGKILL, 5)))
            raise

    def export(self, name: str, value: str) -> None:
        """Set a variable for the commands to come."""
        self.run(f"export {name}={quote(value)}")

    def close(self) -> None:
        """End the shell and whatever its commands left behind, as the end of a container would."""
        if self._process is not None:
            _stream(self._process.stdin).close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
        self._end(AT_THE_END)
        self._guard.relieve()
        os.close(self._statuses)

    def _end(self, steps: processes.Steps) -> None:
        process = self._process

        def listen() -> None:
            if process is not None:
                process.poll()
                self._drain(process)

        processes.end(self._sessions, self._marker, steps=steps, hurry=self._limits.hurry, meanwhile=listen)
        if process is not None:
            self._bury(process)

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a shell; one that follows another (which said ``exit``) takes up where that one last was."""
        process = subprocess.Popen(
            [self._program, "-s"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._start_in,
            env=self._environment,
            start_new_session=True,
        )
        os.set_blocking(_stream(process.stdout).fileno(), False)
        self._process = process
        self._sessions.add(process.pid)
        self._guard.watch(process.pid)
        begin = f"exec 8>{quote(str(self._status))}\n"
        if self._state.exists():
            begin += f'{{ . {quote(str(self._state))}; cd "$PWD"; }} >/dev/null 2>&1\n'
        self._feed(process, begin)
        return process

    @staticmethod
    def _feed(process: subprocess.Popen[bytes], text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            _stream(process.stdin).write(text.encode())
            _stream(process.stdin).flush()

    def _await(self, process: subprocess.Popen[bytes]) -> int:
        with selectors.DefaultSelector() as selector:
            selector.register(_stream(process.stdout), selectors.EVENT_READ)
            selector.register(self._statuses, selectors.EVENT_READ)
            while True:
                selector.select(POLL_SECONDS)
                # A command's status is written after its last output, so what can be read now is all of it.
                status = self._read_status()
                more = self._drain(process)
                if status is not None:
                    self._flush()
                    return status
                if not more and len(selector.get_map()) > 1:
                    selector.unregister(_stream(process.stdout))
                if process.poll() is not None:
                    self._bury(process)
                    return process.returncode if process.returncode >= 0 else 128 - process.returncode
                self._limits.check()

    def _read_status(self) -> int | None:
        try:
            return int(os.read(self._statuses, 64).split()[-1])
        except BlockingIOError:
            return None

    def _drain(self, process: subprocess.Popen[bytes]) -> bool:
        """Print what is there, at most what a pipe can hold; tell whether more may come."""
        for _ in range(LARGEST_PIPE_CHUNKS):
            try:
                chunk = os.read(_stream(process.stdout).fileno(), LONGEST_LINE)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._print_line(_text(line))
            if len(self._rest) >= LONGEST_LINE:
                self._flush()
        return True

    def _flush(self) -> None:
        if self._rest:
            self._print_line(_text(self._rest))
            self._rest = b""

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        """Read the last words of a shell that is gone and let go of it."""
        process.wait()
        self._drain(process)
        self._flush()
        for stream in (_stream(process.stdin), _stream(process.stdout)):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._process = None


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("the shell was started without its pipes")
    return stream


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
