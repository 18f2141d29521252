"""Brush strokes: the picture is laid on coarse to fine, each stroke along the forms it paints."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easel_painter.media.base import Draft, Medium, with_sparks
from easel_painter.media.surface import detail, directions, luma
from easel_painter.noise import Field, blur

_TURNS = 16
_MIN_ALPHA = 0.05


@dataclass(frozen=True)
class Handling:
    """How a brush is led. Widths are shares of the picture's shorter side."""

    largest: float = 1 / 9
    smallest: float = 1 / 190
    thinnest_px: float = 2.4
    length: tuple[float, float] = (2.6, 2.1)
    """Of a stroke in its widths, at the beginning and at the end."""

    cover: float = 0.34
    wobble: float = 0.16
    tone: float = 0.028
    """How much one stroke's brightness differs from the next."""

    hue: float = 0.016
    glaze: float = 0.75
    """How far the exact picture is laid over the strokes at the end, where there is detail."""

    plain: float = 0.22
    """The same share for parts without detail."""

    body: bool = False
    """Whether the paint stands up from the canvas."""

    hardness: float = 2.2
    """How sharp a stroke's edges are."""


@dataclass(frozen=True)
class _Stamp:
    """One stroke of one size and direction: which pixels around its middle, how thick the paint is and how it lies."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    alpha: Field
    height: Field


class Strokes(Medium):
    """A canvas on which strokes bring the picture towards its target: the painter's own look."""

    handling = Handling()

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self._rng = draft.stream("strokes")
        short, how = draft.short, self.handling
        self._largest, self._smallest = short * how.largest, max(how.thinnest_px, short * how.smallest)
        self._pad = int(self._largest * 1.6) + 4
        under = draft.under
        if how.body:
            under = np.concatenate([under, np.zeros_like(under[..., :1])], axis=-1)
        padded = np.pad(under, ((self._pad, self._pad), (self._pad, self._pad), (0, 0)), mode="edge")
        self._stride, self._channels = padded.shape[1:]
        self._paint = np.ascontiguousarray(padded.reshape(-1, self._channels), dtype=np.float32)
        grey = luma(draft.target)
        draft.report()
        self._angle = directions(grey, short // 90, short // 60).ravel()
        draft.report()
        interest = self.interest(grey)
        self._chance = np.cumsum(interest.ravel() + interest.mean() * 0.35 + 1e-9, dtype=np.float64)
        # Plain parts keep the look of the brush; edges and lights come out crisp.
        crisp = np.clip(interest / (interest.mean() * 3 + 1e-6), 0, 1)
        self._crisp = (how.plain + (1 - how.plain) * crisp).astype(np.float32)[..., None]
        self._soft: dict[int, Field] = {}

    def interest(self, grey: Field) -> Field:
        """Where the small strokes go: height x width."""
        return detail(grey, max(2, self.draft.short // 170))

    @property
    def canvas(self) -> Field:
        """The paint as it lies: height x width x 3, and its height as a fourth channel if it has body."""
        pad = self._pad
        whole = self._paint.reshape(-1, self._stride, self._channels)
        return whole[pad : pad + self.draft.height, pad : pad + self.draft.width]

    def picture(self) -> Field:
        """The strokes; the sparks appear in the last third."""
        return with_sparks(self.canvas[..., :3], self.draft.sparks, self._at * 3 - 2)

    _at = 0.0

    def step(self, number: int) -> None:
        """Lay large strokes first, then smaller, at last only where it matters."""
        how, steps = self.handling, self.draft.steps
        self._at = self.done(number)
        at = (number + 0.5) / steps
        width = self._largest * (self._smallest / self._largest) ** min(1.0, at * 1.12)
        length = width * (how.length[0] + (how.length[1] - how.length[0]) * at)
        # The first strokes will be painted over; the last are what is seen.
        cover = how.cover * (0.55 + 0.5 * at) * (50 / steps) ** 0.62
        area = self.draft.width * self.draft.height
        count = max(6, int(cover * area / (width * length * 0.62)))
        places = self._places(count, detail=max(0.0, at * 1.5 - 0.5))
        colours = self._colours(places, width, at)
        angles = self._angle[places] + self._rng.normal(0, how.wobble, count)
        turns = np.round(angles / np.pi * _TURNS).astype(np.int64) % _TURNS
        for turn in range(_TURNS):
            chosen = np.flatnonzero(turns == turn)
            if chosen.size:
                stamp = self._stamp(length, width, turn * np.pi / _TURNS)
                self._lay(places[chosen], colours[chosen], stamp)
        # Every other time is enough, and half the work.
        if at > 0.5 and (number % 2 or number == steps - 1):
            self._glaze(min(1.0, 14 / steps) * (at - 0.5) * 2 if number < steps - 1 else 0.6)

    def _stamp(self, length: float, width: float, angle: float) -> _Stamp:
        reach = int(np.ceil(length / 2)) + 1
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
        along = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) / np.float32(length / 2)
        across = (-x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle))) / np.float32(width / 2)
        body = np.clip((1 - np.abs(along) ** 2.6 - np.abs(across) ** 2.2) * np.float32(self.handling.hardness), 0, 1)
        # Bristles leave streaks, and the paint runs out towards the end.
        count = int(np.clip(width / 1.6, 9, 30)) if self.handling.body else 9
        bristles = self._rng.uniform(0.55, 1.0, count).astype(np.float32)
        streak = np.interp(across, np.linspace(-1, 1, count), bristles).astype(np.float32)
        alpha = body * streak * (0.92 - 0.22 * np.clip(along, -1, 1))
        keep = alpha > _MIN_ALPHA
        # The brush pushes paint to its sides, and lifts some where it leaves the canvas.
        height = (streak - 0.45) * (1 + 0.5 * np.abs(across) ** 3 - 0.35 * along)
        return _Stamp(y[keep].astype(np.int64), x[keep].astype(np.int64), alpha[keep], height[keep])

    def _places(self, count: int, detail: float) -> NDArray[np.int64]:
        """Pixel numbers: evenly at first, then more and more where there is something to see."""
        area = self.draft.width * self.draft.height
        anywhere = self._rng.integers(0, area, count)
        telling = np.searchsorted(self._chance, self._rng.random(count) * self._chance[-1])
        fine = self._rng.random(count) < detail
        return np.where(fine, np.minimum(telling, area - 1), anywhere).astype(np.int64)

    def _colours(self, places: NDArray[np.int64], width: float, at: float) -> Field:
        level = 1 << max(0, int(np.log2(max(1.0, width / 2.5))))
        if level not in self._soft:
            target = self.draft.target
            self._soft = {level: (blur(target, level) if level > 1 else target).reshape(-1, 3)}
        colours = self._soft[level][places]
        # No two strokes come from the palette quite alike.
        tone = self._rng.normal(0, self.handling.tone * (1 - 0.65 * at), (len(places), 1))
        hue = self._rng.normal(0, self.handling.hue * (1 - 0.5 * at), (len(places), 3))
        return (colours * (1 + tone) + hue * 0.7 + tone * 0.25).astype(np.float32)

    def _lay(self, places: NDArray[np.int64], colours: Field, stamp: _Stamp) -> None:
        middle = (places // self.draft.width + self._pad) * self._stride + places % self.draft.width + self._pad
        index = (middle[:, None] + (stamp.rows * self._stride + stamp.columns)[None, :]).ravel()
        # `take` is a good deal faster than an index, and has no bounds to check here.
        paint = np.take(self._paint, index, axis=0, mode="clip").reshape(len(places), -1, self._channels)
        fresh = colours[:, None, :] - paint[..., :3]
        fresh *= stamp.alpha[None, :, None]
        paint[..., :3] += fresh
        if self.handling.body:
            paint[..., 3] += stamp.alpha[None, :] * (stamp.height[None, :] - paint[..., 3])
        # Where strokes of one direction overlap, the last one wins, as wet paint does.
        self._paint[index] = paint.reshape(-1, self._channels)

    def _glaze(self, share: float) -> None:
        """A thin layer of the exact colour, most where there is detail."""
        view = self.canvas[..., :3]
        view += self._crisp * np.float32(self.handling.glaze * share) * (self.draft.target - view)
