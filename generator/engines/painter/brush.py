"""Brush strokes: the picture is laid on coarse to fine, each stroke along the forms it paints."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.engines.painter.noise import Field, blur, stream

_TURNS = 16
_MIN_ALPHA = 0.05


@dataclass(frozen=True)
class _Stamp:
    """One stroke of one size and direction: which pixels around its middle, and how thick the paint is there."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    alpha: Field


def _stamp(rng: np.random.Generator, length: float, width: float, angle: float) -> _Stamp:
    reach = int(np.ceil(length / 2)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) / np.float32(length / 2)
    across = (-x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle))) / np.float32(width / 2)
    body = np.clip((1 - np.abs(along) ** 2.6 - np.abs(across) ** 2.2) * np.float32(2.2), 0, 1)
    # Bristles leave streaks, and the paint runs out towards the end.
    bristles = rng.uniform(0.55, 1.0, 9).astype(np.float32)
    streak = np.interp(across, np.linspace(-1, 1, 9), bristles).astype(np.float32)
    alpha = body * streak * (0.92 - 0.22 * np.clip(along, -1, 1))
    keep = alpha > _MIN_ALPHA
    return _Stamp(y[keep].astype(np.int64), x[keep].astype(np.int64), alpha[keep])


class Easel:
    """A canvas on which strokes bring the picture towards its target."""

    def __init__(self, target: Field, under: Field, seed: tuple[object, ...], steps: int) -> None:
        self.height, self.width = target.shape[:2]
        self._target = target
        self._steps = steps
        self._rng = stream("strokes", *seed)
        short = min(self.width, self.height)
        self._largest, self._smallest = short / 9, max(2.6, short / 150)
        self._pad = int(self._largest * 1.6) + 4
        padded = np.pad(under, ((self._pad, self._pad), (self._pad, self._pad), (0, 0)), mode="edge")
        self._stride = padded.shape[1]
        self._paint = np.ascontiguousarray(padded.reshape(-1, 3), dtype=np.float32)
        luma = target.mean(axis=-1, dtype=np.float32)
        self._angle = _directions(luma, short)
        edges = _detail(luma, short)
        self._chance = np.cumsum(edges.ravel() + edges.mean() * 0.35, dtype=np.float64)
        # Plain parts keep the look of the brush; edges and lights come out crisp.
        self._crisp = (0.22 + 0.78 * np.clip(edges / (edges.mean() * 3 + 1e-6), 0, 1)).astype(np.float32)[..., None]
        self._soft: dict[int, Field] = {}

    @property
    def picture(self) -> Field:
        """The canvas as it stands: height x width x 3."""
        pad = self._pad
        whole = self._paint.reshape(-1, self._stride, 3)
        return whole[pad : pad + self.height, pad : pad + self.width]

    def step(self, number: int) -> None:
        """Lay the strokes of step `number`, from 0: large ones first, then smaller, at last only where it matters."""
        at = (number + 0.5) / self._steps
        width = self._largest * (self._smallest / self._largest) ** min(1.0, at * 1.12)
        length = width * (2.6 - 0.5 * at)
        cover = 0.34 * (50 / self._steps) ** 0.62
        count = max(6, int(cover * self.width * self.height / (width * length * 0.62)))
        places = self._places(count, detail=max(0.0, at * 1.5 - 0.5))
        colours = self._colours(places, width, at)
        turns = (
            np.round((self._angle[places] + self._rng.normal(0, 0.16, count)) / np.pi * _TURNS).astype(np.int64)
            % _TURNS
        )
        for turn in range(_TURNS):
            chosen = np.flatnonzero(turns == turn)
            if chosen.size:
                stamp = _stamp(self._rng, length, width, turn * np.pi / _TURNS)
                self._lay(places[chosen], colours[chosen], stamp)
        if at > 0.5:
            self._glaze((at - 0.5) * 2)

    def _places(self, count: int, detail: float) -> NDArray[np.int64]:
        """Pixel numbers: evenly at first, then more and more where there is something to see."""
        anywhere = self._rng.integers(0, self.width * self.height, count)
        telling = np.searchsorted(self._chance, self._rng.random(count) * self._chance[-1])
        fine = self._rng.random(count) < detail
        return np.where(fine, np.minimum(telling, self.width * self.height - 1), anywhere).astype(np.int64)

    def _colours(self, places: NDArray[np.int64], width: float, at: float) -> Field:
        level = 1 << max(0, int(np.log2(max(1.0, width / 2.5))))
        if level not in self._soft:
            self._soft = {level: blur(self._target, level).reshape(-1, 3) if level > 1 else self._target.reshape(-1, 3)}
        colours = self._soft[level][places]
        # No two strokes come from the palette quite alike.
        tone = self._rng.normal(0, 0.030 * (1 - 0.65 * at), (len(places), 1))
        hue = self._rng.normal(0, 0.018 * (1 - 0.5 * at), (len(places), 3))
        return (colours * (1 + tone) + hue * 0.7 + tone * 0.25).astype(np.float32)

    def _lay(self, places: NDArray[np.int64], colours: Field, stamp: _Stamp) -> None:
        middle = (places // self.width + self._pad) * self._stride + places % self.width + self._pad
        index = (middle[:, None] + (stamp.rows * self._stride + stamp.columns)[None, :]).ravel()
        old = self._paint[index].reshape(len(places), -1, 3)
        # Where strokes of one direction overlap, the last one wins, as wet paint does.
        new = old + stamp.alpha[None, :, None] * (colours[:, None, :] - old)
        self._paint[index] = new.reshape(-1, 3)

    def _glaze(self, share: float) -> None:
        """A thin layer of the exact colour, most where there is detail."""
        view = self.picture
        view += self._crisp * np.float32(min(0.75, 5.5 / self._steps) * share) * (self._target - view)


def _directions(luma: Field, short: int) -> Field:
    """For each pixel the angle along which the picture changes least; flat parts flow gently sideways."""
    soft = blur(luma, max(2, short // 90))
    dy, dx = np.gradient(soft)
    reach = max(2, short // 60)
    xx, yy, xy = (blur(np.asarray(product, dtype=np.float32), reach) for product in (dx * dx, dy * dy, dx * dy))
    # A weak pull towards the level, so that sky and water are painted sideways.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy - np.float32(2e-6)) + np.float32(np.pi / 2)
    return angle.astype(np.float32).ravel()


def _detail(luma: Field, short: int) -> Field:
    """How much there is to see at each pixel."""
    dy, dx = np.gradient(luma)
    return blur(np.asarray(np.sqrt(dx * dx + dy * dy), dtype=np.float32), max(2, short // 170))
