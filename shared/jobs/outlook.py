"""A job's place in the queue and the time until it is done, estimated from the pace of the latest jobs."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the wait of an unfinished job is estimated from.

    `jobs_ahead` and `cost_ahead` are None unless the job is queued; with `is_estimate` they are right to a few percent
    of the queue's length. `seconds_per_cost` is what this job should take, divided by its cost, and None once it has
    finished; `cost_ahead` is the work of the other jobs in the same unit. `running_s` is None before it has started.
    `places` is how many jobs the healthy generators that can make this one may hold at once.
    """

    jobs_ahead: int | None = None
    cost_ahead: float = 0
    seconds_per_cost: float | None = None
    places: int = 0
    running_s: float = 0
    is_estimate: bool = False

    @property
    def position(self) -> int | None:
        """Return the job's place in the queue, from 1; None unless it is queued."""
        return None if self.jobs_ahead is None else self.jobs_ahead + 1

    def eta_s(self, cost: float, progress: float | None) -> int | None:
        """Return the whole seconds until the job's pictures are ready, None for a finished job.

        For a queued job it is Little's law over the cost ahead of it; for a running one the rest of its own work.
        """
        if self.seconds_per_cost is None:
            return None
        own_s = cost * self.seconds_per_cost
        if self.jobs_ahead is not None:
            return math.ceil(self.cost_ahead * self.seconds_per_cost / max(self.places, 1) + own_s)
        if progress:
            own_s = self.running_s / progress
        return max(1, math.ceil(own_s - self.running_s))


def read_outlook(
    ahead: tuple[int, float, bool] | None,
    seconds_per_cost: float | None,
    places: int | None,
    running_s: float | None = None,
) -> Outlook:
    """Build an outlook from the columns of the SQL function `job_outlook`, and the seconds since the job started."""
    jobs_ahead, cost_ahead, is_estimate = ahead or (None, 0, False)
    return Outlook(
        jobs_ahead, float(cost_ahead), seconds_per_cost, int(places or 0), float(running_s or 0), is_estimate
    )
