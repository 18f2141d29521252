"""How long each generator's calls take that wait for no work, as far as this process has seen lately."""

import time
from dataclasses import dataclass, field

SLOW_S = 1.0
"""A step that lasts longer waits for someone: it is not counted among those that a process does at once."""

AVOIDED_S = 5.0
"""A generator whose calls take longer than this gets no jobs that another one can make."""

FORGOTTEN_S = 60.0
"""A generator is tried again after this time without a call."""

KEPT = 0.5
"""How much of the average remains when another call is measured."""


@dataclass
class Latency:
    """Averages by generator. Threads may share it."""

    _averages: dict[str, tuple[float, float]] = field(default_factory=dict)

    def record(self, generator: str, seconds: float) -> None:
        """Add a call that has ended."""
        before = self.average_s(generator)
        average_s = seconds if before is None else KEPT * before + (1 - KEPT) * seconds
        self._averages[generator] = (average_s, time.monotonic())

    def average_s(self, generator: str) -> float | None:
        """Return how long a call takes, None where nothing is known."""
        average_s, at = self._averages.get(generator, (0.0, float("-inf")))
        return average_s if time.monotonic() - at < FORGOTTEN_S else None

    def is_slow(self, generator: str) -> bool:
        """Return whether the steps of its jobs take long."""
        return (self.average_s(generator) or 0) > SLOW_S

    def list_avoided(self) -> frozenset[str]:
        """Return the generators that get no jobs that another one can make."""
        return frozenset(name for name in list(self._averages) if (self.average_s(name) or 0) > AVOIDED_S)
