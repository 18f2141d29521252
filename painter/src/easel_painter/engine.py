"""The implementation of the engine interface."""

from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from easel_painter.canvas import Scene as Canvas
from easel_painter.changes import graded, with_background, with_panda_mask
from easel_painter.composition import empty_scene, paint_ground_idea, paint_scene
from easel_painter.description import describe
from easel_painter.media.base import Draft, Medium
from easel_painter.media.surface import luma
from easel_painter.media.table import MEDIUM_CLASSES
from easel_painter.noise import Field, blur, cppn_parameters, resize
from easel_painter.placing import Placed, body_of, paint_placed, shades_of
from easel_painter.reading import Colour, Reading, read
from easel_painter.transform import Veil, blend
from easel_painter.upscale import enlarge
from generator.engines.base import (
    DescriptionOptions,
    EngineStats,
    ImageRequest,
    Mask,
    Pixels,
    ProgressReporter,
    Scene,
    figure_of,
)

_PREPARING = 0.06
"""The share of the progress that planning the scene takes."""

_SMALLEST_CANVAS_PX = 176
"""A picture with a shorter side is painted larger and reduced."""

_LARGEST_ENLARGED_PIXELS = 300_000


class Painter:
    """Paints a scene from the words of a prompt: no network download, no GPU, equal requests give equal pixels."""

    def stats(self) -> EngineStats:
        """Return the size of the small network behind the ground; upscaling uses no network, nothing uses a GPU."""
        return EngineStats(base_parameters=cppn_parameters(), upsample_parameters=0)

    def generate(self, request: ImageRequest, report: ProgressReporter) -> Pixels:
        """Paint a new picture of exactly the request's size."""
        reading = read(request.prompt, request.negative_prompt)
        enlarged = _enlargement(request, reading)
        plan = _plan(_larger(request, enlarged), reading, report)
        return _paint(_begin(plan, reading), report, enlarged)

    def transform(self, source: Pixels, request: ImageRequest, strength: float, report: ProgressReporter) -> Pixels:
        """Paint a picture from the source: its forms remain at low strength and dissolve at high strength."""
        if strength <= 0:
            report(1.0, source.copy)
            return source.copy()
        reading = read(request.prompt, request.negative_prompt)
        enlarged = _enlargement(request, reading)
        large = _larger(request, enlarged)
        start = Image.fromarray(source).resize((large.width, large.height), Image.Resampling.BICUBIC)
        own = np.asarray(start, dtype=np.float32) / np.float32(255)
        if reading.manner.keeps_the_photo and strength < 1:
            draft = _photo_draft(own, large, reading, strength, report)
        else:
            draft = blend(_plan(large, reading, report), own, strength)
        return _paint(Veil(_begin(draft, reading), own, strength), report, enlarged)

    def place(self, scene: Scene, request: ImageRequest, report: ProgressReporter) -> Pixels:
        """Paint the pose as a figure into the background, in the medium of the words, without a likeness."""
        reading = read(request.prompt, request.negative_prompt)
        enlarged = _enlargement(request, reading)
        large = _larger(request, enlarged)

        def at_size(mask: Mask) -> Field:
            return np.clip(resize(mask.astype(np.float32) / 255, large.width, large.height), 0, 1)

        place = Image.fromarray(scene.background).resize((large.width, large.height), Image.Resampling.BICUBIC)
        ground = np.asarray(place, dtype=np.float32) / np.float32(255)
        face_mask = np.zeros_like(scene.pose_mask) if scene.face_mask is None else scene.face_mask
        face, within = at_size(face_mask), at_size(np.maximum(scene.pose_mask, face_mask))
        figure = figure_of(scene.pose)
        body = body_of(at_size(figure if figure.any() else scene.pose_mask), face)
        shades = resize(shades_of(scene.pose, figure), large.width, large.height)
        canvas = empty_scene(large, reading)
        canvas.rgb[:] = ground
        paint_placed(canvas, body, face, shades)
        medium = Placed(_begin(_draft_of(canvas, large, report), reading), ground, body * within)
        painted = _paint(medium, report, enlarged)
        return np.where(np.maximum(scene.pose_mask, face_mask)[..., None] == 0, scene.background, painted)

    def upscale(self, picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        """Enlarge the picture to `factor` times the pixels on each side and sharpen its edges."""
        return enlarge(picture, factor, report)

    def describe(self, picture: Pixels, request: ImageRequest | None, options: DescriptionOptions) -> str:
        """Describe what was painted, or the colours, light and composition of any other picture."""
        return describe(picture, request, options)


def _enlargement(request: ImageRequest, reading: Reading) -> int:
    """Return the factor for painting a small picture larger and reducing it, since strokes have a minimum size."""
    if not MEDIUM_CLASSES[reading.manner.medium].may_be_reduced:
        return 1
    wanted = -(-_SMALLEST_CANVAS_PX // min(request.width, request.height))
    affordable = int((_LARGEST_ENLARGED_PIXELS / (request.width * request.height)) ** 0.5)
    return max(1, min(wanted, affordable))


def _larger(request: ImageRequest, factor: int) -> ImageRequest:
    return replace(request, width=request.width * factor, height=request.height * factor)


def _plan(request: ImageRequest, reading: Reading, report: ProgressReporter) -> Draft:
    """Prepare the ground to start from, the picture to arrive at and its sparks; a low scale stays near the ground."""
    whole = paint_scene(request, reading, partial(report, 0.0))
    report(_PREPARING / 2)
    scene = whole.rgb
    ground = paint_ground_idea(request, whole.palette)
    under = ground * np.float32(0.55) + blur(scene, max(4, min(request.width, request.height) // 5)) * np.float32(0.45)
    literal = np.float32(min(1.0, 0.25 + request.scale / 9.0))
    # Above the usual range the picture grows harder and more colourful, as guidance does.
    push = np.float32(1 + 0.018 * max(0.0, request.scale - 8.0))
    target = ground * (1 - literal) + scene * literal
    target = np.clip((target - 0.45) * push + 0.45, 0, 1).astype(np.float32)
    report(_PREPARING)
    return Draft(
        target=target,
        under=under.astype(np.float32),
        sparks=np.clip(whole.sparks * literal, 0, 1),
        light=whole.light,
        accent=_accent(reading),
        steps=request.steps,
        seed=(request.seed, request.prompt),
        report=partial(report, _PREPARING),
    )


def _photo_draft(
    own: Field, request: ImageRequest, reading: Reading, strength: float, report: ProgressReporter
) -> Draft:
    """Return the draft of the photo itself, changed as the words ask; the stronger, the more it changes."""
    manner = reading.manner
    if "background" in manner.changes:
        own = with_background(own, _plan(request, reading, report).target)
    report(_PREPARING / 2)
    if "panda_mask" in manner.changes:
        own = with_panda_mask(own)
    if manner.emotion:
        own = graded(own, manner.emotion, min(1.0, 2 * strength))
    canvas = empty_scene(request, reading)
    canvas.rgb[:] = own
    return _draft_of(canvas, request, report)


def _draft_of(canvas: Canvas, request: ImageRequest, report: ProgressReporter) -> Draft:
    """Return the draft of a canvas whose scene is painted."""
    report(_PREPARING)
    return Draft(
        target=canvas.rgb,
        under=blur(canvas.rgb, max(4, canvas.short // 5)),
        sparks=canvas.sparks,
        light=canvas.light,
        accent=_accent(canvas.reading),
        steps=request.steps,
        seed=(request.seed, request.prompt),
        report=partial(report, _PREPARING),
    )


def _accent(reading: Reading) -> Colour | None:
    return next(iter((*reading.paints.values(), *(colour for colour, _ in reading.colours))), None)


def _begin(draft: Draft, reading: Reading) -> Medium:
    """Return the medium that the words ask for, ready for its first step."""
    medium = MEDIUM_CLASSES[reading.manner.medium]
    if reading.manner.monochrome and medium.takes_colours:
        draft = replace(draft, target=_grey(draft.target), under=_grey(draft.under), sparks=_grey(draft.sparks))
    return medium(draft)


def _paint(medium: Medium, report: ProgressReporter, enlarged: int) -> Pixels:
    snapshot = partial(_snapshot, medium, enlarged)
    for number in range(medium.draft.steps):
        medium.step(number)
        report(_PREPARING + (1 - _PREPARING) * medium.done(number), snapshot)
    return snapshot()


def _grey(rgb: Field) -> Field:
    return np.repeat(luma(rgb)[..., None], 3, axis=-1)


def _snapshot(medium: Medium, enlarged: int) -> Pixels:
    """Return the picture in its present state as 8-bit pixels of the requested size."""
    picture = np.clip(medium.picture(), 0, 1)
    pixels: Pixels = (picture * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).reduce(enlarged)) if enlarged > 1 else pixels
