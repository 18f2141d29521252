"""What a process measures of its own work. It imports no metrics library, so that every process can import it.

The poller works in a pool of forked processes, and their parent serves the metrics. So durations are written to memory
that the processes share: it needs no files, and the counts of a child survive it. (The metrics library instead writes a
file per process, into a folder that the environment names when it is imported.)
"""

import mmap
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator

STEPS = ("send", "ask", "fetch", "cancel")
"""What a step did: `ask` found the job unfinished or lost, `fetch` also fetched and stored its pictures."""

OUTCOMES = ("goes_on", "waits", "requeued", "succeeded", "failed", "cancelled", "lost", "unavailable", "error")
"""The outcome of a step: the job stays at its generator, or waits for a failing service; it was requeued; it ended; the
claim was lost to another worker; the database was unavailable; an unexpected error."""

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the histogram's buckets in seconds; the last bucket has none."""

MeasureStep = Callable[[str, str, float], None]
"""Called with every step: one of STEPS, one of OUTCOMES, its duration in seconds."""

MeasureRequest = Callable[[str, str, int, float], None]
"""Called with every request: the function that answered, the method, the status, its duration in seconds."""


def unmeasured(*_measured: object) -> None:
    """Measure nothing, where no metrics are served."""


class StepBoard:
    """The durations of steps, measured by `processes` forked processes and read by their parent.

    Each process writes only to its own part, so that none waits for another, nor for one that was killed while writing.
    A child that replaces another continues with that one's part.
    """

    def __init__(self, processes: int) -> None:
        self._cells = len(BOUNDS_S) + 2  # the buckets, the last bucket, the sum of the seconds
        self._size = len(STEPS) * len(OUTCOMES) * self._cells
        self._processes = max(processes, 1)
        self._numbers = memoryview(mmap.mmap(-1, self._processes * self._size * 8)).cast("d")
        self.use(0)

    def use(self, process: int) -> None:
        """Write to this process's part (counted from 0) from now on; a forked child must call it first."""
        self._begin = process % self._processes * self._size
        self._lock = threading.Lock()

    def measure(self, step: str, outcome: str, seconds: float) -> None:
        """Count one step. Threads may call it at once."""
        first = self._begin + self._series(step, outcome)
        with self._lock:
            self._numbers[first + bisect_left(BOUNDS_S, seconds)] += 1
            self._numbers[first + self._cells - 1] += seconds

    def read(self) -> Iterator[tuple[str, str, list[int], float]]:
        """Yield (step, outcome, count per bucket, sum of the seconds) for all that happened at least once."""
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
