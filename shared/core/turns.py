"""Turns at something of which there are only a few, in the order in which they were asked for."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from shared.core.errors import Unavailable


class Turns:
    """A semaphore that is first come, first served.

    With the standard library's semaphore, or SQLAlchemy's pool, a thread that gives a place back and asks again can
    overtake all that wait. Under load one of those reaches its time limit while thousands of later ones are served.
    """

    def __init__(self, places: int) -> None:
        self._lock = Lock()
        self._free = places
        self._waiting: deque[Lock] = deque()

    @contextmanager
    def turn(self, limit_s: float, refusal: str, *, retry_after_s: int = 2) -> Iterator[None]:
        """Wait for a place, and hold it until the end of the block.

        Raises:
            Unavailable: There was none within `limit_s`; `refusal` says that to the caller.
        """
        if not self.take(limit_s):
            raise Unavailable(refusal, retry_after_s=retry_after_s)
        try:
            yield
        finally:
            self.give()

    def take(self, limit_s: float) -> bool:
        """Wait for a place; return False if there was none within `limit_s`."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            given = Lock()
            given.acquire()
            self._waiting.append(given)
        if given.acquire(timeout=limit_s):
            return True
        with self._lock:
            if given not in self._waiting:  # handed over in this moment
                return True
            self._waiting.remove(given)
            return False

    def give(self) -> None:
        """Give a place back: to the one that has waited longest, if any."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
