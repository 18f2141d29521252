"""The painter behind the engine's interface."""

from functools import partial

import numpy as np

from generator.engines.base import Brief, Equipment, Pixels, Watch, Wording
from generator.engines.painter.brush import Easel
from generator.engines.painter.composition import paint_ground_idea, paint_scene
from generator.engines.painter.description import describe
from generator.engines.painter.noise import Field, blur, cppn_parameters
from generator.engines.painter.palette import choose
from generator.engines.painter.reading import Reading, read
from generator.engines.painter.upscale import enlarge

_PREPARING = 0.06
"""The share of the progress that planning the scene takes."""


class Painter:
    """Paints a scene from the words of a prompt: no network download, no GPU, equal briefs give equal pixels."""

    name = "painter"

    def equipment(self) -> Equipment:
        """The small network that lays the ground. No network takes part in upscaling, and no GPU in anything."""
        return Equipment(base_parameters=cppn_parameters(), upsample_parameters=0)

    def generate(self, brief: Brief, watch: Watch) -> Pixels:
        """A new picture of exactly the brief's size."""
        reading = read(brief.prompt, brief.negative_prompt)
        under, target, sparks = _plan(brief, reading)
        watch(_PREPARING)
        return _paint(brief, target, under, sparks, watch)

    def transform(self, source: Pixels, brief: Brief, strength: float, watch: Watch) -> Pixels:
        """A picture that starts from the source: its forms stay at low strength and dissolve at high strength."""
        reading = read(brief.prompt, brief.negative_prompt)
        _, target, sparks = _plan(brief, reading)
        watch(_PREPARING)
        own = source.astype(np.float32) / np.float32(255)
        return _paint(brief, _blend(own, target, strength), own, sparks * np.float32(strength), watch)

    def upscale(self, picture: Pixels, factor: int, watch: Watch) -> Pixels:
        """The picture with `factor` times the pixels on each side, its edges sharpened again."""
        return enlarge(picture, factor, watch)

    def describe(self, picture: Pixels, brief: Brief | None, wording: Wording) -> str:
        """What was painted, or the colours, light and composition of a picture from elsewhere."""
        return describe(picture, brief, wording)


def _plan(brief: Brief, reading: Reading) -> tuple[Field, Field, Field]:
    """The ground to start from, the picture to arrive at, its sparks; a low scale stays closer to the ground."""
    whole = paint_scene(brief, reading)
    scene = whole.rgb
    palette = choose(reading, brief.seed, " ".join(sorted(reading.motifs)), " ".join(reading.unknown))
    ground = paint_ground_idea(brief, palette)
    under = ground * np.float32(0.55) + blur(scene, max(4, min(brief.width, brief.height) // 5)) * np.float32(0.45)
    literal = np.float32(min(1.0, 0.25 + brief.scale / 9.0))
    # Above the usual range the picture grows harder and more colourful, as guidance does.
    push = np.float32(1 + 0.018 * max(0.0, brief.scale - 8.0))
    target = ground * (1 - literal) + scene * literal
    target = np.clip((target - 0.45) * push + 0.45, 0, 1).astype(np.float32)
    return under.astype(np.float32), target, whole.sparks * literal


def _blend(source: Field, target: Field, strength: float) -> Field:
    """Colours move first, then light, then form: the source's edges are the last to go."""
    share = np.float32(strength)
    reach = max(4, min(source.shape[0], source.shape[1]) // 6)
    broad = blur(source, reach) * (1 - share) + blur(target, reach) * share
    fine = (source - blur(source, reach)) * (1 - share**2) + (target - blur(target, reach)) * share**2
    return np.clip(broad + fine, 0, 1).astype(np.float32)


def _paint(brief: Brief, target: Field, under: Field, sparks: Field, watch: Watch) -> Pixels:
    easel = Easel(target, under, (brief.seed, brief.prompt), brief.steps)
    for number in range(brief.steps):
        easel.step(number)
        done = (number + 1) / brief.steps
        watch(_PREPARING + (1 - _PREPARING) * done, partial(_snapshot, easel, sparks, done))
    return _snapshot(easel, sparks, 1.0)


def _snapshot(easel: Easel, sparks: Field, done: float) -> Pixels:
    """The canvas with the sparks over it, which appear in the last third."""
    picture = np.clip(easel.picture, 0, 1)
    picture = picture + sparks * (1 - picture) * np.float32(max(0.0, done * 3 - 2))
    pixels: Pixels = (picture * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return pixels
