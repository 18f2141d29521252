"""An engine in a separate process, controlled by its prompt, which creates a file named there when it starts."""

import os
import re
import signal
from pathlib import Path
from threading import Event

import numpy as np

from generator.engines.base import EngineStats, ImageRequest, Pixels, ProgressReporter


class Unruly:
    """Prompts are `raise`, `crash`, `hang` or `wait`, a colon and a file to touch; others make a flat picture."""

    def stats(self) -> EngineStats:
        return EngineStats(os.getpid(), 0, 0, 0)

    def generate(self, image_request: ImageRequest, report: ProgressReporter) -> Pixels:
        what, _, sign = image_request.prompt.partition(":")
        if sign:
            Path(sign).touch()
        if what == "raise":
            raise RuntimeError("no paint left")
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "hang":
            # Native code that never returns and holds the GIL.
            re.match("(a+)+$", "a" * 64 + "b")
        done = 0.0
        while what == "wait":
            done = min(1.0, done + 0.001)
            report(done)
            Event().wait(0.002)
        return np.full((image_request.height, image_request.width, 3), os.getpid() % 251, dtype=np.uint8)


def broken() -> Unruly:
    """Raise: an engine that cannot be created."""
    raise RuntimeError("no paint at all")
