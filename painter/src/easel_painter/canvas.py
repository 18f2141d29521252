"""The picture in the making and the few ways to put colour on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from easel_painter.noise import Field, stream
from easel_painter.palette import Palette
from easel_painter.reading import Colour, Reading

Point = tuple[float, float]
Window = tuple[slice, slice]

_OVERSAMPLE = 3
_LARGE_PX = 700_000


@dataclass
class Scene:
    """A canvas with all that a motif needs to know about the picture. Pixels count from the top left corner."""

    rgb: Field
    palette: Palette
    reading: Reading
    seed: tuple[object, ...]
    horizon: int
    """The row where sky and land or water meet."""

    light: Point
    """Where the sun or moon stands, in pixels; it may be below the horizon or outside."""

    light_shown: bool = False
    sparks: Field = field(init=False)
    """Light in points finer than a brush (stars, flakes, drops), laid over the strokes at last: height x width x 3."""

    lamps: list[tuple[float, float, float, Colour, float]] = field(default_factory=list)
    """Glows to add at the end: x, y, radius in pixels, colour, strength."""

    shown: list[str] = field(default_factory=list)
    """The motifs that stand in the picture, in the order in which they were painted: what a description may name."""

    report: Callable[[], None] = lambda: None
    """Called now and then while the scene is painted; it may raise `Stopped`."""

    def __post_init__(self) -> None:
        self.sparks = np.zeros_like(self.rgb)

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.rgb.shape[0])

    @property
    def short(self) -> int:
        """The shorter side in pixels: sizes are fractions of it."""
        return min(self.width, self.height)

    def show(self, motif: str) -> None:
        """Note that a motif is now in the picture. Whatever paints one says so."""
        if motif not in self.shown:
            self.shown.append(motif)

    def may(self, motif: str) -> bool:
        """Whether the painter may add a motif that nobody asked for."""
        return motif not in self.reading.unwanted

    def stream(self, name: str) -> np.random.Generator:
        """Random numbers for one motif of this picture."""
        return stream(name, *self.seed)

    def rows(self) -> Field:
        """The number of each row, as a column."""
        return np.arange(self.height, dtype=np.float32)[:, None]

    def columns(self) -> Field:
        """The number of each column, as a row."""
        return np.arange(self.width, dtype=np.float32)[None, :]

    def paint(self, mask: Field, colour: Colour | Field, top: int = 0) -> None:
        """Cover with a colour (or a picture of the mask's size) where the mask says; the mask's first row is `top`."""
        self.put((slice(top, top + mask.shape[0]), slice(None)), mask, colour)

    def glow(self, mask: Field, colour: Colour, top: int = 0) -> None:
        """Add light: like a screen of that colour."""
        part = self.rgb[top : top + mask.shape[0]]
        part += np.clip(mask, 0, 1)[..., None] * np.asarray(colour, dtype=np.float32) * (1 - np.clip(part, 0, 1))

    def shape(self, polygons: Sequence[Sequence[Point]], colour: Colour | Field, strength: float = 1.0) -> None:
        """Fill polygons (pixel corners) with soft edges."""
        window, mask = self.cut(polygons)
        if mask.size:
            self.put(window, mask * np.float32(strength), colour)

    def put(self, window: Window, mask: Field, colour: Colour | Field) -> None:
        """Cover a window with a colour where its mask says."""
        self.report()
        part = self.rgb[window]
        part += mask[..., None] * (np.asarray(colour, dtype=np.float32) - part)
        self.sparks[window] *= 1 - mask[..., None]

    def sprinkle(self, polygons: Sequence[Sequence[Point]], colour: Colour, strength: float) -> None:
        """Add points of light or drops that are finer than a brush."""
        window, mask = self.cut(polygons)
        if mask.size:
            part = self.sparks[window]
            np.maximum(part, mask[..., None] * np.asarray(colour, dtype=np.float32) * np.float32(strength), out=part)

    def cut(self, polygons: Sequence[Sequence[Point]]) -> tuple[Window, Field]:
        """The smallest window around polygons and how much of each pixel they cover; it may be empty."""
        if not polygons:
            return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), dtype=np.float32)
        xs = [x for polygon in polygons for x, _ in polygon]
        ys = [y for polygon in polygons for _, y in polygon]
        left, right = max(0, int(min(xs)) - 1), min(self.width, int(max(xs)) + 2)
        top, bottom = max(0, int(min(ys)) - 1), min(self.height, int(max(ys)) + 2)
        window = (slice(top, max(top, bottom)), slice(left, max(left, right)))
        if right <= left or bottom <= top:
            return window, np.zeros((0, 0), dtype=np.float32)
        # A large window is smooth enough at less.
        k = _OVERSAMPLE if (right - left) * (bottom - top) < _LARGE_PX else 2
        image = Image.new("L", ((right - left) * k, (bottom - top) * k))
        draw = ImageDraw.Draw(image)
        for polygon in polygons:
            draw.polygon([((x - left) * k, (y - top) * k) for x, y in polygon], fill=255)
        return window, np.asarray(image.reduce(k), dtype=np.float32) / np.float32(255)

    def ramp(self, window: Window, left: Colour, right: Colour) -> Field:
        """Colours for a window from its left edge to its right one."""
        height = window[0].stop - window[0].start
        t = np.linspace(0, 1, window[1].stop - window[1].start, dtype=np.float32)[None, :, None]
        row = np.asarray(left, dtype=np.float32) * (1 - t) + np.asarray(right, dtype=np.float32) * t
        return np.broadcast_to(row, (height, row.shape[1], 3)).astype(np.float32)


def disc(scene: Scene, x: float, y: float, radius: float) -> tuple[Window, Field]:
    """A round window with soft edges."""
    left, right = max(0, int(x - radius) - 2), min(scene.width, int(x + radius) + 3)
    top, bottom = max(0, int(y - radius) - 2), min(scene.height, int(y + radius) + 3)
    window = (slice(top, max(top, bottom)), slice(left, max(left, right)))
    dx = np.arange(left, max(left, right), dtype=np.float32)[None, :] - np.float32(x)
    dy = np.arange(top, max(top, bottom), dtype=np.float32)[:, None] - np.float32(y)
    return window, np.clip(np.float32(radius) + 0.5 - np.sqrt(dx * dx + dy * dy), 0, 1)
