"""The painter behind the engine's interface."""

from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from easel_painter.composition import paint_ground_idea, paint_scene
from easel_painter.description import describe
from easel_painter.media.base import Draft, Medium
from easel_painter.media.surface import luma
from easel_painter.media.table import MEDIUM_CLASSES
from easel_painter.noise import Field, blur, cppn_parameters
from easel_painter.reading import Reading, read
from easel_painter.transform import Veil, blend
from easel_painter.upscale import enlarge
from generator.engines.base import Brief, Equipment, Pixels, Watch, Wording

_PREPARING = 0.06
"""The share of the progress that planning the scene takes."""

_SMALLEST_CANVAS_PX = 176
"""A picture with a shorter side is painted larger and reduced."""

_LARGEST_ENLARGED_PIXELS = 300_000


class Painter:
    """Paints a scene from the words of a prompt: no network download, no GPU, equal briefs give equal pixels."""

    def equipment(self) -> Equipment:
        """The small network that lays the ground. No network takes part in upscaling, and no GPU in anything."""
        return Equipment(base_parameters=cppn_parameters(), upsample_parameters=0)

    def generate(self, brief: Brief, watch: Watch) -> Pixels:
        """A new picture of exactly the brief's size."""
        reading = read(brief.prompt, brief.negative_prompt)
        enlarged = _enlargement(brief, reading)
        plan = _plan(_larger(brief, enlarged), reading, watch)
        return _paint(_begin(plan, reading), watch, enlarged)

    def transform(self, source: Pixels, brief: Brief, strength: float, watch: Watch) -> Pixels:
        """A picture that starts from the source: its forms stay at low strength and dissolve at high strength."""
        if strength <= 0:
            watch(1.0, source.copy)
            return source.copy()
        reading = read(brief.prompt, brief.negative_prompt)
        enlarged = _enlargement(brief, reading)
        large = _larger(brief, enlarged)
        start = Image.fromarray(source).resize((large.width, large.height), Image.Resampling.BICUBIC)
        own = np.asarray(start, dtype=np.float32) / np.float32(255)
        draft = blend(_plan(large, reading, watch), own, strength)
        return _paint(Veil(_begin(draft, reading), own, strength), watch, enlarged)

    def upscale(self, picture: Pixels, factor: int, watch: Watch) -> Pixels:
        """The picture with `factor` times the pixels on each side, its edges sharpened again."""
        return enlarge(picture, factor, watch)

    def describe(self, picture: Pixels, brief: Brief | None, wording: Wording) -> str:
        """What was painted, or the colours, light and composition of a picture from elsewhere."""
        return describe(picture, brief, wording)


def _enlargement(brief: Brief, reading: Reading) -> int:
    """How many times larger a small picture is painted, and then reduced: a brush has no strokes of half a pixel."""
    if not MEDIUM_CLASSES[reading.manner.medium].may_be_reduced:
        return 1
    wanted = -(-_SMALLEST_CANVAS_PX // min(brief.width, brief.height))
    affordable = int((_LARGEST_ENLARGED_PIXELS / (brief.width * brief.height)) ** 0.5)
    return max(1, min(wanted, affordable))


def _larger(brief: Brief, factor: int) -> Brief:
    return replace(brief, width=brief.width * factor, height=brief.height * factor)


def _plan(brief: Brief, reading: Reading, watch: Watch) -> Draft:
    """The ground to start from, the picture to arrive at, its sparks; a low scale stays closer to the ground."""
    whole = paint_scene(brief, reading, partial(watch, 0.0))
    watch(_PREPARING / 2)
    scene = whole.rgb
    ground = paint_ground_idea(brief, whole.palette)
    under = ground * np.float32(0.55) + blur(scene, max(4, min(brief.width, brief.height) // 5)) * np.float32(0.45)
    literal = np.float32(min(1.0, 0.25 + brief.scale / 9.0))
    # Above the usual range the picture grows harder and more colourful, as guidance does.
    push = np.float32(1 + 0.018 * max(0.0, brief.scale - 8.0))
    target = ground * (1 - literal) + scene * literal
    target = np.clip((target - 0.45) * push + 0.45, 0, 1).astype(np.float32)
    watch(_PREPARING)
    return Draft(
        target=target,
        under=under.astype(np.float32),
        sparks=np.clip(whole.sparks * literal, 0, 1),
        light=whole.light,
        accent=next(iter((*reading.paints.values(), *(colour for colour, _ in reading.colours))), None),
        steps=brief.steps,
        seed=(brief.seed, brief.prompt),
        tell=partial(watch, _PREPARING),
    )


def _begin(draft: Draft, reading: Reading) -> Medium:
    """The medium that the words ask for, ready for its first step."""
    medium = MEDIUM_CLASSES[reading.manner.medium]
    if reading.manner.monochrome and medium.takes_colours:
        draft = replace(draft, target=_grey(draft.target), under=_grey(draft.under), sparks=_grey(draft.sparks))
    return medium(draft)


def _paint(medium: Medium, watch: Watch, enlarged: int) -> Pixels:
    snapshot = partial(_snapshot, medium, enlarged)
    for number in range(medium.draft.steps):
        medium.step(number)
        watch(_PREPARING + (1 - _PREPARING) * medium.done(number), snapshot)
    return snapshot()


def _grey(rgb: Field) -> Field:
    return np.repeat(luma(rgb)[..., None], 3, axis=-1)


def _snapshot(medium: Medium, enlarged: int) -> Pixels:
    """The work as it stands, in whole numbers, at the size that was asked for."""
    picture = np.clip(medium.picture(), 0, 1)
    pixels: Pixels = (picture * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).reduce(enlarged)) if enlarged > 1 else pixels
