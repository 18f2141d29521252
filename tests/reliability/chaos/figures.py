"""What a run of chaos has come to: the promises, and how soon the site was back at work after each fault."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles

from sqlalchemy import text

from shared.services import Services
from tests.reliability.chaos.disturber import Fault


@dataclass(frozen=True)
class Figures:
    """recoveries_s: for each fault, how long until the next submit was accepted and the next job had succeeded."""

    minutes: float
    jobs: int
    succeeded: int
    faults: Sequence[Fault]
    recoveries_s: Sequence[float]
    answers: Counter[str]
    unasked: Sequence[str]
    violations: Sequence[str]

    def recovery_s(self, percent: int) -> float:
        """Return a percentile of the recoveries."""
        found = sorted(self.recoveries_s)
        return quantiles(found, n=100, method="inclusive")[percent - 1] if len(found) > 1 else sum(found)

    def table(self) -> str:
        """Return the figures as Markdown."""
        kinds = Counter(fault.kind for fault in self.faults)
        rows = [
            ("minutes", f"{self.minutes:.1f}"),
            ("jobs accepted, of which succeeded", f"{self.jobs}, {self.succeeded}"),
            ("faults", f"{len(self.faults)} ({', '.join(f'{count} {kind}' for kind, count in kinds.items())})"),
            ("violations", str(len(self.violations))),
            ("parts that ended by themselves", str(len(self.unasked))),
            ("recovery p50 / p99 / longest", " / ".join(f"{one:.1f} s" for one in self._recoveries())),
            ("answers", ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))),
        ]
        lines = ["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
        slowest = sorted(zip(self.recoveries_s, self.faults, strict=True), reverse=True)[:5]
        lines += ["", *(f"{seconds:.1f} s after {fault.part} was {fault.kind}" for seconds, fault in slowest)]
        return "\n".join([*lines, *self.unasked, *self.violations[:50]])

    def _recoveries(self) -> tuple[float, float, float]:
        return self.recovery_s(50), self.recovery_s(99), max(self.recoveries_s, default=0)


def recoveries(services: Services, faults: Sequence[Fault], submits: Sequence[tuple[float, float]]) -> list[float]:
    """Return how long after each fault a submit that began later was accepted and a job succeeded, whichever was later.

    A fault after which neither came until the end of the run counts until the last of them.
    """
    with services.db.statement() as connection:
        query = "SELECT extract(epoch FROM at)::float FROM job_events WHERE event = 'succeeded' ORDER BY at"
        ends = list(connection.execute(text(query)).scalars())
    by_begin = sorted(submits)
    begins = [begin for begin, _ in by_begin]
    soonest: list[float] = [end for _, end in by_begin]  # the first answer to any submit that began at or after each
    for later, earlier in pairwise(range(len(soonest) - 1, -1, -1)):
        soonest[earlier] = min(soonest[earlier], soonest[later])
    found = []
    for fault in faults:
        place, end = bisect_right(begins, fault.at), bisect_right(ends, fault.at)
        accepted = soonest[place] if place < len(soonest) else fault.at
        done = ends[end] if end < len(ends) else fault.at
        found.append(max(accepted, done) - fault.at)
    return found
