"""What a run of chaos has come to: the promises, and how soon the site was back at work after each fault."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import quantiles

from sqlalchemy import text

from shared.services import Services
from tests.reliability.chaos.disturber import Fault


@dataclass(frozen=True)
class Recovery:
    """Until when, after a fault, a submit that began later was accepted and a job had succeeded (`time.time`)."""

    fault: Fault
    until: float

    @property
    def seconds(self) -> float:
        """Return how long the site was not at work once it could be."""
        return self.until - self.fault.counted_from


@dataclass(frozen=True)
class Figures:
    """What has happened.

    errors: answers that no fault explains. unasked: the last lines of parts that ended without having been killed.
    """

    minutes: float
    jobs: int
    succeeded: int
    faults: Sequence[Fault]
    recoveries: Sequence[Recovery]
    answers: Counter[str]
    errors: Sequence[str]
    unasked: Sequence[str]
    violations: Sequence[str]

    def table(self) -> str:
        """Return the figures as Markdown, and the slowest recoveries."""
        kinds = Counter(fault.kind for fault in self.faults)
        ones = [one for one in self.recoveries if one.fault.is_one]
        several = [one for one in self.recoveries if not one.fault.is_one]
        rows = [
            ("minutes", f"{self.minutes:.1f}"),
            ("jobs accepted, of which succeeded", f"{self.jobs}, {self.succeeded}"),
            ("jobs a second", f"{self.jobs / self.minutes / 60:.1f}"),
            ("faults", f"{len(self.faults)} ({', '.join(f'{count} {kind}' for kind, count in kinds.items())})"),
            ("violations", str(len(self.violations))),
            ("parts that ended by themselves", str(len(self.unasked))),
            ("recovery p50 / p99 / longest", _describe([one.seconds for one in self.recoveries])),
            (f"of {len(ones)} faults one at a time", _describe([one.seconds for one in ones])),
            (f"of {len(several)} faults on top of each other", _describe([one.seconds for one in several])),
            ("from the beginning of each freeze", _describe([one.until - one.fault.at for one in self.recoveries])),
            ("answers", ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))),
        ]
        lines = ["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
        for one in sorted(self.recoveries, key=lambda one: -one.seconds)[:10]:
            fault = one.fault
            at, end = (f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S}" for moment in (fault.at, fault.end))
            at_once = "" if fault.is_one else ", with another fault"
            lines.append(f"{one.seconds:.1f} s after {fault.part} was {fault.kind} from {at} to {end}{at_once}")
        return "\n".join([*lines, *self.errors[:50], *self.unasked, *self.violations[:50]])


def _describe(seconds: Sequence[float]) -> str:
    """Return median, 99th percentile and maximum."""
    percentiles = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [sum(seconds)] * 99
    return " / ".join(f"{value:.1f} s" for value in (percentiles[49], percentiles[98], max(seconds, default=0)))


def recoveries(services: Services, faults: Sequence[Fault], submits: Sequence[tuple[float, float]]) -> list[Recovery]:
    """Return, for each fault, until when it lasted that a later submit was accepted and a job had succeeded.

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
        since = fault.counted_from
        place, end = bisect_right(begins, since), bisect_right(ends, since)
        accepted = soonest[place] if place < len(soonest) else since
        done = ends[end] if end < len(ends) else since
        found.append(Recovery(fault, max(accepted, done)))
    return found
