"""Dividing a picture into cells around points: for triangles, glass and stones."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from easel_painter.noise import Field

Labels = NDArray[np.int32]

Spread = Callable[[Field], Field]
"""Turns values of seeds (rows x columns) into values of pixels (height x width)."""

Distance = Callable[[Spread], Field]
"""Answers how far each pixel is from a seed, whose values it gets by way of the spread."""


def nearest_points(points: Field, width: int, height: int, reach_px: float) -> Labels:
    """For each pixel of a grid the number of its nearest point (x, y in pixels), by jump flooding.

    No pixel may be farther than `reach_px` from its point. The result can be off by a pixel where cells meet.
    """
    label = np.full((height, width), -1, dtype=np.int32)
    column = np.clip(points[:, 0].astype(np.int32), 0, width - 1)
    row = np.clip(points[:, 1].astype(np.int32), 0, height - 1)
    label[row, column] = np.arange(len(points), dtype=np.int32)
    # Where there is no point yet, one far away stands for it.
    px = np.where(label >= 0, points[:, 0][label], np.float32(1e6)).astype(np.float32)
    py = np.where(label >= 0, points[:, 1][label], np.float32(1e6)).astype(np.float32)
    columns = np.arange(width, dtype=np.float32)[None, :]
    rows = np.arange(height, dtype=np.float32)[:, None]
    best = (px - columns) ** 2 + (py - rows) ** 2
    first = int(np.ceil(np.log2(max(2.0, min(reach_px, max(width, height))))))
    for jump in (1, *(1 << k for k in range(first, -1, -1)), 1):
        for dy in (-jump, 0, jump):
            for dx in (-jump, 0, jump):
                if (dx or dy) and abs(dx) < width and abs(dy) < height:
                    here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
                    there = (slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
                    distance = (px[there] - columns[:, here[1]]) ** 2 + (py[there] - rows[here[0]]) ** 2
                    nearer = distance < best[here]
                    for field in (label, px, py):
                        np.copyto(field[here], field[there], where=nearer)
                    np.copyto(best[here], distance, where=nearer)
    return label


class Lattice:
    """Seeds of cells that began as a regular grid and have stayed near their places.

    So a pixel's cell is among those around it, and no search is needed. Positions count in shares of the shorter
    side, so that the same seeds divide a picture of any size.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int, across: float, jitter: float) -> None:
        """`across` seeds stand along the shorter side of a picture of width x height pixels."""
        short = min(width, height)
        self.size = 1 / across
        self.columns, self.rows = max(2, round(width / short * across)), max(2, round(height / short * across))
        self._extent = (width / short, height / short)
        x = (np.arange(self.columns) + 0.5) / self.columns * self._extent[0]
        y = (np.arange(self.rows) + 0.5) / self.rows * self._extent[1]
        stir = rng.uniform(-jitter, jitter, (2, self.rows, self.columns)) * self.size
        self.x = (x[None, :] + stir[0]).astype(np.float32)
        self.y = (y[:, None] + stir[1]).astype(np.float32)
        self._home = self.x.copy(), self.y.copy()

    @property
    def count(self) -> int:
        """How many cells there are."""
        return self.columns * self.rows

    def move(self, x: Field, y: Field, far: float = 0.6) -> None:
        """Bring the seeds to new places, at most `far` of a cell from where they began."""
        reach = np.float32(far * self.size)
        self.x = np.clip(x.reshape(self.x.shape), self._home[0] - reach, self._home[0] + reach).astype(np.float32)
        self.y = np.clip(y.reshape(self.y.shape), self._home[1] - reach, self._home[1] + reach).astype(np.float32)

    def around(self, width: int, height: int, report: Callable[[], None]) -> "Around":
        """The way to ask, for each pixel of a picture of this size, for the cells around it."""
        return Around(self, width, height, report)


class Around:
    """A lattice seen from the pixels of a picture of one size."""

    def __init__(self, lattice: Lattice, width: int, height: int, report: Callable[[], None]) -> None:
        self.lattice = lattice
        self._report = report
        short = min(width, height)
        self.x = ((np.arange(width, dtype=np.float32) + 0.5) / np.float32(short))[None, :]
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / np.float32(short))[:, None]
        self._column = np.arange(width) * lattice.columns // width
        self._row = np.arange(height) * lattice.rows // height

    def divide(self, distance: Distance, reach: int = 1) -> tuple[Labels, Field, Field]:
        """For each pixel its cell's number, its distance to that and to the second nearest.

        Seeds up to `reach` places away are asked. `distance` is called for each place with a spread to those seeds, and
        answers the pixels' distances.
        """
        lattice = self.lattice
        shape = (len(self._row), len(self._column))
        label = np.zeros(shape, dtype=np.int32)
        best = np.full(shape, np.inf, dtype=np.float32)
        second = best.copy()
        numbers = np.arange(lattice.count, dtype=np.int32).reshape(lattice.rows, lattice.columns)
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                self._report()
                row, column = self._row + dy, self._column + dx
                inside = ((row >= 0) & (row < lattice.rows))[:, None] & ((column >= 0) & (column < lattice.columns))
                row, column = np.clip(row, 0, lattice.rows - 1), np.clip(column, 0, lattice.columns - 1)
                # Rows are spread first: the second step then copies whole ones.
                spread = _spreader(row, column)
                off = np.where(inside, distance(spread), np.float32(np.inf))
                nearer = off < best
                second = np.where(nearer, best, np.minimum(second, off))
                np.copyto(best, off, where=nearer)
                np.copyto(label, numbers[row][:, column], where=nearer)
        return label, best, second


def _spreader(row: NDArray[np.int64], column: NDArray[np.int64]) -> Spread:
    """A function that spreads values of seeds over the pixels whose seeds stand in these rows and columns."""

    def spread(values: Field) -> Field:
        return values[:, column][row]

    return spread


def cell_means(values: Field, labels: Labels, count: int) -> Field:
    """The mean of height x width x c values over each of `count` cells; 0 for an empty cell: count x c."""
    flat = labels.ravel()
    sizes = np.maximum(np.bincount(flat, minlength=count), 1)
    columns = [
        np.bincount(flat, weights=values[..., c].ravel(), minlength=count) / sizes for c in range(values.shape[-1])
    ]
    return np.stack(columns, axis=-1).astype(np.float32)
