"""When requests that wait are answered: not all in the same second because they have come in the same second."""

import random
from collections import Counter
from collections.abc import Callable

MOST_IN_A_SECOND = 50
"""So many ends in one second are never spread."""

FAIR_SHARES = 1.1
"""How many end in a second at most, in times of what it were if all ends were spread evenly."""

SHORTEST = 0.5
"""The least of its time that a request waits."""


class SpreadEnds:
    """The ends of all waits. Those that would crowd a second come earlier; their next waits are spread then."""

    def __init__(self, fraction: Callable[[], float] = random.random) -> None:
        self._fraction = fraction
        self._in_second: Counter[int] = Counter()
        self._all = 0

    def add(self, now: float, wait_s: float) -> float:
        """Return when a wait ends that may last for `wait_s`."""
        end = now + wait_s
        second = self._choose(int(now + SHORTEST * wait_s) + 1, int(end), wait_s)
        self._in_second[second] += 1
        self._all += 1
        return end if second == int(end) else second + self._fraction()

    def remove(self, end: float) -> None:
        """Forget a wait that is over."""
        second = int(end)
        self._all -= 1
        self._in_second[second] -= 1
        if not self._in_second[second]:
            del self._in_second[second]

    def _choose(self, first: int, last: int, wait_s: float) -> int:
        most = max(MOST_IN_A_SECOND, FAIR_SHARES * self._all / max(1.0, wait_s))
        seconds = range(last, first - 1, -1)
        free = (second for second in seconds if self._in_second[second] < most)
        return next(free, min(seconds, key=lambda second: self._in_second[second], default=last))
