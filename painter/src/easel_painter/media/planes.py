"""Flat planes: the picture's masses as turned rectangles of few pure colours on a white ground."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from easel_painter.media.cells import Labels
from easel_painter.media.composed import Composed
from easel_painter.media.surface import soften
from easel_painter.noise import Field, resize

GROUND = (0.94, 0.92, 0.87)
COLOURS = (
    (0.07, 0.07, 0.08),
    (0.80, 0.13, 0.10),
    (0.94, 0.76, 0.12),
    (0.10, 0.22, 0.56),
    (0.13, 0.42, 0.28),
    (0.90, 0.49, 0.60),
    (0.55, 0.55, 0.55),
    (0.93, 0.48, 0.11),
    (0.55, 0.74, 0.86),
)
MASSES = 30
_ROUNDS = 12
_SMALL_PX = 72
_NEAR_GROUND = 0.12
_OVERSAMPLE = 3


@dataclass(frozen=True)
class Plane:
    """A turned rectangle: its corners (x, y) as shares of the picture's sides, its area as a share, its colour."""

    corners: tuple[tuple[float, float], ...]
    area: float
    colour: tuple[float, float, float]


class Planes(Composed):
    """Large planes lie below small ones; what is like the rim of the picture is left out as ground."""

    def compose(self) -> tuple[Field, Field, Field]:
        """Find the masses and draw a plane for each."""
        draft = self.draft
        self.planes = sorted(self._fitted(), key=lambda plane: -plane.area)
        ground = np.broadcast_to(np.asarray(GROUND, dtype=np.float32), draft.target.shape)
        whole, arrival = ground.copy(), np.zeros(draft.target.shape[:2], dtype=np.float32)
        for number, plane in enumerate(self.planes):
            draft.report()
            cover = _cover(plane, draft.width, draft.height)
            whole += cover[..., None] * (np.asarray(plane.colour, dtype=np.float32) - whole)
            arrival[cover > 0] = (number + 1) / len(self.planes)
        return ground, whole, arrival

    def _fitted(self) -> list[Plane]:
        """Divide the picture into masses of like colour and place, and fit a rectangle to each."""
        draft = self.draft
        scale = min(1.0, _SMALL_PX / draft.short)
        width, height = max(8, round(draft.width * scale)), max(8, round(draft.height * scale))
        soft = soften(draft.target, max(1.0, draft.short / 60))
        small = np.stack(
            [resize(np.ascontiguousarray(soft[..., c]), width, height, Image.Resampling.BOX) for c in range(3)], axis=-1
        )
        # A dark photo has masses, too.
        small = np.clip(small / max(0.2, float(np.quantile(small.max(axis=-1), 0.97))), 0, 1)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        place = np.stack([x + 0.5, y + 0.5], axis=-1).reshape(-1, 2)
        colour = small.reshape(-1, 3)
        label = _masses(np.concatenate([colour * 1.5, place / min(width, height)], axis=1), draft.stream("masses"))
        rim = np.median(np.concatenate([small[0], small[:, 0], small[:, -1]]), axis=0)
        planes = []
        for number in range(int(label.max()) + 1):
            own = label == number
            mean = np.median(colour[own], axis=0) if own.sum() >= 6 else rim
            if np.abs(mean - rim).max() >= _NEAR_GROUND:
                corners, area = _rectangle(place[own])
                spread = tuple((float(cx) / width, float(cy) / height) for cx, cy in corners)
                planes.append(Plane(spread, area / (width * height), _nearest(mean)))
        return planes


def _masses(points: Field, rng: np.random.Generator) -> Labels:
    """Return the number of each point's mass, by k-means that starts with far points."""
    chosen = [int(rng.integers(0, len(points)))]
    away = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(MASSES - 1):
        chosen.append(int(np.argmax(away)))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    middles = points[chosen]
    label = np.zeros(len(points), dtype=np.int64)
    for _ in range(_ROUNDS):
        label = np.stack([((points - middle) ** 2).sum(axis=1) for middle in middles]).argmin(axis=0)
        counts = np.maximum(np.bincount(label, minlength=MASSES), 1)[:, None]
        sums = np.stack([np.bincount(label, column, MASSES) for column in points.T], axis=1)
        middles = (sums / counts).astype(np.float32)
    return label.astype(np.int32)


def _rectangle(place: Field) -> tuple[list[tuple[float, float]], float]:
    """Return the corners and the area of the rectangle with the points' middle, direction and spread."""
    middle = place.mean(axis=0)
    dx, dy = (place - middle).T
    xx, yy, xy = float((dx * dx).mean()), float((dy * dy).mean()), float((dx * dy).mean())
    turn = 0.5 * np.arctan2(2 * xy, xx - yy)
    cosine, sine = np.cos(turn), np.sin(turn)
    half = [np.sqrt(3 * max(float(((dx * c + dy * s) ** 2).mean()), 0.1)) for c, s in ((cosine, sine), (-sine, cosine))]
    corners = [
        (
            middle[0] + a * half[0] * cosine - b * half[1] * sine,
            middle[1] + a * half[0] * sine + b * half[1] * cosine,
        )
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    return corners, float(4 * half[0] * half[1])


def _nearest(colour: Field) -> tuple[float, float, float]:
    """Return the colour of the palette that is nearest: in hue above all."""
    table = np.asarray(COLOURS, dtype=np.float32)
    strength = np.float32(1.6)

    def spread(rgb: Field) -> Field:
        mean = rgb.mean(axis=-1, keepdims=True)
        return np.asarray((rgb - mean) * strength + mean * np.float32(0.7))

    return COLOURS[int(((spread(table) - spread(colour)) ** 2).sum(axis=-1).argmin())]


def _cover(plane: Plane, width: int, height: int) -> Field:
    """Return how much of each pixel a plane covers, drawn in the window around it."""
    xs = [x * width for x, _ in plane.corners]
    ys = [y * height for _, y in plane.corners]
    left, right = max(0, int(min(xs)) - 1), min(width, int(max(xs)) + 2)
    top, bottom = max(0, int(min(ys)) - 1), min(height, int(max(ys)) + 2)
    cover = np.zeros((height, width), dtype=np.float32)
    if right > left and bottom > top:
        image = Image.new("L", ((right - left) * _OVERSAMPLE, (bottom - top) * _OVERSAMPLE))
        corners = [((x - left) * _OVERSAMPLE, (y - top) * _OVERSAMPLE) for x, y in zip(xs, ys, strict=True)]
        ImageDraw.Draw(image).polygon(corners, fill=255)
        cover[top:bottom, left:right] = np.asarray(image.reduce(_OVERSAMPLE), dtype=np.float32) / np.float32(255)
    return cover
