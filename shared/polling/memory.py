"""Limits on the pictures that one process has in memory at once."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from shared.generators.base import Result

MEMORY_PIXELS = 64_000_000
"""The pixels of the pictures that the steps of a process fetch and store at once: about 200 MB decoded."""

KEPT_BYTES = 64_000_000
"""The size of the files that a process keeps of jobs whose pictures could not be stored."""


class Memory:
    """Room for so many pixels. Steps wait for it in the order in which they came, so that a large one gets its turn."""

    def __init__(self, pixels: int = MEMORY_PIXELS) -> None:
        self._pixels = self._free = pixels
        self._changed = threading.Condition()
        self._turn = threading.Lock()

    @contextmanager
    def room(self, pixels: int) -> Iterator[None]:
        """Hold room for pictures of so many pixels; what needs more than there is has all of it for itself."""
        needed = min(pixels, self._pixels)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._free >= needed)
            self._free -= needed
        try:
            yield
        finally:
            with self._changed:
                self._free += needed
                self._changed.notify()


class Kept:
    """Results that were fetched and could not be stored, for the next step of the same job in this process.

    If there are too many, the oldest are dropped: their jobs fetch again.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._results: OrderedDict[tuple[UUID, str], tuple[Result, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, job_id: UUID, remote_id: str, results: Sequence[Result]) -> None:
        """Keep the results that a generator gave of a job so far."""
        with self._lock:
            self._results[job_id, remote_id] = tuple(results)
            while sum(map(_size_bytes, self._results.values())) > self._most_bytes:
                self._results.popitem(last=False)

    def take(self, job_id: UUID, remote_id: str) -> list[Result]:
        """Return what was kept of a job, and keep it no longer."""
        with self._lock:
            return list(self._results.pop((job_id, remote_id), ()))


def _size_bytes(results: Sequence[Result]) -> int:
    return sum(len(file) for result in results for file in (*result.images, *result.frames))
