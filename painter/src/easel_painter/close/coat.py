"""The coats of animals: their colour, stripes and hair, and the parts that wear them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, grid, model
from easel_painter.close.outline import Stand, fur
from easel_painter.noise import Field, fbm
from easel_painter.palette import mix
from easel_painter.reading import Colour


@dataclass(frozen=True)
class Coat:
    """What an animal wears."""

    colour: Colour
    stripes: float = 0.0
    """How dark its stripes are, 0 to 1."""

    hair: float = 0.044
    """The length of a hair as a share of the figure's height; 0 for a smooth skin."""

    @property
    def pale(self) -> Colour:
        """Breast, muzzle and paws."""
        return mix(self.colour, (1.0, 0.97, 0.92), 0.30 if max(self.colour) > 0.2 else 0.05)

    @property
    def deep(self) -> Colour:
        """Ears, back and the parts on the far side."""
        return mix(self.colour, (0.05, 0.03, 0.04), 0.38)


class Animal:
    """One animal on its stand: paints its parts from far to near in the same light."""

    def __init__(self, scene: Scene, stand: Stand, coat: Coat, light: Lamp, name: str) -> None:
        self.scene = scene
        self.stand = stand
        self.coat = coat
        self.light = light
        self.rng = scene.stream(name)

    def part(
        self,
        outline: Sequence[Point],
        colour: Colour | None = None,
        *,
        comb: float = np.pi / 2,
        depth: float = 1.0,
        hairs: float = 1.0,
        stripes: float = 1.0,
        along: float = 0.0,
    ) -> None:
        """A round part in pixels. `comb` is the way its hair lies, `along` the way its stripes follow each other."""
        window, mask = self.scene.cut([outline])
        if min(mask.shape) < 2:
            return
        side = self.stand.side
        tone = self._tone(window, mask, colour or self.coat.colour, along, stripes)
        model(self.scene, window, mask, tone, self.light, depth=depth, gloss=0.05)
        if self.coat.hair and hairs:
            length = self.stand.size * self.coat.hair
            area = float(mask.sum()) / max(1.0, length * length)
            angle = comb if side > 0 else np.pi - comb
            count = int(min(1100, 4 + area * 4.2) * hairs)
            if length > 2.5:
                fur(self.scene, self.rng, window, mask, count=count, length=length, angle=angle, tint=0.15, thick=0.085)

    def _tone(
        self, window: tuple[slice, slice], mask: Field, colour: Colour, along: float, stripes: float
    ) -> Colour | Field:
        height, width = mask.shape
        grain = fbm(self.rng, width, height, (6, 6), 3) - np.float32(0.5)
        tone = np.asarray(colour, dtype=np.float32) * (1 + 0.35 * grain)[..., None]
        dark = self.coat.stripes * stripes
        if dark:
            x, y = grid(window)
            way = (x * np.float32(np.cos(along)) * self.stand.side + y * np.float32(np.sin(along))) / np.float32(
                self.stand.size
            )
            bars = np.sin(way * np.float32(46) + grain * 5)
            bars = np.clip(bars * 1.6 - 0.1, 0, 1)[..., None] * np.float32(dark)
            tone = tone * (1 - bars) + np.asarray(self.coat.deep, dtype=np.float32) * np.float32(0.55) * bars
        return np.asarray(tone, dtype=np.float32)
