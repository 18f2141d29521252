"""Curved strokes: thick paint in long bent strokes that run along the picture's forms and swirl where it is plain."""

import numpy as np

from easel_painter.media.base import Draft, Medium
from easel_painter.media.surface import directions, luma, relief, saturate, soften
from easel_painter.noise import Field, fbm

_WIDEST, _NARROWEST = 1 / 26, 1 / 85
"""The width of a stroke as a share of the shorter side, at the beginning and at the end."""

_THINNEST_PX = 2.6
_LENGTH = 9.0
"""The length of a stroke in its widths."""

_COVER = 5.0
"""How often all strokes together cover the picture."""

_BRISTLES = 7
_MOST_PLACES = 2_000_000
"""The pixels that are painted at one time, which bounds the memory."""


class CurvedStrokes(Medium):
    """Each stroke follows the directions along which the picture changes least."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self._rng = draft.stream("curved strokes")
        grey = luma(draft.target)
        draft.report()
        cells = (draft.width / draft.short * 2.2, draft.height / draft.short * 2.2)
        swirl = fbm(draft.stream("swirl"), draft.width, draft.height, cells, 2) * np.float32(2 * np.pi)
        self.angle = directions(grey, draft.short // 120, draft.short / 40, swirl, pull=2e-5)
        """The direction of a stroke at each pixel: height x width."""
        draft.report()
        self._colour = saturate(soften(draft.target, max(1.0, draft.short / 180)), 1.28)
        self._paint = saturate(draft.under, 1.15).reshape(-1, 3).copy()
        self._thick = np.zeros(draft.height * draft.width, dtype=np.float32)

    def step(self, number: int) -> None:
        """Lay the strokes of one step; they grow narrower."""
        draft = self.draft
        at = (number + 0.5) / draft.steps
        width = max(_THINNEST_PX, draft.short * _WIDEST * (_NARROWEST / _WIDEST) ** at)
        count = (
            int(_COVER * draft.width * draft.height / (width * width * _LENGTH) / draft.steps * (0.6 + 0.8 * at)) + 1
        )
        most = max(1, int(_MOST_PLACES / (_LENGTH * 2 * width * width)))
        for start in range(0, count, most):
            draft.report()
            self._lay(min(most, count - start), width)

    def _lay(self, count: int, width: float) -> None:
        """Lay strokes of one width at random places."""
        draft, rng = self.draft, self._rng
        x = rng.uniform(0, draft.width, count).astype(np.float32)
        y = rng.uniform(0, draft.height, count).astype(np.float32)
        colour = self._colour[y.astype(np.int64), x.astype(np.int64)]
        tone = rng.normal(0, 0.06, (count, 1)) + rng.normal(0, 0.02, (count, 3))
        bristles = rng.uniform(-1, 1, (count, _BRISTLES)).astype(np.float32)
        reach = int(np.ceil(width / 2))
        dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        inside = dx * dx + dy * dy <= (width / 2) ** 2
        dx, dy = dx[inside], dy[inside]
        paint = (colour * (1 + tone) + tone * 0.3).astype(np.float32)
        for px, py, turn in self._walk(x, y, width):
            across = (dy[None, :] * np.cos(turn)[:, None] - dx[None, :] * np.sin(turn)[:, None]) / np.float32(width / 2)
            hair = np.clip((across + 1) / 2 * _BRISTLES, 0, _BRISTLES - 1).astype(np.int64)
            ridge = np.take_along_axis(bristles, hair, axis=1)
            column = np.clip(px[:, None].astype(np.int64) + dx, 0, draft.width - 1)
            row = np.clip(py[:, None].astype(np.int64) + dy, 0, draft.height - 1)
            index = (row * draft.width + column).ravel()
            self._paint[index] = (paint[:, None, :] * (1 + 0.09 * ridge[..., None])).reshape(-1, 3)
            self._thick[index] = (1 - across * across + 0.55 * ridge).ravel()

    def _walk(self, x: Field, y: Field, width: float) -> list[tuple[Field, Field, Field]]:
        """Return places and directions along strokes that begin here, one entry for each dab of the brush."""
        draft = self.draft
        turn = self._turn(x, y)
        dabs = []
        for _ in range(int(2 * _LENGTH)):
            dabs.append((x, y, turn))
            x = np.clip(x + np.cos(turn) * np.float32(width / 2), 0, draft.width - 1)
            y = np.clip(y + np.sin(turn) * np.float32(width / 2), 0, draft.height - 1)
            fresh = self._turn(x, y)
            # A direction has no sign: the stroke goes on the way it came.
            turn = np.where(np.cos(fresh - turn) < 0, fresh + np.float32(np.pi), fresh)
        return dabs

    def _turn(self, x: Field, y: Field) -> Field:
        return np.asarray(self.angle[y.astype(np.int64), x.astype(np.int64)])

    def picture(self) -> Field:
        """Return the paint, its ridges lit from the upper left, with lights as dabs."""
        draft = self.draft
        shape = (draft.height, draft.width)
        size = max(1.0, draft.short / 512)
        light = relief(soften(self._thick.reshape(shape), 0.7 * size), 0.6 * size)
        paint = self._paint.reshape(*shape, 3)
        return np.asarray(paint + draft.sparks * (1 - paint) * np.float32(0.5) + light[..., None] * np.float32(0.16))
