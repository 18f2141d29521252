"""The rows of a benchmark, and their Markdown table."""

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Bound:
    """The limit of a ratio: a minimum, or a maximum with `at_most`."""

    value: float
    at_most: bool = False

    def holds(self, ratio: float) -> bool:
        """Return whether a ratio is within the bound."""
        return ratio <= self.value if self.at_most else ratio >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.value:g}"


@dataclass(frozen=True)
class Row:
    """One comparison: the medians of all rounds in `unit`, and ours divided by theirs.

    A row without `theirs` has no ratio.
    """

    name: str
    unit: str
    ours: float
    theirs: float | None
    beside: str
    bound: Bound | None = None

    @classmethod
    def beside_rival(cls, name: str, unit: str, figures: tuple[float, float], *, less_is_better: bool = False) -> "Row":
        """Return a row beside another build of Easel: at most 5 % worse than that build."""
        return cls(
            name, unit, *figures, "the other build", Bound(1.05, at_most=True) if less_is_better else Bound(0.95)
        )

    @property
    def ratio(self) -> float | None:
        """Return ours divided by theirs, or None without theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def missed(self) -> bool:
        """Return whether the ratio is outside its bound."""
        return self.bound is not None and self.ratio is not None and not self.bound.holds(self.ratio)


def in_turns(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Measure A B B A A B ... and return the two medians.

    The order changes each round, so that neither side is always measured second.
    """
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            found[side].append((ours, theirs)[side]())
    return median(found[0]), median(found[1])


def markdown(rows: Sequence[Row]) -> str:
    """Format the rows as a table, followed by a line about the machine."""
    return "\n".join(_lines(rows))


def machine() -> str:
    """Return a short description of the machine that the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores, {platform.system()} {platform.machine()}, {python}"


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    yield "| what | Easel | beside | compared with | ratio | bound |"
    yield "|---|---:|---:|---|---:|---|"
    for row in rows:
        theirs = "" if row.theirs is None else f"{_figure(row.theirs)} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        bound = "" if row.bound is None else f"{row.bound} {'**missed**' if row.missed else 'holds'}"
        yield f"| {row.name} | {_figure(row.ours)} {row.unit} | {theirs} | {row.beside} | {ratio} | {bound} |"
    yield ""
    yield f"Medians, measured in turns on {machine()}."


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
