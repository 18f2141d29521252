"""Change a photo before it is rendered: its mood, its background, a mask for its face."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from easel_painter.media.surface import luma, saturate, soften
from easel_painter.noise import Field, resize, smoothstep

_SMALL_PX = 64
_BORDER_SAMPLES = 48

Box = tuple[float, float, float, float]


def graded(photo: Field, emotion: str, share: float) -> Field:
    """Return the photo in the light of an emotion: joy is warm, bright and colourful, sadness cold, dim and pale."""
    if emotion == "joy":
        rich = np.clip(saturate(photo, 1.45), 0, 1) ** np.float32(0.82)
        mood = rich * np.asarray((1.10, 1.03, 0.88), dtype=np.float32) + np.float32(0.02)
    else:
        pale = np.clip(saturate(photo, 0.38), 0, 1) ** np.float32(1.18)
        mood = pale * np.asarray((0.74, 0.82, 0.98), dtype=np.float32)
    return np.asarray(photo + (np.clip(mood, 0, 1) - photo) * np.float32(share), dtype=np.float32)


def with_background(photo: Field, scene: Field) -> Field:
    """Return what the photo shows in front, before the scene."""
    subject = find_subject(photo)[..., None]
    return np.asarray(scene + (photo - scene) * subject, dtype=np.float32)


def find_subject(photo: Field) -> Field:
    """Return where the photo differs from its upper rim and its sides: height x width, 0 to 1.

    Where nothing or all of it does, an oval in the middle.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, _SMALL_PX / min(height, width))
    across, down = max(8, round(width * scale)), max(8, round(height * scale))
    soft = soften(photo, max(1.0, min(height, width) / 90))
    small = np.stack(
        [resize(np.ascontiguousarray(soft[..., c]), across, down, Image.Resampling.BOX) for c in range(3)], axis=-1
    )
    # A figure often reaches the lower rim, so that one is no background.
    rim = np.concatenate([small[0], small[: down * 3 // 4, 0], small[: down * 3 // 4, -1]])
    rim = rim[:: max(1, len(rim) // _BORDER_SAMPLES)]
    away = np.stack([np.abs(small - colour).sum(axis=-1) for colour in rim]).min(axis=0)
    x = (np.arange(across, dtype=np.float32) + 0.5) / across * 2 - 1
    y = (np.arange(down, dtype=np.float32) + 0.5) / down * 2 - 1
    middle = np.exp(-(x[None, :] ** 2) * 1.2 - y[:, None] ** 2 * 0.5).astype(np.float32)
    wanted = soften(away * middle, 1.0)
    limit = _otsu(wanted)
    mask = smoothstep(limit * 0.45, limit * 0.8 + 1e-4, wanted)
    if not 0.02 < float((mask > 0.5).mean()) < 0.9:
        mask = smoothstep(1.0, 0.75, np.hypot(x[None, :] / 0.55, y[:, None] / 0.8))
    return np.clip(resize(np.ascontiguousarray(mask), width, height), 0, 1)


def _otsu(values: Field) -> float:
    """Return the limit that divides values into the two groups that differ most."""
    ordered = np.sort(values, axis=None).astype(np.float64)
    sums, count = np.cumsum(ordered), ordered.size
    below = np.arange(1, count)
    low, high = sums[:-1] / below, (sums[-1] - sums[:-1]) / (count - below)
    return float(ordered[int(np.argmax(below * (count - below) * (high - low) ** 2))])


def find_head(photo: Field) -> tuple[float, float, float]:
    """Return middle (x, y) and radius in pixels of the head: skin within the subject, else the subject's top."""
    subject = find_subject(photo) > 0.5
    height, width = subject.shape
    short = min(height, width)
    smallest, largest = 0.08 * short, 0.3 * short
    skin = subject & _is_skin(soften(photo, max(1.0, short / 100)))
    skin[height * 2 // 3 :] = False
    if skin.sum() > 0.03 * subject.sum():
        rows, columns = np.nonzero(skin)
        # The eyes and the shadows of a face are of another colour, hence a little larger.
        radius = float(np.clip(1.25 * np.sqrt(len(rows) / np.pi), smallest, largest))
        return float(np.median(columns)), float(np.median(rows)), radius
    wide = subject.sum(axis=1)
    rows = np.flatnonzero(wide > 0.03 * width)
    top = int(rows[0]) if len(rows) else height // 4
    upper = wide[top : top + max(2, height // 5)]
    radius = float(np.clip(np.median(upper) / 2, smallest, largest))
    weights = subject[top : top + int(2 * radius) + 1].sum(axis=0)
    middle = float((np.arange(width) * weights).sum() / weights.sum()) if weights.sum() else width / 2
    return middle, top + radius, radius


def _is_skin(photo: Field) -> NDArray[np.bool_]:
    red, green, blue = photo[..., 0], photo[..., 1], photo[..., 2]
    share = (red - blue) / np.maximum(red, np.float32(1e-3))
    return np.asarray(
        (red > green) & (green > blue) & (green > 0.5 * red) & (share > 0.15) & (share < 0.7) & (red > 0.3)
    )


def with_panda_mask(photo: Field) -> Field:
    """Return the photo with the mask of a panda on the head, in the photo's own light."""
    x, y, radius = find_head(photo)
    light = np.clip(soften(luma(photo), max(2.0, radius / 2)) * np.float32(0.5) + np.float32(0.62), 0.55, 1.0)
    out = photo.copy()
    for colour, ovals in _panda():
        cover = _drawn(photo.shape[:2], [_placed(oval, x, y, radius) for oval in ovals])
        out += cover[..., None] * (np.float32(colour) * light[..., None] - out)
    return np.asarray(out, dtype=np.float32)


def _panda() -> list[tuple[float, Sequence[Box]]]:
    """Return the mask as layers of one grey: ovals by middle and half axes, in radii of the head."""
    return [
        (0.08, [(-0.78, -0.82, 0.38, 0.38), (0.78, -0.82, 0.38, 0.38)]),
        (0.97, [(0, 0, 1.12, 1.05)]),
        (0.08, [(-0.45, -0.12, 0.28, 0.34), (0.45, -0.12, 0.28, 0.34)]),
        (0.97, [(-0.42, -0.14, 0.09, 0.10), (0.42, -0.14, 0.09, 0.10)]),
        (0.10, [(0, 0.30, 0.20, 0.13), (0, 0.50, 0.03, 0.12), (0, 0.62, 0.22, 0.03)]),
    ]


def _placed(oval: Box, x: float, y: float, radius: float) -> Box:
    cx, cy, across, down = (value * radius for value in oval)
    return x + cx - across, y + cy - down, x + cx + across, y + cy + down


def _drawn(shape: tuple[int, ...], boxes: Sequence[Box]) -> Field:
    """Return how much of each pixel the ovals cover."""
    image = Image.new("L", (shape[1] * 2, shape[0] * 2))
    draw = ImageDraw.Draw(image)
    for box in boxes:
        draw.ellipse([value * 2 for value in box], fill=255)
    return np.asarray(image.reduce(2), dtype=np.float32) / np.float32(255)
