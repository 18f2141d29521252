"""Easel's programs as real processes, which are ended with the test."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support import watchdog


@contextlib.contextmanager
def started(argv: list[str], **options: Any) -> "Iterator[subprocess.Popen[Any]]":
    """Start the program in its own process group, which is killed at the end of the block or of the test run."""
    process = subprocess.Popen(argv, start_new_session=True, **options)
    watchdog.watch(process.pid)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        watchdog.release(process.pid)


class Program:
    """One running `python -m <module> ...`."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def children(self) -> list[int]:
        """Return the process ids of the pool's children."""
        pid = self.process.pid
        with contextlib.suppress(FileNotFoundError):
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []

    def stop(self, seconds: float = 60) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    @property
    def left_over(self) -> bool:
        """Return whether any process of its group still runs."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@contextlib.contextmanager
def program(environment: dict[str, str], log: Path, *arguments: str, module: str = "poller") -> Iterator[Program]:
    """Run `python -m <module> <arguments>` with only these variables and PATH; its output goes to the file log."""
    argv = [sys.executable, "-m", module, *arguments]
    with (
        log.open("wb") as file,
        started(
            argv, env={"PATH": os.environ["PATH"], **environment}, stdout=file, stderr=subprocess.STDOUT
        ) as process,
    ):
        yield Program(process, log)
