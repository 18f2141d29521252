"""Turns at something of which there are only a few, in the order in which they were asked for."""

from collections import deque
from threading import Lock


class Turns:
    """A semaphore that is first come, first served.

    With the standard library's semaphore, or SQLAlchemy's pool, a thread that gives a place back and asks again can
    overtake all that wait. Under load one of those reaches its time limit while thousands of later ones are served.
    """

    def __init__(self, places: int) -> None:
        self._lock = Lock()
        self._free = places
        self._waiting: deque[Lock] = deque()

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
