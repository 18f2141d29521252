"""How well the time of a job is foreseen, beside the rule that it replaced: the mean of seconds per unit of cost.

A fake generator takes a fixed part, and a part for each unit of cost, with noise, for a mixed load. Its numbers are
drawn, not measured, so this says how the rule copes with them, not how long a real generator takes.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.ground import Ground
from bench.table import Bound, Row
from shared.jobs.states import cost
from shared.polling.durations import Durations

JOBS = 2000
NOISE = 0.2
"""The standard deviation of the logarithm of a duration."""

GENERATORS = ((0.4, 0.2), (0.05, 0.01), (2.0, 5.0), (20.0, 1.0))
"""Fixed seconds, and seconds per unit of cost: a painter on a processor, a fast one, a slow one, a distant one."""

# Thumbnails come in bursts, as the starts of animations and contact sheets do.
LOAD = (
    (cost(1, 64, 64, 1, 1), 12),
    (cost(1, 512, 512, 15, 1), 1),
    (cost(1, 512, 512, 30, 1), 1),
    (cost(1, 768, 432, 50, 1), 1),
    (cost(4, 512, 512, 30, 1), 1),
    (cost(2, 512, 512, 80, 2), 1),
)


@dataclass
class MeanOfRatios:
    """The rule before: seconds per unit of cost, averaged over jobs of all sizes."""

    seconds_per_cost: float = 0.5

    def estimate_s(self, job: float) -> float:
        """Return how long a job of this cost should take."""
        return job * self.seconds_per_cost

    def record(self, job: float, seconds: float) -> None:
        """Add a job that has been measured."""
        self.seconds_per_cost = 0.8 * self.seconds_per_cost + 0.2 * max(seconds / job, 0.0001)


@dataclass
class Fitted:
    """The rule now."""

    model: Durations = field(default_factory=Durations)

    def estimate_s(self, job: float) -> float:
        """Return how long a job of this cost should take."""
        return self.model.estimate_s(job)

    def record(self, job: float, seconds: float) -> None:
        """Add a job that has been measured."""
        self.model = self.model.after(job, seconds)


def estimates(_ground: Ground) -> Iterator[Row]:
    """Compare both rules over the same jobs: the share of estimates within a factor of two."""
    for fixed_s, pace in GENERATORS:
        figures = share_within_two(Fitted, fixed_s, pace), share_within_two(MeanOfRatios, fixed_s, pace)
        name = f"Estimates within a factor of 2, generator of {fixed_s:g} s + {pace:g} s per cost"
        yield Row(name, "% of jobs", *figures, "the mean of ratios", Bound(1))


def share_within_two(rule: Callable[[], Fitted | MeanOfRatios], fixed_s: float, pace: float) -> float:
    """Return for how many jobs of 100 the estimate is at most twice, and at least half, of what they then took."""
    chance, foreseen, within = random.Random(2026), rule(), 0  # noqa: S311 # repeatable noise
    load = [job for kind, burst in chance.choices(LOAD, k=JOBS) for job in [kind] * burst][:JOBS]
    for job in load:
        seconds = (fixed_s + pace * job) * chance.lognormvariate(0, NOISE)
        within += 0.5 <= foreseen.estimate_s(job) / seconds <= 2
        foreseen.record(job, seconds)
    return 100 * within / len(load)
