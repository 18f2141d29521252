"""The time until which this process may wait: set where a function's limit is known, read by clients of servers."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Deadline:
    until = math.inf


def ends_at() -> float:
    """Return the deadline on `time.monotonic`'s clock, or infinity if none is set."""
    return _Deadline.until


def left_s() -> float:
    """Return the seconds left; negative after the deadline."""
    return _Deadline.until - time.monotonic()


@contextmanager
def ending_in(limit_s: float) -> Iterator[None]:
    """Set the deadline to `limit_s` seconds from now inside the block. For processes that do one thing at a time."""
    _Deadline.until = time.monotonic() + limit_s
    try:
        yield
    finally:
        _Deadline.until = math.inf
