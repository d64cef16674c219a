"""One execution environment: a process of the function's runtime, and its Runtime API."""

import queue
import shutil
import threading
import time
from collections import deque
from dataclasses import replace

from rehearsal.functions import process
from rehearsal.functions.deployed import RUNTIME, Deployed
from rehearsal.functions.environment import Surroundings, environment
from rehearsal.functions.invocation import Answer, Event
from rehearsal.functions.logs import LogDelivery
from rehearsal.functions.output import Output
from rehearsal.functions.runtime_api import RuntimeApi

INIT_SECONDS = 10
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""

TAIL_BYTES = 4096


class Worker:
    """Starts with the function's package and runs one event at a time, until it is stopped."""

    def __init__(self, deployed: Deployed, around: Surroundings, logs: LogDelivery) -> None:
        self.deployed, self.idle_since = deployed, time.monotonic()
        self._around, self._logs, self._stream = around, logs, logs.stream(deployed)
        self._tail: deque[str] = deque(maxlen=200)
        self._stopped, self._lock = False, threading.Lock()
        self._started = time.perf_counter()
        self.log(f"INIT_START Runtime Version: {RUNTIME.replace('python', 'python:')}")
        self._api = RuntimeApi()
        variables = environment(deployed, around, api=self._api.address, log_stream=self._stream.name)
        try:
            self._process, output = process.start(deployed, around, variables=variables)
        except OSError:
            self._api.close()
            raise
        self._output = Output(output, self.log)
        threading.Thread(target=self._await_exit, name="function-exit", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether another event may be given to this worker."""
        return not self._stopped and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether the function's code has been loaded, or will never be."""
        return self._api.ready.is_set()

    def log(self, message: str) -> None:
        """Write one line into the function's log."""
        self._tail.append(message)
        self._logs.write(self._stream, message)

    def run(self, event: Event) -> Answer:
        """Return what the function makes of ``event``; after any answer but response and error the worker is dead.

        The log gets the platform's lines: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
        """
        init = self._await_init()
        self.log(f"START RequestId: {event.request_id} Version: {self.deployed.version}")
        started = time.perf_counter()
        deadline = int((time.time() + self.deployed.timeout) * 1000)
        self._api.submit(replace(event, deadline=deadline))
        try:
            answer = self._api.answers.get(timeout=self.deployed.timeout)
        except queue.Empty:
            answer = Answer("timeout")
        duration = time.perf_counter() - started
        self._output.drain()
        if answer.kind not in ("response", "error"):
            self.stop()
        self._report(event, answer, duration * 1000, init)
        self.idle_since = time.monotonic()
        return answer

    def tail(self) -> bytes:
        """Return the last 4 KB of the log of this invocation, for ``X-Amz-Log-Result``."""
        return "".join(f"{line}\n" for line in list(self._tail)).encode()[-TAIL_BYTES:]

    def stop(self) -> None:
        """Kill the process and all it started; nothing of it is left afterwards."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        process.kill(self._process)
        self._api.close()
        self._output.close()
        shutil.rmtree(self._around.scratch, ignore_errors=True)

    def _await_init(self) -> str:
        """Wait for the runtime to be ready; a longer wait than Lambda's counts towards the function's time."""
        if self._api.ready.is_set():
            self._tail.clear()
            return ""
        self._api.ready.wait(INIT_SECONDS)
        return f"\tInit Duration: {(time.perf_counter() - self._started) * 1000:.2f} ms"

    def _await_exit(self) -> None:
        code = self._process.wait()
        self._api.answers.put(Answer("exit", process.cause_of_death(code).encode()))
        self._api.ready.set()

    def _report(self, event: Event, answer: Answer, milliseconds: float, init: str) -> None:
        if answer.kind == "timeout":
            self.log(f"{event.request_id} Task timed out after {self.deployed.timeout:.2f} seconds")
        if answer.kind == "exit":
            self.log(f"RequestId: {event.request_id} Error: {answer.payload.decode()}")
        self.log(f"END RequestId: {event.request_id}")
        self.log(
            f"REPORT RequestId: {event.request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Billed Duration: {int(milliseconds) + 1} ms\tMemory Size: {self.deployed.memory} MB{init}"
        )
