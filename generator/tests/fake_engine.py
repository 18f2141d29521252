"""A fake engine of flat images, controlled by its prompt."""

import threading

import numpy as np
from serving import PATIENCE_S

from generator.engines.base import (
    DescriptionOptions,
    EngineStats,
    ImageRequest,
    ModelInfo,
    Pixels,
    ProgressReporter,
    Stopped,
)


class Clock:
    """The queue's clock in a test, which moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class FakeEngine:
    """Returns flat pictures immediately; `wait`, `raise` and `hang` in a prompt do what they say."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.never = threading.Event()
        self.waiting = threading.Event()
        self.stopped = threading.Event()
        self.image_requests: list[ImageRequest] = []
        self.model: ModelInfo | None = None
        self.done = 0.5
        self.reports = 0
        self.factors: list[int] = []
        self.strengths: list[float] = []

    def stats(self) -> EngineStats:
        return EngineStats(
            1234, 567, gpu_allocated_bytes=1_846_835_937, gpu_reserved_bytes=4_810_363_372, model=self.model
        )

    def generate(self, image_request: ImageRequest, report: ProgressReporter) -> Pixels:
        self.image_requests.append(image_request)
        if "raise" in image_request.prompt:
            raise RuntimeError("no paint left")
        if "hang" in image_request.prompt:
            self.never.wait(PATIENCE_S)
        for step in range(image_request.steps):
            report(
                (step + 1) / image_request.steps,
                lambda: np.zeros((image_request.height, image_request.width, 3), dtype=np.uint8),
            )
            if "wait" in image_request.prompt and step == image_request.steps // 2:
                self._wait(report)
        return np.full((image_request.height, image_request.width, 3), image_request.seed % 251, dtype=np.uint8)

    def _wait(self, report: ProgressReporter) -> None:
        self.waiting.set()
        try:
            while not self.go.wait(0.01):
                report(self.done)
                self.reports += 1
        except Stopped:
            self.stopped.set()
            raise

    def transform(
        self, source: Pixels, image_request: ImageRequest, strength: float, report: ProgressReporter
    ) -> Pixels:
        assert source.shape == (image_request.height, image_request.width, 3)
        self.image_requests.append(image_request)
        self.strengths.append(strength)
        return source

    def upscale(self, picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        self.factors.append(factor)
        return picture.repeat(factor, axis=0).repeat(factor, axis=1)

    def describe(self, picture: Pixels, image_request: ImageRequest | None, wording: DescriptionOptions) -> str:
        return f"{picture.shape[1]}x{picture.shape[0]}"
