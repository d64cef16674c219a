"""The process of a function's runtime: how it starts, and what it died of."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping

from rehearsal.functions.deployed import Deployed
from rehearsal.functions.environment import Surroundings

# Lambda's order of sys.path: the function, its layers, the standard library, the runtime; no other site-packages.
# https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
BOOTSTRAP = """\
import sys
_, task, layers, runtime, handler = sys.argv
sys.path[:] = [task, layers, *sys.path, runtime]
sys.argv = ["bootstrap", handler]
from awslambdaric.__main__ import main
main(sys.argv)
"""

# -S and -P keep this machine's packages out. -B forbids to write byte-code, as /var/task is read-only on Lambda;
# byte-code from the zip is used all the same.
FLAGS = ("-B", "-S", "-P")


def start(
    deployed: Deployed, around: Surroundings, *, variables: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the runtime in a process group of its own; return it and where its output can be read."""
    python = getattr(sys, "_base_executable", None) or sys.executable
    places = (around.package.task, around.package.layers / "python", around.runtime)
    around.scratch.mkdir(parents=True)
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [python, *FLAGS, "-c", BOOTSTRAP, *map(str, places), deployed.handler],
            env=dict(variables),
            cwd=around.package.task,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return process, reading


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill ``process`` and all it started, and wait for its end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def cause_of_death(code: int) -> str:
    """Return Lambda's words for the end of a runtime with the return code ``code``."""
    if code == 0:
        return "Runtime exited without providing a reason"
    reason = f"exit status {code}" if code > 0 else f"signal: {signal.strsignal(-code) or -code}".lower()
    return f"Runtime exited with error: {reason}"
