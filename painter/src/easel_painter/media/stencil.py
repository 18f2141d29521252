"""Stencil and spray: three tones on a light wall, and one accent."""

import colorsys

import numpy as np
from numpy.typing import NDArray

from easel_painter.media.composed import Composed
from easel_painter.media.surface import luma, soften
from easel_painter.noise import Field

WALL = (0.90, 0.89, 0.86)
INKS = ((0.62, 0.61, 0.59), (0.30, 0.30, 0.31), (0.06, 0.06, 0.07))
"""The sprayed tones, from light to dark; each covers the darker part of the one before."""

SHARES = (0.62, 0.36, 0.15)
"""The part of the picture that each tone covers, where its lights and darks are evenly spread."""

DEFAULT_ACCENT = (0.83, 0.10, 0.12)
LARGEST_ACCENT = 0.10
"""The accent's part of the picture."""

_PALE = 0.16
"""The spread of a colour's channels below which it is no accent."""


class Stencil(Composed):
    """Sprayed through stencils: every pixel is wall, one of three greys or the accent."""

    def compose(self) -> tuple[Field, Field, Field]:
        """Cut one stencil for each tone, and one for what is most colourful."""
        draft = self.draft
        soft = soften(draft.target, max(1.0, draft.short / 150))
        grey = luma(soft)
        rng = draft.stream("spray")
        # Spray leaves a rim of dots at an edge, as wide as the can is far away.
        spray = rng.normal(0, 0.008, grey.shape).astype(np.float32)
        dust = rng.random(grey.shape, dtype=np.float32)
        wall = np.broadcast_to(np.asarray(WALL, dtype=np.float32), draft.target.shape)
        whole, arrival = wall.copy(), np.zeros_like(grey)
        for number, (ink, limit) in enumerate(zip(INKS, _limits(grey), strict=True)):
            cut = grey + spray < limit
            near = soften(cut.astype(np.float32), max(1.5, draft.short / 70))
            cut |= dust < 0.035 * near**2
            whole[cut] = ink
            arrival[cut] = (number + 1) / (len(INKS) + 1)
        accent, where = self._accent(soft)
        sprayed = where & (dust > 0.012)
        whole[sprayed] = accent
        arrival[sprayed] = 1.0
        return wall, whole, arrival

    def _accent(self, soft: Field) -> tuple[tuple[float, float, float], NDArray[np.bool_]]:
        """Return the accent's colour and where it is: the most colourful part of the most frequent strong hue."""
        chroma = soft.max(axis=-1) - soft.min(axis=-1)
        if chroma.max() < _PALE:
            return self.draft.accent or DEFAULT_ACCENT, np.zeros(chroma.shape, dtype=bool)
        hue = _hue(soft)
        strong = np.where(chroma >= _PALE, chroma**2, 0)
        # A hue that fills the picture is its background, not its accent.
        weight = np.bincount((hue * 24).astype(np.int64).ravel() % 24, weights=strong.ravel(), minlength=24)
        size = np.bincount((hue * 24).astype(np.int64).ravel() % 24, weights=(strong > 0).ravel(), minlength=24)
        score = weight / (size + 1) ** 0.85 * (size > 0.002 * hue.size)
        best = (int(np.argmax(score)) + 0.5) / 24
        near = np.abs((hue - best + 0.5) % 1 - 0.5) < 1 / 16
        able = np.sort(chroma[near], axis=None)[::-1]
        most = max(1, int(LARGEST_ACCENT * hue.size))
        limit = max(_PALE, float(able[most])) if able.size > most else _PALE
        colour = self.draft.accent or colorsys.hsv_to_rgb(best, 0.86, 0.86)
        return colour, near & (chroma > limit)


def _limits(grey: Field) -> list[float]:
    """Return the brightness below which each tone is: between even steps of light and even shares of the picture."""
    ordered = np.sort(grey, axis=None)
    low, high = (float(ordered[int(share * (ordered.size - 1))]) for share in (0.01, 0.99))
    return [
        0.5 * float(ordered[int(share * (ordered.size - 1))]) + 0.5 * (low + (high - low) * share) for share in SHARES
    ]


def _hue(rgb: Field) -> Field:
    """Return the hue of each pixel, 0 to 1."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    turn = np.arctan2(np.float32(np.sqrt(3)) * (green - blue), 2 * red - green - blue)
    return np.asarray(turn / np.float32(2 * np.pi) % 1, dtype=np.float32)
