"""One part of the stack: what it is (Part) and one run of it (Process)."""

import contextlib
import io
import logging
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

from local import guard

LOG_BYTES = 5_000_000
LINE_BYTES = 16_384
TAIL_LINES = 15


@dataclass(frozen=True)
class Part:
    """One program of the stack and how to know that it works.

    `ready` is called repeatedly until it returns True. A part without it is a task, which is ready once it has ended
    with exit code 0. `needs` names the parts that must be ready before this one starts; they are stopped after it.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Callable[[], bool] | None = None
    needs: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    user: str | None = None
    cwd: Path | None = None


@dataclass
class Process:
    """A started part: its guard, its last lines and its end. Lines always go to log_file; to `show` while `shown`."""

    part: Part
    log_file: Path
    show: Callable[[str, str], None]
    lock_fd: int | None = None
    shown: bool = False
    ready_after_s: float | None = None
    stopping: bool = False
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        options = ["--stop-signal", str(int(self.part.stop_signal)), "--grace-s", str(self.part.grace_s)]
        if self.part.user is not None:
            options += ["--user", self.part.user]
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, *options, "--", *self.part.argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=dict(self.part.env),
            cwd=self.part.cwd,
            umask=0o077,
            start_new_session=True,
            pass_fds=() if self.lock_fd is None else (self.lock_fd,),
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {self.part.name}", daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """Return the exit code as a shell counts it (137 after SIGKILL), or None while the part runs."""
        code = self._guard.poll()
        return None if code is None else code if code >= 0 else 128 - code

    @property
    def age_s(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._started

    def is_ready(self) -> bool:
        """Return whether the part is ready; a task is once it has ended with exit code 0."""
        if self.part.ready is None:
            return self.exit_code == 0
        return self.exit_code is None and self.part.ready()

    def stop(self) -> None:
        """Request an orderly end and return immediately; `exit_code` is set once the part has ended."""
        self._order(guard.STOP)

    def kill(self) -> None:
        """Kill the part and all its children immediately."""
        self._order(guard.KILL)

    def close(self) -> None:
        """Read the last lines after the part has ended, and close its pipes."""
        self._guard.wait()
        self._reader.join(timeout=2)
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.close()

    def _order(self, order: bytes) -> None:
        self.stopping = True
        self.shown = False
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._guard.stdin.write(order)

    def _read(self) -> None:
        assert self._guard.stdout is not None
        handler = RotatingFileHandler(self.log_file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
        if self.log_file.exists():
            handler.doRollover()
        with contextlib.closing(handler), io.BufferedReader(self._guard.stdout) as stream:  # type: ignore[type-var]
            while raw := stream.readline(LINE_BYTES):
                line = raw.decode("utf-8", errors="replace").rstrip()
                self.tail.append(line)
                handler.emit(logging.makeLogRecord({"msg": line}))
                if self.shown:
                    self.show(self.part.name, line)
