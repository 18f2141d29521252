"""Easel's programs as real processes, which end with the test."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

PAUSE = threading.Event()  # is never set: waiting for it is a short pause between two looks


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Look again and again until the condition holds."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        PAUSE.wait(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


class Program:
    """One `python -m <module> ...` in a process group of its own."""

    def __init__(self, environment: dict[str, str], log: Path, *arguments: str, module: str = "poller") -> None:
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env={"PATH": os.environ["PATH"], **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def children(self) -> list[int]:
        """The process ids of the pool's children."""
        pid = self.process.pid
        with contextlib.suppress(FileNotFoundError):
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    @property
    def left_over(self) -> bool:
        """Whether anything of its process group still runs."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextlib.contextmanager
def program(environment: dict[str, str], log: Path, *arguments: str, module: str = "poller") -> Iterator[Program]:
    started = Program(environment, log, *arguments, module=module)
    try:
        yield started
    finally:
        started.close()
