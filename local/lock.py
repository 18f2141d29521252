"""One stack per home: the lock that a running one holds, and what it tells about itself."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.console import Quiet
from local.stack import StackError

END_LIMIT_S = 45.0


@contextmanager
def hold(home: Path, url: str, console: Quiet) -> Iterator[int]:
    """Hold the home's lock; yields its file descriptor. Raises StackError with the address of one that runs already.

    The guards of the parts share the lock, so that it outlives a supervisor that was killed until its last part has
    ended. Such an end is waited for, since it comes by itself.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, home, console)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def find_running(home: Path) -> str | None:
    """The address of the stack that runs in this home, or None."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(home / "lock", os.O_RDONLY)
        try:
            if not _try_lock(descriptor, fcntl.LOCK_SH):
                holder = _read(descriptor)
                return str(holder["url"]) if _is_alive(holder) else None
        finally:
            os.close(descriptor)
    return None


def _lock(descriptor: int, home: Path, console: Quiet) -> None:
    deadline = time.monotonic() + END_LIMIT_S
    told = False
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        holder = _read(descriptor)
        if _is_alive(holder):
            raise StackError(
                f"Easel already runs at {holder['url']} (process {holder['pid']}, data in {home}). "
                "Stop that one first, or set EASEL_HOME and the ports (see .env.example) to run a second one beside it."
            )
        if time.monotonic() > deadline:
            raise StackError(f"Parts of an earlier run still hold {home / 'lock'}. End them, then start again.")
        if not told:
            console.say("The parts of an earlier run are still ending; waiting for them.")
            told = True
        time.sleep(0.1)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> dict[str, Any]:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return {"pid": int(holder["pid"]), "url": str(holder["url"])}
    except (ValueError, KeyError, TypeError):
        return {}


def _is_alive(holder: dict[str, Any]) -> bool:
    """Whether the supervisor itself still runs; another user's process counts as alive."""
    try:
        os.kill(holder.get("pid", 0) or os.getpid(), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return bool(holder)
