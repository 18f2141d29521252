"""Until when this process may wait: set where a function's time is known, asked where a client waits for a server."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Deadline:
    until = math.inf


def ends_at() -> float:
    """Return the moment, on `time.monotonic`'s clock; infinity where none is set."""
    return _Deadline.until


def left_s() -> float:
    """Return how many seconds are left; below 0 when it is over."""
    return _Deadline.until - time.monotonic()


@contextmanager
def ending_in(limit_s: float) -> Iterator[None]:
    """For a process that does one thing at a time: `limit_s` seconds are left for what is inside the block."""
    _Deadline.until = time.monotonic() + limit_s
    try:
        yield
    finally:
        _Deadline.until = math.inf
