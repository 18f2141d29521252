"""Outlines drawn by hand in small numbers: smooth curves, limbs, ovals, and hair laid over a form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from easel_painter.canvas import Point, Scene, Window
from easel_painter.noise import Field

Line = Sequence[Point]

_OVERSAMPLE = 2


def path(text: str) -> list[Point]:
    """The points of "x,y x,y ...": outlines are long, and read better so."""
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


def smooth(points: Line, closed: bool = True, steps: int = 7) -> list[Point]:
    """A smooth curve through points (Catmull-Rom)."""
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        ring = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        ring = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    before, start, end, after = ring[:-3, None], ring[1:-2, None], ring[2:-1, None], ring[3:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    slope, back = (end - before) / 2, (after - start) / 2
    body = start + slope * t + (3 * (end - start) - 2 * slope - back) * t**2 + (2 * (start - end) + slope + back) * t**3
    line = body.reshape(-1, 2)
    if not closed:
        line = np.concatenate([line, knots[-1:]])
    return [(float(x), float(y)) for x, y in line]


def band(points: Line, widths: Sequence[float]) -> list[Point]:
    """A thick curve along points with a half width at each: a tail, a leg, a branch; its ends are round."""
    centre = np.asarray(smooth(points, closed=False), dtype=np.float64)
    at = np.linspace(0, 1, len(centre))
    half = np.interp(at, np.linspace(0, 1, len(widths)), widths)
    along = np.gradient(centre, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * half[:, None]
    turns = np.linspace(0, np.pi, 6)[1:-1]
    tip = [centre[-1] + across[-1] * np.cos(t) + along[-1] * half[-1] * np.sin(t) for t in turns]
    root = [centre[0] - across[0] * np.cos(t) - along[0] * half[0] * np.sin(t) for t in turns]
    whole = [*(centre + across), *tip, *(centre - across)[::-1], *root]
    return [(float(x), float(y)) for x, y in whole]


def oval(x: float, y: float, across: float, down: float, turn: float = 0.0, points: int = 28) -> list[Point]:
    """An ellipse by its half axes, turned by `turn` radians."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    px, py = across * np.cos(angles), down * np.sin(angles)
    c, s = np.cos(turn), np.sin(turn)
    return [(x + float(a * c - b * s), y + float(a * s + b * c)) for a, b in zip(px, py, strict=True)]


@dataclass(frozen=True)
class Stand:
    """Where a figure stands: its own small numbers (x to the right, y down, height about 1) become pixels."""

    x: float
    y: float
    size: float
    side: float = 1.0
    """-1 turns the figure to face the other way."""

    turn: float = 0.0
    """Radians by which it leans, before it is turned round."""

    def to(self, points: Line) -> list[Point]:
        """Pixels of a figure's points."""
        c, s = float(np.cos(self.turn)), float(np.sin(self.turn))
        return [
            (self.x + self.side * self.size * (x * c - y * s), self.y + self.size * (x * s + y * c)) for x, y in points
        ]

    def curve(self, points: Line, closed: bool = True) -> list[Point]:
        """A smooth outline through a figure's points."""
        return self.to(smooth(points, closed))

    def band(self, points: Line, widths: Sequence[float]) -> list[Point]:
        """A limb of the figure."""
        return self.to(band(points, widths))

    def oval(self, x: float, y: float, across: float, down: float, turn: float = 0.0) -> list[Point]:
        """A round part of the figure."""
        return self.to(oval(x, y, across, down, turn))

    def part(self, x: float, y: float, size: float, turn: float = 0.0) -> "Stand":
        """The stand of a part with small numbers of its own, such as a head."""
        ((px, py),) = self.to([(x, y)])
        return Stand(px, py, self.size * size, self.side, self.turn + turn)


def hatch(
    scene: Scene,
    strokes: Sequence[Line],
    colours: Field,
    strength: float = 1.0,
    within: tuple[Window, Field] | None = None,
) -> None:
    """Fill many small polygons, each with a colour of its own (count x 3), as far as they lie within a mask."""
    if not len(strokes):
        return
    xs = [x for stroke in strokes for x, _ in stroke]
    ys = [y for stroke in strokes for _, y in stroke]
    left, right = max(0, int(min(xs)) - 1), min(scene.width, int(max(xs)) + 2)
    top, bottom = max(0, int(min(ys)) - 1), min(scene.height, int(max(ys)) + 2)
    if right <= left or bottom <= top:
        return
    k = _OVERSAMPLE
    size = ((right - left) * k, (bottom - top) * k)
    paint, cover = Image.new("RGB", size), Image.new("L", size)
    draw, draw_cover = ImageDraw.Draw(paint), ImageDraw.Draw(cover)
    tones = np.clip(colours * 255, 0, 255).astype(np.uint8)
    for stroke, (red, green, blue) in zip(strokes, tones.tolist(), strict=True):
        corners = [((x - left) * k, (y - top) * k) for x, y in stroke]
        draw.polygon(corners, fill=(red, green, blue))
        draw_cover.polygon(corners, fill=255)
    mask = np.asarray(cover.reduce(k), dtype=np.float32) / np.float32(255)
    rgb = np.asarray(paint.reduce(k), dtype=np.float32) / np.float32(255)
    # Empty corners were averaged in as black; taking them out keeps the strokes' own colour at their edges.
    rgb = rgb / np.maximum(mask, np.float32(0.02))[..., None]
    window = (slice(top, bottom), slice(left, right))
    if within:
        whole = np.zeros((scene.height, scene.width), dtype=np.float32)
        whole[within[0]] = within[1]
        mask = mask * whole[window]
    scene.put(window, mask * np.float32(strength), np.clip(rgb, 0, 1))


def fur(
    scene: Scene,
    rng: np.random.Generator,
    window: Window,
    mask: Field,
    *,
    count: int,
    length: float,
    angle: float | Field,
    spread: float = 0.35,
    tint: float = 0.12,
    thick: float = 0.13,
    strength: float = 0.7,
    clipped: bool = False,
) -> None:
    """Hairs over a form that take up its light: `length` in pixels, `angle` in radians, alone or for each pixel.

    Clipped hairs end where the form does.
    """
    inside = np.flatnonzero(mask.ravel() > 0.55)
    if not inside.size:
        return
    places = np.sort(inside[rng.integers(0, inside.size, count)])
    row, column = places // mask.shape[1], places % mask.shape[1]
    base = angle.ravel()[places] if isinstance(angle, np.ndarray) else np.full(count, angle)
    turn = base + rng.normal(0, spread, count)
    long = length * rng.uniform(0.6, 1.3, count)
    half = np.maximum(long * thick, 0.5)
    dx, dy = np.cos(turn), np.sin(turn)
    x, y = column + window[1].start, row + window[0].start
    bend = rng.normal(0, 0.18, count) * long
    corners = np.stack(
        [
            np.stack([x - dy * half, y + dx * half], axis=1),
            np.stack([x + dx * long * 0.6 - dy * bend, y + dy * long * 0.6 + dx * bend], axis=1),
            np.stack([x + dx * long, y + dy * long], axis=1),
            np.stack([x + dy * half, y - dx * half], axis=1),
        ],
        axis=1,
    )
    tones = scene.rgb[window][row, column] * (1 + rng.normal(0, tint, (count, 1))) + rng.normal(
        0, tint * 0.08, (count, 1)
    )
    strokes = [[(float(a), float(b)) for a, b in stroke] for stroke in corners]
    hatch(scene, strokes, tones.astype(np.float32), strength, (window, mask) if clipped else None)
