"""Orders with a control picture share steps with others, and each picture is what it is alone, bit for bit."""

import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from diffusers import (
    ControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLControlNetPipeline,
)
from engine_suite import Reports, SceneSuite, request
from mixed_orders import MIXED, paint_together, same
from PIL import Image
from tiny_models import ADAPTERS

from generator.engine_pool import ProcessEnginePool
from generator.engines.base import Control, ImageRequest, Mask, Pixels, Scene
from generator.engines.diffusion.engine import Diffusion
from generator.engines.diffusion.folder import BadModel
from generator.engines.diffusion.loading import load
from generator.engines.diffusion.networks import _random_inputs, predict, residuals_of
from generator.engines.diffusion.orders import Bucket, Order, Steering
from generator.engines.diffusion.record import Record
from generator.engines.diffusion.studio import Studio
from generator.engines.diffusion.widths import Widths


def lines(seed: int, height: int = 64, width: int = 64) -> Pixels:
    """Return bars of colours on black."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.uint8)
    for _ in range(4):
        at = int(random.integers(0, height - 6))
        picture[at : at + 6, :: int(random.integers(1, 4))] = random.integers(80, 256, 3)
    return picture


STEERED = [
    request(width=64, prompt="a red boat", steps=7, scale=7.5, seed=1, control=Control(lines(1), 1.0)),
    request(width=64, prompt="sea", steps=5, scale=3.0, seed=2, control=Control(lines(2), 0.4)),
    request(width=64, prompt="sea", steps=6, scale=0.0, seed=3, control=Control(lines(3, 100, 80), 1.7)),
    request(width=72, prompt="a red boat", steps=4, seed=1, control=Control(lines(4), 1.0)),
]

BUCKET = Bucket(16, 16, 77, 2)

Kinds = Callable[[str], Studio]


@pytest.fixture(scope="module")
def controlnets(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("controlnets")
    return {kind: tiny_models.save_controlnet(folder / kind, model) for kind, model in models.items()}


@pytest.fixture(scope="module")
def studios(models: dict[str, Path], controlnets: dict[str, Path], record: Record) -> Kinds:
    made: dict[str, Studio] = {}

    def find(kind: str) -> Studio:
        if kind not in made:
            made[kind] = Studio(str(models[kind]), True, ADAPTERS, record, controlnet=str(controlnets[kind]))
        return made[kind]

    return find


@pytest.fixture(scope="module")
def steered(studios: Kinds) -> Studio:
    return studios("plain")


def together(calls: Sequence[Callable[[], Pixels]]) -> list[Pixels]:
    """Make all calls at the same time."""
    about = threading.Barrier(len(calls))

    def run(call: Callable[[], Pixels]) -> Pixels:
        about.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def test_orders_without_a_picture_are_those_of_an_engine_without_a_controlnet(studio: Studio, steered: Studio) -> None:
    expected = [studio.paint(one, Reports()) for one in MIXED[:6]]
    assert same([steered.paint(one, Reports()) for one in MIXED[:6]], expected)
    assert same(paint_together(steered, [*MIXED[:6], *STEERED] * 2)[:6], expected)


@pytest.mark.parametrize(
    "kind", ["plain", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("large", "turbo", "few steps"))]
)
def test_pixels_are_equal_alone_and_among_others(studios: Kinds, kind: str) -> None:
    studio = studios(kind)
    wanted = [one for pair in zip(STEERED[:3], MIXED[:3], strict=True) for one in pair]
    expected = [studio.paint(one, Reports()) for one in wanted]
    assert same(paint_together(studio, wanted * 3), expected * 3)
    assert same(paint_together(studio, wanted[::-1]), expected[::-1])


def test_orders_with_and_without_a_picture_share_steps(steered: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = threading.Event()
    predicted = steered.loop._predict

    def watched(orders: list[Order], width: int) -> torch.Tensor:
        if len({order.steering is None for order in orders}) == 2:
            mixed.set()
        return predicted(orders, width)

    monkeypatch.setattr(steered.loop, "_predict", watched)
    paint_together(steered, [STEERED[0], MIXED[0]] * 3)
    assert mixed.is_set()


def test_start_pictures_and_masks_are_steered_too(steered: Studio) -> None:
    source, mask = lines(7), np.zeros((64, 64), np.uint8)
    mask[:20] = 255
    plain = request(width=64, prompt="a red boat", steps=7, scale=7.5, seed=1)
    calls: list[Callable[[], Pixels]] = [
        lambda: steered.paint(STEERED[0], Reports(), 0.6, source),
        lambda: steered.paint(plain, Reports(), 0.6, source),
        lambda: steered.paint(STEERED[0], Reports(), 0.9, source, mask),
        lambda: steered.paint(plain, Reports(), 0.9, source, mask),
    ]
    expected = [call() for call in calls]
    assert len({picture.tobytes() for picture in expected}) == 4
    assert same(together(calls * 3), expected * 3)


def test_the_picture_and_its_scale_matter(steered: Studio) -> None:
    def paint(control: Control | None) -> Pixels:
        return steered.paint(request(width=64, control=control), Reports())

    none, nought, half, whole, other = (
        paint(control)
        for control in (
            None,
            Control(lines(1), 0.0),
            Control(lines(1), 0.5),
            Control(lines(1), 1.0),
            Control(lines(2), 1.0),
        )
    )
    assert (none == nought).all()
    assert len({picture.tobytes() for picture in (none, half, whole, other)}) == 4


def test_negative_zeros_change_no_bit(steered: Studio) -> None:
    model, pictures = steered._model, torch.rand(1, 3, 64, 64)
    inputs = _random_inputs(model, BUCKET).take(slice(4))
    residuals = residuals_of(model, inputs, {1: Steering(pictures, 1.0)}, Widths((2, 4), (1.0, 1.5)))
    others = [one[[0, 2, 3]] for one in residuals]
    assert all(torch.signbit(one).all() and not one.any() for one in others)
    bare, found = predict(model, inputs), predict(model, inputs, residuals)
    assert torch.equal(found[[0, 2, 3]].view(torch.int32), bare[[0, 2, 3]].view(torch.int32))
    assert not torch.equal(found[1], bare[1])


def test_more_rows_than_the_widest_run_in_turns(steered: Studio) -> None:
    model = steered._model
    inputs = _random_inputs(model, BUCKET).take(slice(8))
    wanted = {row: Steering(torch.rand(1, 3, 64, 64), row / 4) for row in (0, 1, 2, 5, 7)}
    once, in_turns = (residuals_of(model, inputs, wanted, Widths((width,), (1.0,))) for width in (8, 2))
    # Which widths agree bit for bit is measured; these are chosen here.
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(once, in_turns, strict=True))


def test_without_memory_batches_become_narrower(
    models: dict[str, Path],
    controlnets: dict[str, Path],
    record: Record,
    steered: Studio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Studio(str(models["plain"]), True, ADAPTERS, record, controlnet=str(controlnets["plain"]))
    own.loop.widths[BUCKET] = Widths((2, 4, 8, 16), (1.0, 1.5, 2.5, 4.5))
    own.loop.control_widths[BUCKET] = Widths((2, 4, 8), (1.0, 1.5, 2.5))
    network = own._model.controlnet
    assert network is not None
    run, refused = network.network.forward, []

    def scarce(latents: torch.Tensor, *rest: object, **more: object) -> object:
        if len(latents) > 4:
            refused.append(len(latents))
            raise torch.OutOfMemoryError("out of memory")
        return run(latents, *rest, **more)

    monkeypatch.setattr(network.network, "forward", scarce)
    painted = paint_together(own, [STEERED[0]] * 6)
    alone = steered.paint(STEERED[0], Reports()).astype(int)
    assert all(np.abs(one - alone).max() <= 1 for one in painted)
    assert refused
    assert own.loop.control_widths[BUCKET].rows == (2, 4)


class TestScenes(SceneSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, steered: Studio) -> Diffusion:
        return engine_of(steered)


def engine_of(studio: Studio) -> Diffusion:
    made = Diffusion.__new__(Diffusion)
    made.studio = studio
    return made


def scene_of(seed: int, face: bool = True) -> Scene:
    masks = np.zeros((2, 64, 64), np.uint8)
    masks[0, 8:56, 20:44] = masks[1, 10:20, 26:38] = 255
    return Scene(lines(seed), lines(seed + 1), masks[0], masks[1] if face else None, 0.8)


@pytest.mark.parametrize("face", [True, False])
def test_adapters_count_in_the_last_pass_alone(steered: Studio, face: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[tuple[object, float]] = []
    paint = steered.paint

    def watched(one: ImageRequest, report: Reports, strength: float, source: Pixels, mask: Mask) -> Pixels:
        assert one.control is not None
        assert one.control.scale == 0.8
        passes.append((one.adapters, strength))
        return paint(replace(one, adapters=()), report, strength, source, mask)

    monkeypatch.setattr(steered, "paint", watched)
    adapters = (("0" * 64, 1.0),)
    engine_of(steered).place(scene_of(1, face), request(width=64, steps=8, adapters=adapters), Reports())
    assert passes == ([((), 1.0), (adapters, 0.75)] if face else [(adapters, 1.0)])


def test_scenes_are_equal_alone_and_among_others(steered: Studio) -> None:
    engine = engine_of(steered)
    calls: list[Callable[[], Pixels]] = [
        lambda: engine.place(scene_of(1), request(width=64, steps=5, seed=1), Reports()),
        lambda: engine.place(scene_of(3, face=False), request(width=64, steps=4, seed=2), Reports()),
        lambda: engine.generate(MIXED[0], Reports()),
    ]
    expected = [call() for call in calls]
    assert same(together(calls * 3), expected * 3)


def test_without_a_controlnet_neither_control_nor_scenes_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EASEL_CONTROLNET", raising=False)
    assert set(ProcessEnginePool("diffusion").extensions) == {"inpaint", "adapters", "scheduler", "train"}
    monkeypatch.setenv("EASEL_CONTROLNET", "folder")
    assert {"control", "scene"} <= set(ProcessEnginePool("diffusion").extensions)


PIPELINES = {"plain": StableDiffusionControlNetPipeline, "large": StableDiffusionXLControlNetPipeline}


@pytest.mark.parametrize("kind", ["plain", "large"])
@pytest.mark.parametrize(("scale", "strength"), [(5.0, 1.0), (5.0, 0.45), (1.0, 1.3)])
def test_a_picture_is_what_the_pipeline_of_diffusers_makes(
    studios: Kinds, models: dict[str, Path], controlnets: dict[str, Path], kind: str, scale: float, strength: float
) -> None:
    network = ControlNetModel.from_pretrained(controlnets[kind])
    more = {"add_watermarker": False} if kind == "large" else {"safety_checker": None}
    pipe = PIPELINES[kind].from_pretrained(models[kind], controlnet=network, **more)
    pipe.set_progress_bar_config(disable=True)
    picture = lines(5, 80, 80)
    answer = pipe(
        "a red sea",
        image=Image.fromarray(picture),
        negative_prompt="rain",
        width=64,
        height=64,
        num_inference_steps=6,
        guidance_scale=scale,
        controlnet_conditioning_scale=strength,
        generator=torch.Generator().manual_seed(4),
        output_type="np",
    )
    wanted = request(width=64, prompt="a red sea", steps=6, scale=scale, seed=4, control=Control(picture, strength))
    painted = studios(kind).paint(wanted, Reports()).astype(int)
    assert np.abs(painted - (answer.images[0] * 255).round()).max() <= 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cross_attention_dim": 24}, "its cross_attention_dim is 24 instead of 16"),
        ({"block_out_channels": [16, 16]}, "its block_out_channels is"),
        ({"layers_per_block": 2}, "its layers_per_block is 2 instead of 1"),
        ({"in_channels": 8}, "its in_channels is 8 instead of 4"),
        ({"conditioning_channels": 1}, "its conditioning_channels is 1 instead of 3"),
        ({"conditioning_embedding_out_channels": [8, 8, 8, 8]}, "one latent of 8 pixels a side instead of 4"),
        ({"global_pool_conditions": True}, "its global_pool_conditions is True"),
        ({"class_embed_type": "timestep"}, "its class_embed_type is timestep"),
        (
            {
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": 8,
                "projection_class_embeddings_input_dim": 64,
            },
            "its addition_embed_type is text_time instead of None",
        ),
    ],
)
def test_a_controlnet_for_another_model_is_refused(
    models: dict[str, Path], tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    other = tiny_models.save_controlnet(tmp_path / "other", models["plain"], **changes)
    with pytest.raises(BadModel, match=f"the ControlNet other does not fit the model: .*{said}"):
        load(str(models["plain"]), str(other))


def test_one_for_another_kind_of_model_is_refused(models: dict[str, Path], controlnets: dict[str, Path]) -> None:
    with pytest.raises(BadModel, match="its cross_attention_dim is 16 instead of 40"):
        load(str(models["large"]), str(controlnets["plain"]))


def only_pickle(folder: Path) -> None:
    (folder / "diffusion_pytorch_model.safetensors").rename(folder / "diffusion_pytorch_model.bin")


def other_class(folder: Path) -> None:
    tiny_models.change(folder / "config.json", _class_name="UNet2DConditionModel")


def many_layers(folder: Path) -> None:
    tiny_models.change(folder / "config.json", layers_per_block=10**6)


def more_parameters_than_weights(folder: Path) -> None:
    tiny_models.change(folder / "config.json", block_out_channels=[512, 1024])


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (only_pickle, "only safetensors"),
        (other_class, "is not a ControlNetModel"),
        (many_layers, "layers_per_block is outside"),
        (more_parameters_than_weights, "more parameters than there are weights"),
    ],
)
def test_a_bad_controlnet_is_refused_with_a_reason(
    models: dict[str, Path], controlnets: dict[str, Path], tmp_path: Path, break_it: Callable[[Path], None], said: str
) -> None:
    folder = Path(shutil.copytree(controlnets["plain"], tmp_path / "controlnet"))
    break_it(folder)
    with pytest.raises(BadModel, match=said):
        load(str(models["plain"]), str(folder))
