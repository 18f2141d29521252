"""An engine that shares its process between all calls, controlled by its prompt."""

import os
import signal
from pathlib import Path
from threading import Event

import numpy as np

from generator.engines.base import (
    EngineStats,
    ImageRequest,
    Mask,
    ModelInfo,
    NotNumbers,
    Pixels,
    ProgressReporter,
    Scene,
)


class Sharing:
    """`meet:FOLDER:COUNT` waits until so many calls are in the folder; `crash` and `nan` do what they say."""

    shared = True
    takes_adapters = True
    takes_control = True

    def stats(self) -> EngineStats:
        return EngineStats(os.getpid(), 0, model=ModelInfo("flat", "cpu", "8 bits", 3, 2.5, 72, 64))

    @staticmethod
    def loading_s() -> float:
        return 1.5

    def generate(self, request: ImageRequest, report: ProgressReporter) -> Pixels:
        what, _, rest = request.prompt.partition(":")
        if what == "meet":
            folder, _, count = rest.rpartition(":")
            (Path(folder) / f"{os.getpid()}-{request.seed}").touch()
            while len(list(Path(folder).glob(f"{os.getpid()}-*"))) < int(count):
                report(0.5)
                Event().wait(0.01)
        if what == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "nan":
            raise NotNumbers
        value = request.seed + request.steps + sum(round(10 * weight) for _, weight in request.adapters)
        if request.control is not None:
            value += round(request.control.scale * int(request.control.picture[0, 0, 0]))
        return np.full((request.height, request.width, 3), value, dtype=np.uint8)

    def inpaint(
        self, source: Pixels, mask: Mask, request: ImageRequest, strength: float, report: ProgressReporter
    ) -> Pixels:
        return np.where(mask[..., None] > 127, np.uint8(request.seed), source)

    def place(self, scene: Scene, request: ImageRequest, report: ProgressReporter) -> Pixels:
        person = np.where(scene.pose_mask[..., None] > 0, np.uint8(request.seed), scene.background)
        face = np.zeros_like(scene.pose_mask) if scene.face_mask is None else scene.face_mask
        return np.where(face[..., None] > 0, np.uint8(100 * scene.pose_scale), person)


class Slow(Sharing):
    """Loads until the file exists whose path is in `SLOW_UNTIL`; an empty one makes it fail."""

    def __init__(self) -> None:
        path = Path(os.environ["SLOW_UNTIL"])
        while not path.exists():
            Event().wait(0.01)
        if not path.read_text():
            raise RuntimeError("no paint at all")


def broken() -> Sharing:
    """Raise: an engine that cannot be created."""
    raise RuntimeError("no paint at all")
