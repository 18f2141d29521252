"""A limit on the pictures that one process has in memory at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MEMORY_PIXELS = 64_000_000
"""The pixels of the pictures that the steps of a process fetch and store at once: about 200 MB decoded."""


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
