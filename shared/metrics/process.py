"""What a process measures of its own work, light enough for every process to import: no metrics library is needed here.

The poller works in a pool of forked processes, and who asks for the metrics asks their parent. So a step's duration
goes into memory that the processes share: it needs no files, and what a child has measured outlives it. (The metrics
library's own way is a file for each process that ever ran, in a folder which the environment names at its import.)
"""

import mmap
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator

STEPS = ("send", "ask", "fetch", "cancel")
"""What a step does: `ask` found the job unfinished or lost, `fetch` also fetched and stored what it made."""

OUTCOMES = ("goes_on", "waits", "requeued", "succeeded", "failed", "cancelled", "lost", "unavailable", "error")
"""What a step came to: the job stays at its generator, or stays and has to wait for a part that fails; it went back
into the queue; it ended; the claim was lost to another worker; the database was away; a fault of the code."""

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the buckets into which durations are sorted, in seconds; a last one takes the rest."""

MeasureStep = Callable[[str, str, float], None]
"""Is told of every step: what it did (of STEPS), what it came to (of OUTCOMES), its seconds."""

MeasureRequest = Callable[[str, str, int, float], None]
"""Is told of every request: the function that answered, the method, the status, its seconds."""


def unmeasured(*_measured: object) -> None:
    """Stands where nobody asks for metrics."""


class StepBoard:
    """The durations of steps, measured by `processes` forked processes and read by their parent.

    Each process has a part of its own and writes there alone, so that none waits for another, nor for one that was
    killed in the middle. A child that replaces another goes on with that one's part.
    """

    def __init__(self, processes: int) -> None:
        self._cells = len(BOUNDS_S) + 2  # the buckets, the last one, the sum of the seconds
        self._size = len(STEPS) * len(OUTCOMES) * self._cells
        self._processes = max(processes, 1)
        self._numbers = memoryview(mmap.mmap(-1, self._processes * self._size * 8)).cast("d")
        self.use(0)

    def use(self, process: int) -> None:
        """Measure into this process's part from now on, from 0; a forked child calls it first."""
        self._begin = process % self._processes * self._size
        self._lock = threading.Lock()

    def measure(self, step: str, outcome: str, seconds: float) -> None:
        """Count one step. Threads may call it at once."""
        first = self._begin + self._series(step, outcome)
        with self._lock:
            self._numbers[first + bisect_left(BOUNDS_S, seconds)] += 1
            self._numbers[first + self._cells - 1] += seconds

    def read(self) -> Iterator[tuple[str, str, list[int], float]]:
        """(step, outcome, steps in each bucket, the sum of their seconds) of all that has happened at least once."""
        parts = range(0, self._processes * self._size, self._size)
        for step in STEPS:
            for outcome in OUTCOMES:
                at = self._series(step, outcome)
                *buckets, seconds = (
                    sum(self._numbers[part + at + cell] for part in parts) for cell in range(self._cells)
                )
                if any(buckets):
                    yield step, outcome, [int(count) for count in buckets], seconds

    def _series(self, step: str, outcome: str) -> int:
        return (STEPS.index(step) * len(OUTCOMES) + OUTCOMES.index(outcome)) * self._cells
