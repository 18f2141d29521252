"""The supervisor: starts the parts in dependency order, starts again what ends, and stops them in reverse order."""

import signal
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.console import Quiet
from local.process import Part, Process

START_LIMIT_S = 60.0
LOOK_EVERY_S = 0.03
WATCH_EVERY_S = 0.2
MOST_ENDS, ENDS_WITHIN_S = 5, 60.0
"""The stack stops when a part ends this often within this time: another restart would not help."""


class StackError(Exception):
    """An error for the user: what happened and what to do."""


class PartDied(StackError):
    """A part ended unexpectedly or never became ready; `last_lines` is the end of its output."""

    def __init__(self, name: str, reason: str, last_lines: Sequence[str], log_file: Path) -> None:
        said = "".join(f"\n    {line}" for line in last_lines) or " nothing"
        super().__init__(f"{name} {reason}. It last said:{said}\nIts whole log is in {log_file}.")
        self.name = name


class Interrupted(Exception):
    """The user requested a stop while the stack was starting."""


class Stack:
    """Parts that run together. Nothing runs before start(), and nothing is left after stop().

    The caller sets `interrupted` (from a signal handler, for example) to end start() or watch(), and `hurry` to make
    stop() kill the parts. Every part's guard keeps lock_fd open, so that a lock on it is held until the last part ends.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        log_folder: Path,
        console: Quiet | None = None,
        lock_fd: int | None = None,
    ) -> None:
        self.interrupted = threading.Event()
        self.hurry = threading.Event()
        self._parts = list(parts)
        self._processes: dict[str, Process] = {}
        self._ends: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MOST_ENDS))
        self._log_folder = log_folder
        self._console = console or Quiet()
        self._lock_fd = lock_fd

    def start(self) -> None:
        """Start every part as soon as the parts it needs are ready; return when all are ready.

        Raises:
            PartDied: A part ended or did not become ready in time.
            Interrupted: The caller set `interrupted`.
        """
        self._log_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while not all(self._is_ready(part.name) for part in self._parts):
            for part in self._parts:
                if part.name not in self._processes and all(self._is_ready(name) for name in part.needs):
                    self._processes[part.name] = self._start(part)
            for process in self._processes.values():
                self._look(process)
            if self.interrupted.wait(LOOK_EVERY_S):
                raise Interrupted

    def watch(self) -> None:
        """Watch the parts until interrupted, and start again those that end.

        Raises:
            PartDied: A part ended too often.
        """
        while not self.interrupted.wait(WATCH_EVERY_S):
            for name, process in list(self._processes.items()):
                if process.part.ready is None:
                    continue
                if process.exit_code is not None:
                    self._processes[name] = self._start_again(process)
                elif process.ready_after_s is None and process.is_ready():
                    self._become_ready(process)

    def _start_again(self, process: Process) -> Process:
        name, ends = process.part.name, self._ends[process.part.name]
        ends.append(time.monotonic())
        reason = f"ended with {describe_exit(process.exit_code)}"
        if len(ends) == MOST_ENDS and ends[-1] - ends[0] < ENDS_WITHIN_S:
            raise self._died(process, f"{reason}, for the {MOST_ENDS}th time within a minute")
        self._console.say(f"{name} {reason}. It is started again.")
        process.close()
        return self._start(process.part)

    def stop(self) -> None:
        """Stop the running parts, dependents first. Each part has its grace period; with `hurry` set all are killed."""
        while running := {name: process for name, process in self._processes.items() if process.exit_code is None}:
            needed = {need for process in running.values() for need in process.part.needs}
            for name, process in running.items():
                if self.hurry.is_set():
                    process.kill()
                elif name not in needed and not process.stopping:
                    process.stop()
            time.sleep(LOOK_EVERY_S)
        for process in self._processes.values():
            process.close()
        self._processes.clear()

    def _start(self, part: Part) -> Process:
        log_file = self._log_folder / f"{part.name}.log"
        return Process(part, log_file, self._console.line, lock_fd=self._lock_fd)

    def _is_ready(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.ready_after_s is not None

    def _look(self, process: Process) -> None:
        if process.ready_after_s is not None:
            self._check_alive(process)
        elif process.is_ready():
            self._become_ready(process)
        elif process.exit_code not in (None, 0) or (process.exit_code == 0 and process.part.ready is not None):
            raise self._died(process, f"ended with {describe_exit(process.exit_code)} before it was ready")
        elif process.age_s > START_LIMIT_S:
            raise self._died(process, f"was not ready after {START_LIMIT_S:.0f} s")

    def _become_ready(self, process: Process) -> None:
        process.ready_after_s = process.age_s
        process.shown = True
        self._console.ready(process.part.name, process.ready_after_s)

    def _check_alive(self, process: Process) -> None:
        if process.part.ready is not None and process.exit_code is not None:
            raise self._died(process, f"ended with {describe_exit(process.exit_code)}")

    def _died(self, process: Process, reason: str) -> PartDied:
        if process.exit_code is not None:
            process.close()
        return PartDied(process.part.name, reason, process.tail, process.log_file)


def describe_exit(code: int | None) -> str:
    """Return `exit code 3`, or `exit code 137 (SIGKILL)` where a signal ended the part."""
    if code is not None and code > 128:
        return f"exit code {code} ({_signal_name(code - 128)})"
    return f"exit code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Start the stack, yield it, and stop it at the end of the block in any case."""
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
