"""An engine that does what its prompt says, in a process of its own; a file in the prompt tells when it has begun."""

import os
import re
import signal
from pathlib import Path
from threading import Event

import numpy as np

from generator.engines.base import EngineStats, ImageRequest, Pixels, ProgressReporter


class Unruly:
    """`raise`, `crash`, `hang` and `wait`, a colon, a file to touch; anything else: a flat picture."""

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
            # Native code that never comes back and holds the interpreter meanwhile.
            re.match("(a+)+$", "a" * 64 + "b")
        done = 0.0
        while what == "wait":
            done = min(1.0, done + 0.001)
            report(done)
            Event().wait(0.002)
        return np.full((image_request.height, image_request.width, 3), os.getpid() % 251, dtype=np.uint8)


def broken() -> Unruly:
    """An engine that cannot even be made."""
    raise RuntimeError("no paint at all")
