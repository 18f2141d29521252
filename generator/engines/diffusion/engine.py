"""The engine `diffusion`: what the service calls.

Settings are environment variables: EASEL_MODEL and EASEL_CONTROLNET are folders or a hub's models, EASEL_CAPTIONER
lists those that describe pictures; EASEL_EXACT=0 lets the last bits of a picture depend on its neighbours where that
makes batches quicker. The service imports this module to learn what the engine can do, so it imports no library of the
engine before it is needed.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from generator.engines.adapter_files import AdapterFiles
from generator.engines.base import (
    Control,
    DescriptionOptions,
    EngineStats,
    ImageRequest,
    Mask,
    Pixels,
    ProgressReporter,
    Scene,
    named,
)
from generator.engines.diffusion.record import Record
from generator.engines.diffusion.schedulers import SCHEDULERS
from generator.engines.diffusion.settings import captioner_names, check_settings, controlnet_name, is_exact, setting
from generator.engines.upscaling.upscaler import chosen

OWN_MODEL = Path(__file__).parent / "mini" / "model"

_LOADING = "loading "
_MOST_LOADING_S = 100_000

_FACE_STRENGTH = 0.75
_PERSON_SHARE = 0.6
"""The share of the progress that the person takes before the face."""

if find_spec("torch") is None:
    raise ImportError("torch is not installed here; `make diffusion` builds an environment that has it")


class Diffusion:
    """Stable Diffusion models, each step shared between all orders."""

    shared = True
    takes_adapters = True
    schedulers = tuple(SCHEDULERS)
    takes_control = True
    upscaler = "realesr-animevideov3"
    trainer = "generator.engines.diffusion.training.process:start"

    def __init__(self) -> None:
        begin = time.monotonic()
        from generator.engines.diffusion.describing import Describer
        from generator.engines.diffusion.studio import Studio

        upscaler = chosen(self.upscaler)
        with named("EASEL_MODEL"):
            self.studio = Studio(
                model_name(), is_exact(), AdapterFiles().folder, controlnet=controlnet_name(), upscaler=upscaler
            )
        with named("EASEL_CAPTIONER"):
            self.describer = Describer(captioner_names())
        Record().write(_LOADING + model_name(), round(time.monotonic() - begin, 1))

    @staticmethod
    def loading_s() -> float | None:
        """Return how long the model took to load the last time."""
        seconds = Record().find(_LOADING + model_name())
        return float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < _MOST_LOADING_S else None

    @staticmethod
    def check() -> None:
        """Check the settings as far as that needs no library and no hub."""
        check_settings(OWN_MODEL)

    @staticmethod
    def unavailable() -> tuple[str, ...]:
        """Return the extensions that need a ControlNet if none is set."""
        return () if controlnet_name() else ("control", "scene")

    def stats(self) -> EngineStats:
        """Return the size of the network, the memory in use and the models."""
        info = replace(self.studio.info, captioner=self.describer.captioner)
        allocated, reserved = self.studio.memory()
        return EngineStats(self.studio.parameters, 0, allocated, reserved, info)

    def generate(self, request: ImageRequest, report: ProgressReporter) -> Pixels:
        """Generate a new image."""
        return self.studio.paint(request, report)

    def transform(self, source: Pixels, request: ImageRequest, strength: float, report: ProgressReporter) -> Pixels:
        """Generate an image from a source; with less than one step it is the source."""
        if int(request.steps * strength) < 1:
            report(1.0)
            return source
        return self.studio.paint(request, report, strength, source)

    def inpaint(
        self, source: Pixels, mask: Mask, request: ImageRequest, strength: float, report: ProgressReporter
    ) -> Pixels:
        """Repaint the white part of the mask; where it is black, the pixels are the source's."""
        if int(request.steps * strength) < 1 or not mask.any():
            report(1.0)
            return source
        return _compose(source, self.studio.paint(request, report, strength, source, mask), mask)

    def place(self, scene: Scene, request: ImageRequest, report: ProgressReporter) -> Pixels:
        """Paint the person by the pose, then the face with the request's adapters: elsewhere these would change too."""
        steered = replace(request, control=Control(scene.pose, scene.pose_scale))
        if scene.face_mask is None:
            return self.inpaint(scene.background, scene.pose_mask, steered, 1.0, report)
        first = replace(steered, adapters=())
        person = self.inpaint(scene.background, scene.pose_mask, first, 1.0, _part(report, 0.0, _PERSON_SHARE))
        rest = _part(report, _PERSON_SHARE, 1 - _PERSON_SHARE)
        return self.inpaint(person, scene.face_mask, steered, _FACE_STRENGTH, rest)

    def upscale(self, picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        """Enlarge an image by resampling, where no upscaler does it."""
        height, width = picture.shape[:2]
        size = (width * factor, height * factor)
        enlarged = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
        report(1.0)
        return enlarged

    def describe(self, picture: Pixels, request: ImageRequest | None, options: DescriptionOptions) -> str:
        """Describe an image by captioners, or in the words that it was made from."""
        return self.describer.describe(picture, request, options)


def model_name() -> str:
    """Return the folder or hub's name of the model."""
    return setting("EASEL_MODEL") or str(OWN_MODEL)


def _part(report: ProgressReporter, begin: float, share: float) -> ProgressReporter:
    """Return a reporter for a part of a call."""

    def part(done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        report(min(1.0, begin + done * share), snapshot)

    return part


def _compose(source: Pixels, new: Pixels, mask: Mask) -> Pixels:
    """Return the new picture where the mask is white, exactly the source where it is black, and a mixture between."""
    share = mask[..., None].astype(np.float32) / 255
    mixed = np.rint(source + (new.astype(np.float32) - source) * share).astype(np.uint8)
    return np.where(mask[..., None] == 0, source, mixed)
