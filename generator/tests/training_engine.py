"""An engine whose trainer is controlled by files in the folder that the variable SIGNS names."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
from sharing_engine import Sharing

from generator.engines.base import (
    CannotDo,
    EngineStats,
    ImageRequest,
    Pixels,
    ProgressReporter,
    Scene,
    Trained,
    TrainingOrder,
)

STEPS = 100


class Teaching(Sharing):
    """Takes adapters, also for the faces of scenes, and has a trainer."""

    trainer = "training_engine:Teacher"

    def place(self, scene: Scene, request: ImageRequest, report: ProgressReporter) -> Pixels:
        """Fill the person with a grey of seed, words and pose, and the face with 100, and ten for an adapter."""
        body = (request.seed + zlib.crc32(request.prompt.encode() + scene.pose.tobytes())) % 256
        report(0.5)
        picture = np.where(scene.pose_mask[..., None] > 0, np.uint8(body), scene.background)
        report(1.0)
        if scene.face_mask is None:
            return picture
        face = 100 + sum(round(10 * weight) for _, weight in request.adapters)
        return np.where(scene.face_mask[..., None] > 0, np.uint8(face), picture)


class Teacher:
    """Counts to `STEPS` and waits at a half for the file `go`; `raise` and `refuse` do what they say.

    Each attempt leaves a file named by its process with the step at which it began.
    """

    def stats(self) -> EngineStats:
        return EngineStats(0, 0)

    def train(self, order: TrainingOrder, report: Callable[[float], None]) -> Trained:
        signs = Path(os.environ["SIGNS"])
        order.folder.mkdir(parents=True, exist_ok=True)
        kept = order.folder / "step"
        step = int(kept.read_text()) if kept.exists() else 0
        (signs / f"{os.getpid()}.pid").write_text(str(step))
        if (signs / "raise").exists():
            raise RuntimeError("no paint left")
        if (signs / "refuse").exists():
            raise CannotDo("there is too little paint")
        while step < STEPS:
            while step == STEPS // 2 and not (signs / "go").exists():
                report(step / STEPS)
                Event().wait(0.01)
            step += 1
            # Whole at every moment: a test may kill this process at any line.
            part = kept.with_suffix(".part")
            part.write_text(str(step))
            part.replace(kept)
            report(step / STEPS)
        mean = float(np.mean([photo.mean() for photo in order.photos]))
        return Trained(
            _file(round(mean + order.seed) % 256),
            {"trigger": f"word {order.subject}", "steps": order.steps, "seconds": 0.5},
        )


def _file(value: int) -> bytes:
    """Return a safetensors file with one number."""
    header = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    return len(header).to_bytes(8, "little") + header + bytes([value])
