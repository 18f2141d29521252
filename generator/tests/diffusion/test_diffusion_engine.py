"""The engine as the service uses it, and what the loop does when something goes wrong."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_suite import OPTIONS, EngineSuite, Reports, request
from tiny_models import ADAPTERS

from generator.engines.base import Engine, NotNumbers, Pixels, ProgressReporter, Stopped
from generator.engines.diffusion.describing import Describer
from generator.engines.diffusion.engine import Diffusion
from generator.engines.diffusion.loop import OutOfMemory
from generator.engines.diffusion.orders import Bucket, Order
from generator.engines.diffusion.studio import Studio
from generator.engines.diffusion.widths import Widths
from generator.engines.upscaling.upscaler import chosen


class TestDiffusion(EngineSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Engine:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EASEL_MODEL", str(models["plain"]))
            patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
            return Diffusion()


@pytest.fixture(scope="module")
def engine(studio: Studio) -> Diffusion:
    made = Diffusion.__new__(Diffusion)
    made.studio = studio
    made.describer = Describer("")
    return made


@pytest.fixture(scope="module")
def source() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (64, 72, 3), np.uint8)


def test_the_model_and_its_defaults_are_reported(engine: Diffusion) -> None:
    model = engine.stats().model
    assert model is not None
    assert (model.device, model.precision) == ("cpu", "float32")
    assert (model.steps, model.scale, model.width, model.height) == (30, 7.5, 64, 64)
    assert engine.stats().base_parameters > 10_000


def test_the_time_of_the_last_loading_is_known(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_MODEL", str(models["plain"]))
    assert Diffusion.loading_s() is None
    Diffusion()
    assert isinstance(Diffusion.loading_s(), float)


def test_less_than_one_step_is_the_source(engine: Diffusion, source: Pixels) -> None:
    assert engine.transform(source, request(steps=4), 0.2, Reports()) is source
    mask = np.full((64, 72), 255, np.uint8)
    assert engine.inpaint(source, mask, request(steps=4), 0.2, Reports()) is source


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_inpainting_keeps_the_pixels_outside_of_the_mask(engine: Diffusion, source: Pixels, strength: float) -> None:
    mask = np.zeros((64, 72), np.uint8)
    mask[10:30, 13:41] = 255
    painted = engine.inpaint(source, mask, request(steps=6), strength, Reports())
    assert (painted[mask == 0] == source[mask == 0]).all()
    assert (painted[mask == 255] != source[mask == 255]).mean() > 0.9


def test_an_empty_mask_is_the_source(engine: Diffusion, source: Pixels) -> None:
    assert engine.inpaint(source, np.zeros((64, 72), np.uint8), request(), 1.0, Reports()) is source


def test_the_prompt_and_the_guidance_matter(engine: Diffusion) -> None:
    pictures = [
        engine.generate(request(**changes), Reports())
        for changes in (
            {},
            {"prompt": "a red sea"},
            {"prompt": "a (red) sea"},
            {"prompt": "a [red] sea"},
            {"prompt": "a red sea | boat"},
            {"negative_prompt": "snow"},
            {"scale": 3.0},
            {"steps": 5},
        )
    ]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_a_size_far_above_the_models_is_enlarged(engine: Diffusion, monkeypatch: pytest.MonkeyPatch) -> None:
    orders: list[Order] = []
    order = engine.studio.order

    def recorded(*arguments: object) -> Order:
        orders.append(order(*arguments))  # type: ignore[arg-type]
        return orders[-1]

    monkeypatch.setattr(engine.studio, "order", recorded)
    assert engine.generate(request(width=512, height=256, steps=1), Reports()).shape == (256, 512, 3)
    assert engine.generate(request(width=96, height=64, steps=1), Reports()).shape == (64, 96, 3)
    assert [tuple(one.latents.shape[2:]) for one in orders] == [(11, 23), (16, 24)]


def test_what_is_far_above_the_models_size_is_enlarged_by_the_upscaler(
    engine: Diffusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscaler, factors = chosen("realesr-animevideov3"), []
    assert upscaler is not None
    enlarge = upscaler.enlarge

    def recorded(picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        factors.append((picture.shape[:2], factor))
        return enlarge(picture, factor, report)

    monkeypatch.setattr(upscaler, "enlarge", recorded)
    wanted = request(width=512, height=256, steps=1)
    resampled = engine.generate(wanted, Reports())
    monkeypatch.setattr(engine.studio, "_upscaler", upscaler)
    reports = Reports()
    enlarged = engine.generate(wanted, reports)
    assert enlarged.shape == (256, 512, 3)
    assert np.abs(enlarged.astype(int) - resampled).max() > 0
    assert reports.done == sorted(reports.done)
    engine.generate(request(width=96, height=64, steps=1), Reports())
    assert factors == [((44, 92), 4)]


def test_frames_show_the_way_to_the_picture(engine: Diffusion) -> None:
    reports = Reports()
    picture = engine.generate(request(steps=8), reports)
    assert len(reports.frames) >= 2
    distances = [np.abs(frame.astype(int) - picture).mean() for frame in reports.frames]
    assert distances[-1] == 0
    assert distances[0] > 0


def test_a_cancelled_order_leaves_at_the_next_step(engine: Diffusion) -> None:
    loop = engine.studio.loop
    with pytest.raises(Stopped):
        engine.generate(request(steps=150), Reports(stop_after=2))
    with ThreadPoolExecutor(1) as threads:
        threads.submit(engine.generate, request(steps=1), Reports()).result()
    assert loop._orders == [] or all(one.finished or one.cancelled for one in loop._orders)


def test_numbers_that_are_none_are_reported(engine: Diffusion, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = Order.advance

    def broken(order: Order, output: torch.Tensor) -> None:
        advance(order, output * float("nan") if order.scale == 3 else output)

    monkeypatch.setattr(Order, "advance", broken)
    with ThreadPoolExecutor(2) as threads:
        bad = threads.submit(engine.generate, request(scale=3.0), Reports())
        good = threads.submit(engine.generate, request(scale=4.0), Reports())
        with pytest.raises(NotNumbers):
            bad.result()
        assert good.result().shape == (64, 72, 3)


def test_an_order_that_fails_leaves_the_others(engine: Diffusion, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = Order.advance

    def broken(order: Order, output: torch.Tensor) -> None:
        if order.scale == 3 and order.done == 2:
            raise ValueError("no paint left")
        advance(order, output)

    monkeypatch.setattr(Order, "advance", broken)
    with ThreadPoolExecutor(2) as threads:
        bad = threads.submit(engine.generate, request(scale=3.0), Reports())
        good = threads.submit(engine.generate, request(scale=4.0), Reports())
        with pytest.raises(ValueError, match="no paint left"):
            bad.result()
        assert good.result().shape == (64, 72, 3)


class Scarce:
    """Memory for so many rows."""

    def __init__(self, loop: object, rows: int) -> None:
        self.predict = loop._predict  # type: ignore[attr-defined]
        self.rows = rows
        self.refused = 0

    def __call__(self, orders: list[Order], width: int) -> torch.Tensor:
        if width > self.rows:
            self.refused += 1
            raise torch.OutOfMemoryError("out of memory")
        output: torch.Tensor = self.predict(orders, width)
        return output


def test_without_memory_batches_become_narrower(
    models: dict[str, Path], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Studio(str(models["plain"]), exact=True, adapters=ADAPTERS)
    scarce = Scarce(own.loop, 4)
    monkeypatch.setattr(own.loop, "_predict", scarce)
    wanted = [request(width=64, seed=seed) for seed in range(8)]
    about = threading.Barrier(len(wanted))

    def paint(one: object) -> Pixels:
        about.wait()
        return own.paint(one, Reports())  # type: ignore[arg-type]

    with ThreadPoolExecutor(len(wanted)) as threads:
        painted = list(threads.map(paint, wanted))
    expected = [studio.paint(one, Reports()) for one in wanted]
    assert all(np.array_equal(one, other) for one, other in zip(painted, expected, strict=True))
    assert scarce.refused > 0
    assert {widths.widest for widths in own.loop.widths.values()} == {4}


def test_a_picture_that_never_fits_fails(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio.loop, "widths", {Bucket(16, 16, 77, 2): Widths((2, 4), (1.0, 1.5))})
    monkeypatch.setattr(studio.loop, "_predict", Scarce(studio.loop, 1))
    with pytest.raises(OutOfMemory):
        studio.paint(request(width=64), Reports())


def test_a_description_is_the_words(engine: Diffusion, source: Pixels) -> None:
    words = engine.describe(source, request(prompt="a ((red)) boat on the [sea] | fog"), OPTIONS)
    assert words == "a red boat on the sea, fog"


def test_a_description_has_as_many_words_as_asked_for(engine: Diffusion, source: Pixels) -> None:
    words = engine.describe(source, request(prompt="one two three four five, six"), replace(OPTIONS, blip_max_len=5))
    assert words == "one two three four five"
