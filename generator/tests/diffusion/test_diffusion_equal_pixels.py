"""The promise of the step loop: a picture does not depend on what else is painted, bit for bit."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from engine_suite import Reports, request
from mixed_orders import MIXED, paint_together, same
from tiny_models import ADAPTERS

from generator.engines.base import Pixels, Stopped
from generator.engines.diffusion.orders import Order
from generator.engines.diffusion.record import Record
from generator.engines.diffusion.studio import Studio
from generator.engines.diffusion.widths import Widths


@pytest.fixture(scope="module")
def alone(studio: Studio) -> list[Pixels]:
    return [studio.paint(one, Reports()) for one in MIXED]


def test_steps_are_shared(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    shared: list[int] = []
    step = studio.loop._step

    def counted(orders: list[object], widths: object) -> None:
        shared.append(len(orders))
        step(orders, widths)  # type: ignore[arg-type]

    monkeypatch.setattr(studio.loop, "_step", counted)
    paint_together(studio, MIXED[:5] * 2)
    assert max(shared) > 1
    assert sum(shared) == 2 * sum(one.steps for one in MIXED[:5])


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_few_steps_do_not_wait_for_many(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch has room for one order; a short one comes during the first step of a long one."""
    long, short = (request(width=64, prompt="sea", scale=2.0, steps=steps, seed=steps) for steps in (9, 1))
    expected = [studio.paint(one, Reports()) for one in (long, short)]
    turns: list[int] = []
    step = studio.loop._step
    with ThreadPoolExecutor(1) as threads:
        coming: list[Future[Pixels]] = []

        def counted(orders: list[Order], widths: Widths) -> None:
            if not turns:
                coming.append(threads.submit(studio.paint, short, Reports()))
                wait_until(lambda: len(studio.loop._orders) == 2)
            turns.extend(len(order.run.timesteps) for order in orders)
            step(orders, widths)

        monkeypatch.setattr(studio.loop, "_step", counted)
        monkeypatch.setitem(studio.loop.widths, studio.order(long).bucket, Widths((2,), (1.0,)))
        painted = [studio.paint(long, Reports()), coming[0].result()]
    assert turns == [9, 1, *[9] * 8]
    assert same(painted, expected)


def test_orders_without_guidance_share_steps_too(models: dict[str, Path], record: Record) -> None:
    studio = Studio(str(models["turbo"]), exact=True, adapters=ADAPTERS, record=record)
    [widths] = studio.loop.widths.values()
    assert widths.rows[0] == 1
    assert widths.widest >= 8


def test_pixels_are_equal_alone_and_among_others(studio: Studio, alone: list[Pixels]) -> None:
    assert same(paint_together(studio, MIXED), alone)


def test_pixels_are_equal_in_any_order_of_arrival(studio: Studio, alone: list[Pixels]) -> None:
    random = np.random.default_rng(0)
    for _ in range(4):
        order = random.permutation(len(MIXED))
        painted = paint_together(studio, [MIXED[k] for k in order])
        assert same(painted, [alone[k] for k in order])


def test_pixels_are_equal_among_many_copies(studio: Studio, alone: list[Pixels]) -> None:
    painted = paint_together(studio, MIXED * 6)
    assert same(painted, alone * 6)


def test_joining_and_leaving_change_nothing(studio: Studio, alone: list[Pixels]) -> None:
    """Orders begin while others are in the middle, and some are cancelled."""
    begun = threading.Event()

    def slow(done: float, snapshot: object = None) -> None:
        begun.set()

    def cancelled() -> None:
        with pytest.raises(Stopped):
            studio.paint(request(width=64, steps=100, seed=7), Reports(stop_after=3))

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(studio.paint, MIXED[2], slow)
        begun.wait()
        stops = [threads.submit(cancelled) for _ in range(3)]
        others = [threads.submit(studio.paint, one, Reports()) for one in MIXED[:2]]
        painted = [first.result(), *(other.result() for other in others)]
        for stop in stops:
            stop.result()
    assert same(painted, [alone[2], alone[0], alone[1]])


def test_start_pictures_and_masks_share_steps_too(studio: Studio, alone: list[Pixels]) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:20] = 255
    calls: list[Callable[[], Pixels]] = [
        lambda: studio.paint(MIXED[0], Reports(), 0.5, alone[1]),
        lambda: studio.paint(MIXED[1], Reports(), 0.9, alone[0], mask),
        lambda: studio.paint(MIXED[0], Reports()),
    ]
    expected = [call() for call in calls]
    with ThreadPoolExecutor(12) as threads:
        painted = list(threads.map(lambda call: call(), calls * 4))
    assert same(painted, expected * 4)


def test_a_later_start_paints_the_same(models: dict[str, Path], record: Record, alone: list[Pixels]) -> None:
    again = Studio(str(models["plain"]), exact=True, adapters=ADAPTERS, record=record)
    assert same(paint_together(again, MIXED[:3]), alone[:3])


@pytest.mark.parametrize(
    "kind", ["turbo", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("large", "few steps"))]
)
def test_other_kinds_keep_the_promise(models: dict[str, Path], record: Record, kind: str) -> None:
    studio = Studio(str(models[kind]), exact=True, adapters=ADAPTERS, record=record)
    expected = [studio.paint(one, Reports()) for one in MIXED]
    assert same(paint_together(studio, MIXED * 2), expected * 2)


@pytest.mark.parametrize("scale", [7.5, 1.0])
def test_a_picture_is_what_the_pipeline_of_diffusers_makes(
    studio: Studio, models: dict[str, Path], scale: float
) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(models["plain"], safety_checker=None)
    wanted = pipeline_picture(pipe, scale)
    painted = studio.paint(request(width=64, prompt="a red sea", steps=6, scale=scale, seed=4), Reports())
    assert np.abs(painted.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("negative", ["rain", None])
def test_a_large_model_does_what_its_pipeline_does(
    models: dict[str, Path], record: Record, negative: str | None
) -> None:
    pipe = StableDiffusionXLPipeline.from_pretrained(models["large"], add_watermarker=False)
    studio = Studio(str(models["large"]), exact=True, adapters=ADAPTERS, record=record)
    wanted = request(width=64, prompt="a red sea", steps=6, scale=5.0, seed=4, negative_prompt=negative or "")
    painted = studio.paint(wanted, Reports())
    assert np.abs(painted.astype(int) - pipeline_picture(pipe, 5.0, negative)).max() <= 1


def pipeline_picture(pipe: StableDiffusionPipeline, scale: float, negative: str | None = "rain") -> Pixels:
    pipe.set_progress_bar_config(disable=True)
    answer = pipe(
        "a red sea",
        negative_prompt=negative,
        width=64,
        height=64,
        num_inference_steps=6,
        guidance_scale=scale,
        generator=torch.Generator().manual_seed(4),
        output_type="np",
    )
    picture: Pixels = (answer.images[0] * 255).round().astype(np.uint8)
    return picture
