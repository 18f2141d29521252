"""Photograph and render: no strokes; the picture comes up out of blur and noise."""

import numpy as np

from easel_painter.media.base import Draft, Medium, with_sparks
from easel_painter.media.surface import luma, saturate, soften
from easel_painter.noise import Field, blur, resize

_BLURS = (0.0, 1.5, 4.0, 10.0, 26.0)
"""How far the picture is out of focus, stage by stage: pixels of 512 on the shorter side."""


class Photo(Medium):
    """A photograph: bloom around lights, falloff to the corners, fine grain."""

    grain = 0.022
    falloff = 0.40

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self._sharp = self.developed(draft.target)
        draft.report()
        rng = draft.stream("grain")
        noise = rng.standard_normal((draft.height, draft.width), dtype=np.float32)
        size = draft.short / 700
        self._noise = soften(noise, size * 0.55) * np.float32(1 + size) if size > 1 else noise
        self._coarse = resize(
            rng.standard_normal((max(2, draft.height // 6), max(2, draft.width // 6)), dtype=np.float32),
            draft.width,
            draft.height,
        )
        self._share = 0.0

    def developed(self, target: Field) -> Field:
        """The scene as the lens and the film see it."""
        draft = self.draft
        near = soften(target, max(0.8, draft.short / 420))
        crisp = target + (target - near) * np.float32(0.75)
        wide = blur(target, max(2, draft.short // 14))
        crisp += (luma(target) - luma(wide))[..., None] * np.float32(0.16)
        draft.report()
        lights = np.clip(target + draft.sparks * np.float32(0.5) - np.float32(0.74), 0, 1)
        for radius, share in ((draft.short / 60, 0.5), (draft.short / 16, 0.45)):
            crisp += blur(lights, max(2, radius)) * np.float32(share)
            draft.report()
        # A gentle curve: darks a little lifted, lights rolled off.
        curve = np.clip(crisp, 0, 1.3)
        curve = curve * (np.float32(1.07) - np.float32(0.07) * curve * curve) + np.float32(0.012) * (1 - curve)
        x = np.linspace(-1, 1, draft.width, dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, draft.height, dtype=np.float32)[:, None]
        corner = 1 - np.float32(self.falloff) * np.clip((x * x + y * y) / 2 - 0.18, 0, 1)
        return np.asarray(saturate(curve, 0.94) * corner[..., None], dtype=np.float32)

    def _out_of_focus(self, stage: int) -> Field:
        return blur(self._sharp, max(1.0, self.draft.short / 512 * _BLURS[stage])) if stage else self._sharp

    def step(self, number: int) -> None:
        """Bring the picture nearer to focus."""
        self._share = self.done(number)

    def picture(self) -> Field:
        """Between two stages of focus, with noise that falls to the film's own grain."""
        share = self._share
        # One step alone stays a little out of focus.
        sharpest = 0.0 if self.draft.steps > 4 else 1.0
        at = max(sharpest, (len(_BLURS) - 1) * (1 - share) ** 1.6)
        lower = min(int(at), len(_BLURS) - 2)
        picture = self._out_of_focus(lower)
        if at > lower:
            picture = picture + (self._out_of_focus(lower + 1) - picture) * np.float32(at - lower)
        picture = with_sparks(picture, self.draft.sparks, share * 3 - 2)
        unrest = np.float32(0.16 * (1 - share) ** 1.3)
        grain = self._noise * np.float32(self.grain) + (self._noise * np.float32(0.5) + self._coarse) * unrest
        # Film is quiet in the deepest darks and in the lights.
        tone = np.clip(luma(picture), 0, 1)
        return np.asarray(picture + (grain * (np.float32(0.45) + 2.2 * tone * (1 - tone)))[..., None])


class Render(Photo):
    """A picture computed by a machine: clear, contrasting, with beams of light and glow."""

    grain = 0.004
    falloff = 0.52

    def developed(self, target: Field) -> Field:
        """The scene with shade in its corners, rays from the light, cool darks and warm lights."""
        draft = self.draft
        grey = luma(target)
        # What is darker than its surroundings gets darker still, as corners do that light hardly reaches.
        shade = np.clip(blur(grey, max(2, draft.short // 24)) - grey, -0.25, 0.35)
        lit = target * (1 - np.float32(0.75) * np.clip(shade, 0, 1))[..., None]
        lit -= np.clip(shade, -1, 0)[..., None] * np.float32(0.35)
        draft.report()
        draft.report()
        rays = self._rays(np.clip(target - np.float32(0.60), 0, 1))
        lit = lit + rays * (1 - np.clip(lit, 0, 1)) * np.float32(0.9)
        draft.report()
        contrast = (lit - np.float32(0.42)) * np.float32(1.14) + np.float32(0.42)
        tone = np.clip(luma(contrast), 0, 1)[..., None]
        tint = np.asarray((0.035, 0.005, -0.035), dtype=np.float32)
        graded = contrast + tint * (tone - np.float32(0.42)) * 2
        draft.report()
        return super().developed(np.clip(saturate(graded, 1.22), 0, 1))

    def _rays(self, lights: Field) -> Field:
        """The lights drawn out away from where the light stands: a sum of growing copies."""
        draft = self.draft
        scale = min(1.0, 256 / draft.short)
        width, height = max(8, round(draft.width * scale)), max(8, round(draft.height * scale))
        small = np.stack([resize(lights[..., c], width, height) for c in range(3)], axis=-1)
        x0, y0 = draft.light[0] * scale, draft.light[1] * scale
        total = np.zeros_like(small)
        for k in range(24):
            nearer = np.float32(1 - 0.62 * k / 24)
            x = np.clip(x0 + (np.arange(width) - x0) * nearer, 0, width - 1).astype(np.int64)
            y = np.clip(y0 + (np.arange(height) - y0) * nearer, 0, height - 1).astype(np.int64)
            total += small[y][:, x] * np.float32((1 - k / 24) / 12)
        return np.stack([resize(total[..., c], draft.width, draft.height) for c in range(3)], axis=-1)
