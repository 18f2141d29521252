"""Watercolour: transparent washes on white paper, light ones first, pigment gathering at their edges."""

import numpy as np

from easel_painter.media.base import Draft
from easel_painter.media.layers import Layers
from easel_painter.media.surface import luma, paper, relief, saturate, soften
from easel_painter.noise import Field, fbm, smoothstep

_PAPER = np.asarray((0.975, 0.965, 0.94), dtype=np.float32)
_LEVELS = 6
_DARKEST = 2.1
"""The absorbance (natural logarithm) that the darkest wash reaches; pigment is never black."""


class Watercolour(Layers):
    """Washes of pigment. Each covers what is darker than its level, the first nearly everything."""

    def __init__(self, draft: Draft) -> None:
        width, height, short = draft.width, draft.height, draft.short
        turbulence = fbm(draft.stream("turbulence"), width, height, (width / short * 7, height / short * 7), 4)
        downwards = np.linspace(0, 0.75, height, dtype=np.float32)[:, None]
        super().__init__(draft, max(2, round(_LEVELS * draft.refinement)), downwards + 0.25 * turbulence)
        self._grain = paper(draft.stream("paper"), width, height, short)
        draft.report()
        target = self._wobbled(saturate(draft.target, 1.18))
        draft.report()
        darkness = -np.log(np.clip(soften(luma(target), short / 400), 0.03, 1))
        self._body = np.minimum(darkness, np.float32(_DARKEST) + 0.25 * (darkness - np.float32(_DARKEST)))
        self._hues = self._bled(target, turbulence)
        draft.report()
        # How thickly pigment lies: pools where the sheet was wet, grains in the valleys of the paper.
        self._density = 1 + np.float32(0.6) * (turbulence - 0.5) + np.float32(0.27) * (0.5 - self._grain)
        self._sheet = self._painted_part(turbulence)
        self._edge = (turbulence - 0.5) * np.float32(0.22)

    def _wobbled(self, target: Field) -> Field:
        """A hand does not follow an edge exactly: the picture pulled about by a few pixels."""
        draft = self.draft
        cells = (draft.width / draft.short * 26, draft.height / draft.short * 26)
        rng = draft.stream("hand")
        reach = np.float32(draft.short * 0.010)
        dx, dy = ((fbm(rng, draft.width, draft.height, cells, 2) - 0.5) * reach for _ in range(2))
        rows = np.clip(np.arange(draft.height, dtype=np.float32)[:, None] + dy, 0, draft.height - 1)
        columns = np.clip(np.arange(draft.width, dtype=np.float32)[None, :] + dx, 0, draft.width - 1)
        return np.asarray(target[rows.astype(np.int32), columns.astype(np.int32)])

    def _bled(self, target: Field, turbulence: Field) -> Field:
        """Each pixel's pigment, as absorbance per unit of body: colours run into each other, most where it is wet."""
        short = self.draft.short
        near, far = soften(target, short / 150), soften(target, short / 22)
        share = (np.float32(0.15) + np.float32(0.6) * smoothstep(0.45, 0.75, turbulence))[..., None]
        mixed = np.clip(near + (far - near) * share, 0.03, 0.995)
        absorbed = -np.log(mixed)
        return np.asarray(absorbed / (luma(absorbed) + np.float32(0.02))[..., None], dtype=np.float32)

    def _painted_part(self, turbulence: Field) -> Field:
        """1 where washes go, 0 on the border of bare paper, ragged as a broad brush leaves it."""
        draft = self.draft
        x = np.minimum(np.arange(draft.width) + 1, draft.width - np.arange(draft.width)).astype(np.float32)
        y = np.minimum(np.arange(draft.height) + 1, draft.height - np.arange(draft.height)).astype(np.float32)
        inwards = np.minimum(x[None, :], y[:, None]) / np.float32(draft.short)
        ragged = inwards + np.float32(0.050) * (turbulence - 0.5) + np.float32(0.006) * (self._grain - 0.5)
        return smoothstep(0.026, 0.033, ragged)

    def layer(self, number: int) -> Field:
        """One wash: the part of each pixel's darkness between its two levels, darker along its own edge."""
        low, high = (_level(self.count, k) for k in (number, number + 1))
        # Wet in wet below, sharper and sharper above.
        soft = (high - low) * (0.9 - 0.55 * number / self.count)
        cover = smoothstep(low - soft * 0.2, low + soft, self._body + self._edge * (high - low)) * self._sheet
        within = np.clip((self._body - np.float32(low)) / np.float32(high - low), 0, 1)
        wash = cover * (np.float32(0.55) + np.float32(0.45) * within) * np.float32(high - low)
        rim = np.clip(cover - soften(cover, self.draft.short / 110), 0, 1)
        return np.asarray(wash + rim * np.float32(0.65 * (high - low) + 0.06), dtype=np.float32)

    def picture(self) -> Field:
        """The sheet: paper, less what the pigment absorbs. The sparks are drops of opaque white."""
        draft = self.draft
        absorbed = self.amount() * self._density
        sheet = _PAPER * np.exp(-self._hues * absorbed[..., None])
        tooth = relief(self._grain, 0.35) * np.float32(0.035)
        splashes = draft.sparks * self._sheet[..., None] * np.float32(max(0.0, 3 * self._finished / self.count - 2))
        return np.asarray(sheet + splashes * (1 - sheet) + tooth[..., None], dtype=np.float32)


def _level(count: int, number: int) -> float:
    """Where wash `number` begins, as absorbance: they follow each other closely where the eye sees most."""
    return float(0.07 + (_DARKEST - 0.07) * (number / count) ** 1.4)
