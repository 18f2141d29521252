"""How many rows of a batch go through the network at once, measured for each size of picture.

Two facts decide. Wider batches cost less for each row, up to a point. And the numbers of a row must not depend on its
neighbours: the libraries underneath use other kernels for other widths, which add in another order. So the widths that
are used for one size are those whose rows are equal bit for bit to those of the narrowest. Where no two widths agree,
one width is used, the widest that takes hardly longer than the narrowest; batches are then always filled up to it.
"""

import logging
import platform
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from generator.engines.diffusion.orders import Bucket
from generator.engines.diffusion.record import Record

log = logging.getLogger("easel.generator")

CANDIDATES = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)

FEW_CANDIDATES = (1, 2, 4, 8, 16, 32)
"""For sizes other than the model's own, which are measured while orders wait."""

MAX_RUN_S = 1.0
"""A width is not tried once a run of the one before took longer: the steps of few orders would take too long."""

MIN_GAIN = 0.97
"""A wider batch must take less than this share of the time for each row."""

FREE = 1.1
"""A single order may take this much longer for the sake of equal pixels."""

BUSY = 1.5
"""Other programs are in the way if a run takes so many times the processor time of its thread."""

MOST_WHEN_BUSY = 32
"""Then times mean nothing, and all widths up to this are used that agree."""

_RUNS = 3
_ENOUGH_S = 0.4
"""A width is timed up to so many times, but not again after so long: the longer a run, the less it varies."""

Network = Callable[[int], torch.Tensor]
"""Runs the network on the first so many rows of fixed input and returns its output."""


@dataclass(frozen=True)
class Widths:
    """The widths that may be used for one size of picture, narrowest first; `seconds` is what each takes."""

    rows: tuple[int, ...]
    seconds: tuple[float, ...]
    settled: bool = True
    """False if others may be chosen at the next start: this machine was busy, and the pixels are the same."""

    @property
    def widest(self) -> int:
        """Return how many rows fit at most."""
        return self.rows[-1]

    def fit(self, rows: int) -> int:
        """Return the width in which so many rows run."""
        return next(width for width in self.rows if width >= rows)

    def halved(self) -> "Widths | None":
        """Return the widths without the widest, because memory was exhausted; None if there is no narrower one."""
        return Widths(self.rows[:-1], self.seconds[:-1]) if len(self.rows) > 1 else None


def measure(run: Network, smallest: int, exact: bool = True, candidates: Sequence[int] = CANDIDATES) -> Widths:
    """Choose widths for a network; `smallest` is how many rows an order has. Without `exact` last bits may differ."""
    outputs: dict[int, torch.Tensor] = {}
    seconds: dict[int, float] = {}
    calm = True
    for width in (width for width in candidates if width >= smallest and (calm or width <= MOST_WHEN_BUSY)):
        try:
            outputs[width], seconds[width], calm = _time(run, width, _RUNS if calm else 0)
        except (torch.OutOfMemoryError, RuntimeError):
            if width == smallest:
                raise
            break
        if seconds[width] > MAX_RUN_S or (calm and _pays_no_more(seconds)):
            break
    groups = _groups(outputs) if exact else [list(outputs)]
    if calm or len(groups) > 1:
        return choose(seconds, groups)
    return Widths(tuple(seconds), tuple(seconds.values()), settled=False)


def _time(run: Network, width: int, runs: int) -> tuple[torch.Tensor, float, bool]:
    """Return the output, the least time of so many runs, and whether no other programs were in the way."""
    output, first, _ = _once(run, width)  # makes the kernels, so it counts only where it is the only one
    own, wall = list[float](), list[float]()
    while len(own) < runs and sum(own) < _ENOUGH_S:
        output, *times = _once(run, width)
        own.append(times[0])
        wall.append(times[1])
    return output, min(own or [first]), bool(own) and sum(wall) < BUSY * sum(own)


def _once(run: Network, width: int) -> tuple[torch.Tensor, float, float]:
    """Return the output, and how long it took in time of this thread (on a GPU, of the clock) and of the clock."""
    own, wall = time.thread_time(), time.perf_counter()
    output = run(width)
    _ = output[0, 0, 0, 0].item()  # waits for a GPU
    # Not the time of all threads: those that wait for work count in some settings of OpenMP and not in others.
    taken = time.perf_counter() - wall
    return output, taken if output.is_cuda else time.thread_time() - own, taken


def _pays_no_more(seconds: dict[int, float]) -> bool:
    """Return whether the two widest so far take as long for each row as a narrower one."""
    rows = [taken / width for width, taken in seconds.items()]
    return len(rows) > 2 and min(rows[-2:]) > MIN_GAIN * min(rows[:-2])


def _groups(outputs: dict[int, torch.Tensor]) -> list[list[int]]:
    """Return the widths whose rows are equal bit for bit, by the narrowest of each group."""
    groups: list[list[int]] = []
    for width, output in outputs.items():
        for group in groups:
            narrow = outputs[group[0]]
            if torch.equal(narrow, output[: len(narrow)]):
                group.append(width)
                break
        else:
            groups.append([width])
    return groups


def choose(seconds: dict[int, float], groups: list[list[int]]) -> Widths:
    """Choose the widths from what each takes and from which are equal."""
    least = seconds[min(seconds)]
    # Groups in which a single order is hardly held up by rows that it does not need.
    quick = [group for group in groups if seconds[group[0]] <= least * FREE]
    best = min(quick, key=lambda group: min(seconds[width] / width for width in group))
    if len(best) > 1:
        return _worthwhile(seconds, best)
    widest = max(width for width in seconds if seconds[width] <= least * FREE)
    return Widths((widest,), (seconds[widest],))


def _worthwhile(seconds: dict[int, float], widths: list[int]) -> Widths:
    """Leave out the widest ones that take as long for each row as narrower ones."""
    kept = list(widths)
    while len(kept) > 1 and seconds[kept[-1]] / kept[-1] > MIN_GAIN * min(seconds[w] / w for w in kept[:-1]):
        kept.pop()
    return Widths(tuple(kept), tuple(seconds[width] for width in kept))


class WidthsByBucket(dict[Bucket, Widths]):
    """The widths of one network for each bucket; those of a new one are measured, unless an earlier start did so."""

    def __init__(self, record: Record, key: str, exact: bool, sample: Callable[[Bucket], Network]) -> None:
        super().__init__()
        self._record = record
        self._key = key
        self._exact = exact
        self._sample = sample

    def __missing__(self, bucket: Bucket) -> Widths:
        """Measure few widths, since orders wait."""
        return self.measure(bucket, FEW_CANDIDATES)

    def measure(self, bucket: Bucket, candidates: Sequence[int]) -> Widths:
        """Find the widths of a bucket and keep them."""
        key = "/".join(map(str, (self._key, *bucket)))
        found = from_record(self._record.find(key), bucket.rows)
        if found is None:
            found = measure(self._sample(bucket), bucket.rows, self._exact, candidates)
            if found.settled:
                self._record.write(key, asdict(found))
        log.info("%s: widths %s", bucket, found.rows)
        self[bucket] = found
        return found


def from_record(entry: object, smallest: int) -> Widths | None:
    """Return the widths of an entry that `asdict` made, None if it is something else or not for orders of these rows.

    The file may be damaged: widths too narrow would never fit an order, and others take any amount of memory.
    """
    match entry:
        case {"rows": [*rows], "seconds": [*seconds]} if rows and len(rows) == len(seconds):
            known = [width for width in CANDIDATES if width >= smallest and width in rows]
            if known == rows and all(isinstance(taken, int | float) for taken in seconds):
                return Widths(tuple(known), tuple(map(float, seconds)))
    return None


def processor() -> str:
    """Return the name of this machine's processor and the instructions that torch uses on it."""
    try:
        names = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = None
    return f"{names[1] if names else platform.processor()} {torch.backends.cpu.get_cpu_capability()}"
