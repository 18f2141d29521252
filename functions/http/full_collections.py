"""Python's full garbage collections, kept to a small share of the gateway's time.

A full collection visits every object, and everything waits for it: a quarter of a second where 5,000 requests wait.
Python makes one whenever its old objects have grown by a quarter, which waiting requests that come and go do every few
seconds. What a request leaves is freed by its reference counts or by the young generations; only a cycle that has
grown old, such as that of a connection, needs a full collection.
"""

import gc
import time
from collections.abc import Callable

SHARE = 500
"""The time between two full collections, in times of the first one's."""

NEVER = 2**31 - 1


class FullCollections:
    """Postpones full collections until `SHARE` times as long has passed as the last one took."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._begun = self._not_before = clock()
        self._young, self._middle, self._old = gc.get_threshold()

    def begin(self) -> None:
        """Postpone from now on. What exists already, such as modules, is never visited again."""
        gc.collect()
        gc.freeze()
        gc.callbacks.append(self.note)

    def end(self) -> None:
        """Collect as Python does."""
        gc.callbacks.remove(self.note)
        gc.set_threshold(self._young, self._middle, self._old)
        gc.unfreeze()

    def note(self, phase: str, about: dict[str, int]) -> None:
        """Follow a collection; Python calls it before and after each."""
        if about["generation"] == 0:
            return
        now = self._clock()
        if about["generation"] == 2:
            if phase == "start":
                self._begun = now
                return
            self._not_before = now + SHARE * (now - self._begun)
        gc.set_threshold(self._young, self._middle, self._old if now >= self._not_before else NEVER)
