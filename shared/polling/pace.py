"""How quick each generator's last pictures were, as far as this process has seen: engines differ a thousandfold."""

from dataclasses import dataclass, field

KEPT = 0.7
"""How much of the average remains when another picture is measured."""


@dataclass
class Pace:
    """Seconds per unit of cost (see `shared.jobs.states.cost`), by generator. Threads may share it."""

    _seconds_per_cost: dict[str, float] = field(default_factory=dict)

    def usual_s(self, generator: str, cost: float) -> float | None:
        """Return how long the generator should take for a job of this cost, None if it is not known."""
        pace = self._seconds_per_cost.get(generator)
        return None if pace is None else pace * cost

    def record(self, generator: str, cost: float, seconds: float) -> None:
        """Add the time from sending a job to finding it finished."""
        pace = seconds / cost
        before = self._seconds_per_cost.get(generator, pace)
        self._seconds_per_cost[generator] = min(pace, KEPT * before + (1 - KEPT) * pace)
