"""Kills what a test run has started when the run ends, also by SIGKILL.

Run as a script, it reads process groups from standard input, `+<number>` for one that has started and `-<number>` for
one that has ended. Only the test run holds the other end of the pipe, so its end is the end of the input.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from functools import cache


def watch(group: int) -> None:
    """Have this process group killed when the test run ends."""
    _send(f"+{group}\n")


def release(group: int) -> None:
    """Forget this process group: it has ended, and its number may be given to another one."""
    _send(f"-{group}\n")


def _send(line: str) -> None:
    pipe = _process().stdin
    assert pipe is not None
    pipe.write(line.encode())


@cache
def _process() -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-I", "-S", __file__]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, bufsize=0, start_new_session=True)
    atexit.register(process.communicate)
    return process


def _kill_at_the_end(lines: Iterable[str]) -> None:
    groups: set[int] = set()
    for line in lines:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    _kill_at_the_end(sys.stdin)
