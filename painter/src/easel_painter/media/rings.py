"""Rings: discs of pure colour around the picture's centres of interest, each ring in sectors."""

import numpy as np

from easel_painter.media.base import Draft
from easel_painter.media.cells import Labels, cell_means
from easel_painter.media.composed import Composed
from easel_painter.media.surface import detail, luma, saturate, soften
from easel_painter.noise import Field

CENTRES = 5
RINGS = 7
"""The rings of one disc within its radius; outside of it they go on."""

SECTORS = 4
TONES = 3
_MOST_RINGS = 48


class Rings(Composed):
    """Concentric rings, in sectors: neighbours contrast, and the picture's lights and darks remain."""

    def __init__(self, draft: Draft) -> None:
        self.centres: list[tuple[float, float, float]] = []
        """Middle (x, y) and radius in pixels of each disc, the largest first."""
        super().__init__(draft)

    def compose(self) -> tuple[Field, Field, Field]:
        """Divide the picture into sectors of rings and into its tones, and give each part one pure colour."""
        draft = self.draft
        soft = soften(draft.target, max(1.0, draft.short / 90))
        grey = luma(soft)
        self.centres = _centres(grey, draft.short)
        disc, ring, sector = self._places()
        ordered = np.sort(grey, axis=None)
        limits = [float(ordered[int(k / TONES * (ordered.size - 1))]) for k in range(1, TONES)]
        # Rounding in a flat part is no tone.
        tone = np.sum([grey > limit + np.float32(1e-3) for limit in limits], axis=0)
        part = ((disc * _MOST_RINGS + ring) * SECTORS + sector) * TONES + tone
        used, label = np.unique(part, return_inverse=True)
        cells: Labels = label.reshape(part.shape).astype(np.int32)
        colour = cell_means(soft, cells, len(used))
        places = used // TONES
        rings, sectors = places // SECTORS % _MOST_RINGS, places % SECTORS
        whole = _pure(colour, rings, sectors, draft.stream("rings"))[cells]
        paper = np.full_like(draft.target, 0.93)
        arrival = (ring / max(1, int(ring.max()))).astype(np.float32)
        return paper, whole, arrival

    def _places(self) -> tuple[Labels, Labels, Labels]:
        """Return for each pixel the number of its disc, its ring there and the sector of that ring."""
        draft, rng = self.draft, self.draft.stream("sectors")
        x = np.arange(draft.width, dtype=np.float32)[None, :]
        y = np.arange(draft.height, dtype=np.float32)[:, None]
        best = np.full((draft.height, draft.width), np.inf, dtype=np.float32)
        disc, sector = np.zeros(best.shape, dtype=np.int32), np.zeros(best.shape, dtype=np.int32)
        for number, (cx, cy, radius) in enumerate(self.centres):
            off = np.hypot(x - np.float32(cx), y - np.float32(cy)) / np.float32(radius)
            turn = np.arctan2(y - np.float32(cy), x - np.float32(cx)) / np.float32(2 * np.pi) + rng.random()
            nearer = off < best
            best[nearer] = off[nearer]
            disc[nearer] = number
            sector[nearer] = ((turn * SECTORS).astype(np.int32) % SECTORS)[nearer]
        ring = np.minimum((best * RINGS).astype(np.int32), np.int32(_MOST_RINGS - 1))
        return disc, ring, sector


def _centres(grey: Field, short: int) -> list[tuple[float, float, float]]:
    """Return middle and radius of the discs: where the most detail is, at a distance from each other."""
    height, width = grey.shape
    interest = soften(detail(grey, max(1, short // 40)), short / 12) + np.float32(1e-6)
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    # Towards the rim there is less room for a disc.
    interest = interest * (0.25 + 0.75 * np.sin(np.pi * (x + 0.5) / width) * np.sin(np.pi * (y + 0.5) / height))
    found: list[tuple[float, float, float]] = []
    for number in range(CENTRES):
        cy, cx = (int(place) for place in np.unravel_index(int(np.argmax(interest)), grey.shape))
        radius = short * (0.42 if number == 0 else 0.24)
        found.append((float(cx), float(cy), radius))
        interest = interest * np.clip(np.hypot(x - cx, y - cy) / np.float32(radius * 1.5) - 0.4, 0, 1)
    return found


def _pure(colour: Field, rings: Labels, sectors: Labels, rng: np.random.Generator) -> Field:
    """Return pure colours as bright as the given ones; from ring to ring and sector to sector they contrast."""
    warm = np.asarray([(0.93, 0.22, 0.16), (0.98, 0.58, 0.10), (0.99, 0.86, 0.20)], dtype=np.float32)
    cold = np.asarray([(0.12, 0.34, 0.78), (0.10, 0.62, 0.55), (0.48, 0.24, 0.66)], dtype=np.float32)
    shift = int(rng.integers(0, 3))
    step = (rings + sectors + shift) % 3
    scheme = np.where(((rings + sectors) % 2 == 0)[:, None], warm[step], cold[step])
    own = np.clip(saturate(colour, 2.2), 0, 1)
    mixed = own * np.float32(0.45) + scheme * np.float32(0.55)
    bright = luma(colour)[:, None] * np.float32(0.78) + np.float32(0.14)
    pure: Field = np.clip(mixed + (bright - luma(mixed)[:, None]), 0.02, 1).astype(np.float32)
    return pure
