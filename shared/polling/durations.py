"""How long a generator takes for a job: a fixed part, and a part for each unit of cost.

Least squares over the generator's last jobs, with relative errors, so that a thumbnail counts as much as a large
picture. Older jobs are forgotten exponentially, so the model is five sums. Jobs of a single size cannot show both
parts; what they leave open stays near what was known before.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from sqlalchemy import Connection, text

KEPT = 0.95
"""How much of the weight of older jobs remains when another one is measured: about the last twenty count."""

FIXED_S, SECONDS_PER_COST = 0.3, 0.5
"""The parts that are assumed of a generator before its first job."""

_STIFFNESS = 0.02
"""The weight of what was known before, where a job that is exactly as expected has 1."""

_ROUNDS = 8
"""How often the fit is repeated with the scales that it found."""

_LEAST_FIXED_S, _LEAST_SECONDS_PER_COST = 0.02, 0.001
"""Parts below these are allowed, but change as easily as these."""


@dataclass(frozen=True, slots=True)
class Durations:
    """The model of one generator: its two parts, and the weighted sums over its last jobs (x: cost, y: seconds)."""

    fixed_s: float = FIXED_S
    seconds_per_cost: float = SECONDS_PER_COST
    weight: float = 0.0
    sum_x: float = 0.0
    sum_y: float = 0.0
    sum_xx: float = 0.0
    sum_xy: float = 0.0

    def estimate_s(self, cost: float) -> float:
        """Return how long a job of this cost should take."""
        return self.fixed_s + self.seconds_per_cost * cost

    def after(self, cost: float, seconds: float) -> "Durations":
        """Return the model after another job has been measured.

        One far slower than expected counts less than others, and one far quicker only a little more: a cold start, or a
        picture that was made before, says little about the next job.
        """
        if seconds <= 0:  # the clock was set back meanwhile
            return self
        expected_s = self.estimate_s(cost)
        seconds = max(seconds, expected_s / 10, 0.001)
        weight = 1 / max(seconds, expected_s / 2.5) ** 2
        sums = replace(
            self,
            weight=KEPT * self.weight + weight,
            sum_x=KEPT * self.sum_x + weight * cost,
            sum_y=KEPT * self.sum_y + weight * seconds,
            sum_xx=KEPT * self.sum_xx + weight * cost * cost,
            sum_xy=KEPT * self.sum_xy + weight * cost * seconds,
        )
        return sums._fitted()

    def _fitted(self) -> "Durations":
        """Return the model with the parts that fit its sums; neither is negative.

        What was known before holds each part by its relative change, so that a part may grow a thousandfold at once.
        """
        fixed_s, seconds_per_cost = self.fixed_s, self.seconds_per_cost
        for _ in range(_ROUNDS):
            scales = (
                max(self.fixed_s, fixed_s, _LEAST_FIXED_S),
                max(self.seconds_per_cost, seconds_per_cost, _LEAST_SECONDS_PER_COST),
            )
            fixed_s, seconds_per_cost = self._solved(*scales)
        return replace(self, fixed_s=fixed_s, seconds_per_cost=seconds_per_cost)

    def _solved(self, fixed_scale: float, pace_scale: float) -> tuple[float, float]:
        """Return both parts for these scales of their changes."""
        hold_fixed, hold_pace = _STIFFNESS / fixed_scale**2, _STIFFNESS / pace_scale**2
        ff, pp = self.weight + hold_fixed, self.sum_xx + hold_pace
        f, p = self.sum_y + hold_fixed * self.fixed_s, self.sum_xy + hold_pace * self.seconds_per_cost
        determinant = ff * pp - self.sum_x**2
        fixed_s = (f * pp - p * self.sum_x) / determinant
        seconds_per_cost = (p * ff - f * self.sum_x) / determinant
        if fixed_s < 0:
            return 0.0, p / pp
        if seconds_per_cost < 0:
            return f / ff, 0.0
        return fixed_s, seconds_per_cost


_MEASURED = text("""
SELECT g.name, j.cost, extract(epoch FROM j.finished_at - j.started_at)::float AS seconds,
    g.fixed_s, g.seconds_per_cost, g.pace_weight, g.pace_x, g.pace_y, g.pace_xx, g.pace_xy
FROM jobs j JOIN generators g ON g.name = j.generator
WHERE j.id = ANY(:job_ids) AND j.state = 'succeeded' AND j.attempts = 1 AND j.refusals = 0
    AND j.protocols <> 'training'
ORDER BY j.finished_at
""")
_STORE = text("""
UPDATE generators SET fixed_s = :fixed_s, seconds_per_cost = :seconds_per_cost, pace_weight = :weight, pace_x = :sum_x,
    pace_y = :sum_y, pace_xx = :sum_xx, pace_xy = :sum_xy
WHERE name = :name
""")


_TRAINED = text("""
UPDATE generators g SET training_seconds_per_cost = (training_seconds_per_cost + m.pace) / 2
FROM (
    SELECT j.generator, greatest(max(extract(epoch FROM j.finished_at - j.started_at) / j.cost)::float, 0.001) AS pace
    FROM jobs j WHERE j.id = ANY(:job_ids) AND j.state = 'succeeded' AND j.attempts = 1 AND j.protocols = 'training'
    GROUP BY j.generator
) m WHERE g.name = m.generator
""")


def record(connection: Connection, job_ids: Sequence[UUID]) -> None:
    """Add the durations of jobs that have just succeeded to the models of their generators.

    Jobs that were tried twice, or had to wait for a generator that refused them, are left out. Of trainings, which take
    their places, only the pace is kept. Each statement must be a transaction of its own: generators are locked in no
    order. What another worker measures at the same moment may be lost, which changes little.
    """
    connection.execute(_TRAINED, {"job_ids": list(job_ids)})
    models: dict[str, Durations] = {}
    for name, cost, seconds, *stored in connection.execute(_MEASURED, {"job_ids": list(job_ids)}):
        models[name] = models.get(name, Durations(*stored)).after(cost, seconds)
    for name, model in models.items():
        connection.execute(_STORE, {"name": name, **asdict(model)})
