"""The lock that allows one stack per home, and the data that other processes read from it."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from local.console import Quiet
from local.stack import StackError

END_LIMIT_S = 45.0


class RunningStack(BaseModel, frozen=True):
    """The data that the lock's holder writes into the file: its process, its address, and the port of each part."""

    pid: int
    url: str
    ports: dict[str, int]


@dataclass(frozen=True)
class HeldLock:
    """The lock of a home. The parts' guards inherit the descriptor, and the lock with it."""

    descriptor: int

    def record(self, url: str, ports: Mapping[str, int]) -> None:
        """Write this stack's address and ports into the file."""
        text = RunningStack(pid=os.getpid(), url=url, ports=dict(ports)).model_dump_json()
        os.pwrite(self.descriptor, text.encode(), 0)


@contextmanager
def hold(home: Path, console: Quiet) -> Iterator[HeldLock]:
    """Hold the home's lock for the duration of the block.

    The guards of the parts share the lock. After a supervisor was killed, the lock is held until its last part has
    ended; this is waited for, since the guards end their parts by themselves.

    Raises:
        StackError: A stack already runs in this home; the message has its address.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, home, console)
        os.ftruncate(descriptor, 0)
        yield HeldLock(descriptor)
    finally:
        os.close(descriptor)


def find_running(home: Path) -> RunningStack | None:
    """Return the address and ports of the stack that runs in this home, or None."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(home / "lock", os.O_RDONLY)
        try:
            if not _try_lock(descriptor, fcntl.LOCK_SH):
                return _living_holder(descriptor)
        finally:
            os.close(descriptor)
    return None


def _lock(descriptor: int, home: Path, console: Quiet) -> None:
    deadline = time.monotonic() + END_LIMIT_S
    announced = False
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        holder = _living_holder(descriptor)
        if holder is not None:
            raise StackError(
                f"Easel already runs at {holder.url} (process {holder.pid}, data in {home}). "
                "Stop it first, or set EASEL_HOME to run a second one beside it."
            )
        if time.monotonic() > deadline:
            raise StackError(f"Parts of an earlier run still hold {home / 'lock'}. End them, then start again.")
        if not announced:
            console.say("The parts of an earlier run are still ending; waiting for them.")
            announced = True
        time.sleep(0.1)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _living_holder(descriptor: int) -> RunningStack | None:
    """Return the holder if its supervisor still runs; another user's process counts as alive."""
    try:
        holder = RunningStack.model_validate_json(os.pread(descriptor, 4096, 0))
        os.kill(holder.pid, 0)
    except (ValidationError, ProcessLookupError):
        return None
    except PermissionError:
        return holder
    return holder
