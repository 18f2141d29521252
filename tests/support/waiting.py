"""Waiting for a condition, never for a time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str, limit_s: float = 60, every_s: float = 0.1) -> Found:
    """Ask `look` until its answer counts as true, and return that answer; fail after limit_s, saying `what`."""
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {limit_s:.0f} s still not true: {what}"
        threading.Event().wait(every_s)
    return found
