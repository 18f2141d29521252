"""A fake engine that does as its prompt says, and the service around it."""

import base64
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from PIL import Image
from serving import PATIENCE_S, Service, TestClient
from thread_engine_pool import ThreadEnginePool

from generator.engine_pool import ProcessEnginePool
from generator.engines.base import DescriptionOptions, EngineStats, ImageRequest, Pixels, ProgressReporter, Stopped
from generator.jobs import Bounds
from generator.service import create_app
from tests.support.listening import listening


class FakeEngine:
    """Flat pictures at once; `wait`, `raise` and `hang` in a prompt do what they say."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.never = threading.Event()
        self.waiting = threading.Event()
        self.stopped = threading.Event()
        self.image_requests: list[ImageRequest] = []
        self.factors: list[int] = []
        self.strengths: list[float] = []

    def stats(self) -> EngineStats:
        return EngineStats(1234, 567, gpu_allocated_bytes=1_846_835_937, gpu_reserved_bytes=4_810_363_372)

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
                report(0.5)
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


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    fake = FakeEngine()
    yield fake
    fake.go.set()
    fake.never.set()


@pytest.fixture
def serve(engine: FakeEngine) -> Iterator[Callable[..., Service]]:
    with ExitStack() as stack:
        yield lambda **bounds: Service(
            stack.enter_context(TestClient(create_app(ThreadEnginePool(engine), Bounds(**bounds))))
        )


@pytest.fixture
def service(serve: Callable[..., Service]) -> Service:
    return serve()


@pytest.fixture(scope="module")
def painting() -> Iterator[Service]:
    """The service with the engine that really paints."""
    with TestClient(create_app(ProcessEnginePool("painter"))) as client:
        yield Service(client)


@pytest.fixture
def listen(engine: FakeEngine) -> Iterator[Callable[..., str]]:
    with ExitStack() as stack:

        def serve(**bounds: Any) -> str:
            app = create_app(ThreadEnginePool(engine), Bounds(**bounds))
            return f"http://{stack.enter_context(listening(app))}"

        yield serve


@pytest.fixture
def open_png() -> Callable[[str], Image.Image]:
    def decode(text: str) -> Image.Image:
        image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
        image.load()
        return image

    return decode


@pytest.fixture
def encode() -> Callable[..., str]:
    def encoded(width: int = 64, height: int = 64, kind: str = "PNG", mode: str = "RGB") -> str:
        out = io.BytesIO()
        Image.linear_gradient("L").resize((width, height)).convert(mode).save(out, kind)
        return base64.b64encode(out.getvalue()).decode()

    return encoded
