"""Adapters: which files are taken, and that each changes its own rows only."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from engine_suite import Reports, request
from peft import LoraConfig, get_peft_model_state_dict

from generator.engines.base import CannotDo, ImageRequest, NotNumbers, Pixels
from generator.engines.diffusion.adapter_keys import BadAdapter, _first_name, layers
from generator.engines.diffusion.orders import Order
from generator.engines.diffusion.record import Record
from generator.engines.diffusion.studio import Studio
from generator.engines.diffusion.widths import Widths
from tests.support.waiting import until

Tensors = dict[str, torch.Tensor]

UNET_LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "ff.net.2", "conv1", "conv2", "time_emb_proj", "conv_in"]
TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def own(models: dict[str, Path], record: Record, folder: Path) -> Studio:
    return Studio(str(models["plain"]), exact=True, adapters=folder, record=record)


def put(folder: Path, tensors: Tensors) -> str:
    data = safetensors.torch.save({key: tensor.contiguous() for key, tensor in tensors.items()})
    name = sha256(data).hexdigest()
    (folder / f"{name}.safetensors").write_bytes(data)
    return name


def adapter(model: Path, seed: int, text: bool = True) -> tuple[StableDiffusionPipeline, Tensors]:
    """Return a pipeline with random LoRA layers and their tensors as diffusers saves them."""
    torch.manual_seed(seed)
    pipe = StableDiffusionPipeline.from_pretrained(model, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    parts = [("unet", pipe.unet, UNET_LAYERS)]
    parts += [("text_encoder", pipe.text_encoder, TEXT_LAYERS)] if text else []
    tensors: Tensors = {}
    for prefix, network, targets in parts:
        network.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=targets, init_lora_weights=False))
        tensors |= {f"{prefix}.{key}": value for key, value in get_peft_model_state_dict(network).items()}
    return pipe, tensors


def with_adapters(one: ImageRequest, *adapters: tuple[str, float]) -> ImageRequest:
    return replace(one, adapters=adapters)


def paint(studio: Studio, *requests: ImageRequest) -> list[Pixels]:
    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(lambda one: studio.paint(one, Reports()), requests))


PLAIN = request(width=64, prompt="a red sea", steps=6, scale=7.5, seed=4)


@pytest.fixture(scope="module")
def first(models: dict[str, Path], folder: Path) -> str:
    return put(folder, adapter(models["plain"], 1)[1])


@pytest.fixture(scope="module")
def second(models: dict[str, Path], folder: Path) -> str:
    return put(folder, adapter(models["plain"], 2, text=False)[1])


def pipeline_picture(pipe: StableDiffusionPipeline) -> Pixels:
    answer = pipe(
        PLAIN.prompt,
        negative_prompt=PLAIN.negative_prompt,
        width=64,
        height=64,
        num_inference_steps=PLAIN.steps,
        guidance_scale=PLAIN.scale,
        generator=torch.Generator().manual_seed(PLAIN.seed),
        output_type="np",
    )
    picture: Pixels = (answer.images[0] * 255).round().astype(np.uint8)
    return picture


def test_an_adapter_does_what_it_does_in_diffusers(models: dict[str, Path], own: Studio, folder: Path) -> None:
    pipe, tensors = adapter(models["plain"], 3)
    [painted] = paint(own, with_adapters(PLAIN, (put(folder, tensors), 1.0)))
    [plain] = paint(own, PLAIN)
    assert np.abs(painted.astype(int) - pipeline_picture(pipe)).max() <= 1
    assert np.abs(painted.astype(int) - plain).max() > 1


def test_each_order_has_its_own_adapters_bit_for_bit(own: Studio, first: str, second: str) -> None:
    wanted = [
        PLAIN,
        with_adapters(PLAIN, (first, 1.0)),
        with_adapters(PLAIN, (first, 0.5)),
        with_adapters(PLAIN, (second, 1.0)),
        with_adapters(PLAIN, (first, 1.0), (second, 0.7)),
        with_adapters(replace(PLAIN, scale=1.0), (second, 1.0)),
        replace(PLAIN, scale=1.0),
    ]
    alone = [paint(own, one)[0] for one in wanted]
    assert len({picture.tobytes() for picture in alone}) == len(alone)
    together = paint(own, *wanted, *wanted)
    assert all(np.array_equal(one, other) for one, other in zip(together, alone * 2, strict=True))


def test_orders_with_different_adapters_are_rows_of_one_batch(
    own: Studio, first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [with_adapters(PLAIN, (first, 1.0)), with_adapters(PLAIN, (second, 1.0)), PLAIN]
    monkeypatch.setitem(own.loop.widths, own.order(PLAIN).bucket, Widths((2, 4, 8), (1.0, 1.5, 2.5)))
    predict = own.loop._predict
    batches: list[set[object]] = []

    def watched(orders: list[Order], width: int) -> torch.Tensor:
        if not batches:
            until(lambda: len(own.loop._orders) == len(wanted), "all orders have come", 60, 0.01)
        batches.append({order.conditions.adapters for order in orders})
        return predict(orders, width)

    monkeypatch.setattr(own.loop, "_predict", watched)
    paint(own, *wanted)
    # The first step is taken before the others have come.
    assert batches[1 : PLAIN.steps] == [{one.adapters for one in wanted}] * (PLAIN.steps - 1)


def test_a_weight_of_nought_changes_nothing(own: Studio, first: str) -> None:
    with_nought, without = paint(own, with_adapters(PLAIN, (first, 0.0)), PLAIN)
    assert np.array_equal(with_nought, without)


def test_an_adapter_that_overflows_ruins_no_other_order(own: Studio, folder: Path) -> None:
    huge = {"lora_A": torch.full((4, 4, 3, 3), 1e30), "lora_B": torch.full((16, 4, 1, 1), 1e30)}
    name = put(folder, {f"unet.conv_in.{half}.weight": tensor for half, tensor in huge.items()})
    [alone] = paint(own, PLAIN)
    wanted = [with_adapters(PLAIN, (name, 1.0)), PLAIN, PLAIN]
    with ThreadPoolExecutor(len(wanted)) as threads:
        orders = [threads.submit(own.paint, one, Reports()) for one in wanted]
    with pytest.raises(NotNumbers):
        orders[0].result()
    assert all(np.array_equal(order.result(), alone) for order in orders[1:])


def kohya(tensors: Tensors) -> Tensors:
    """Return a LoRA under the names that kohya's scripts give."""
    renamed: Tensors = {}
    for key, tensor in tensors.items():
        network, _, path = key.partition(".")
        path, _, half = path.rpartition(".lora_")
        prefix = "lora_unet_" if network == "unet" else "lora_te_text_model_"
        name = prefix + path.removeprefix("text_model.").replace(".", "_")
        renamed[f"{name}.lora_{'down' if half.startswith('A') else 'up'}.weight"] = tensor
        renamed[f"{name}.alpha"] = torch.tensor(4.0)
    return renamed


def old_diffusers(tensors: Tensors) -> Tensors:
    """Return a LoRA of the U-Net's attention under the names of older versions of diffusers."""
    renamed: Tensors = {}
    for key, tensor in tensors.items():
        path, _, half = key.rpartition(".lora_")
        if path.rpartition(".")[2] in ("to_q", "to_k", "to_v"):
            block, _, name = path.rpartition(".")
            renamed[f"{block}.processor.{name}_lora.{'down' if half.startswith('A') else 'up'}.weight"] = tensor
    return renamed


def test_kohyas_names_are_read(models: dict[str, Path], own: Studio, folder: Path, first: str) -> None:
    tensors = kohya(adapter(models["plain"], 1)[1])
    other = put(folder, tensors)
    one, same = paint(own, with_adapters(PLAIN, (first, 1.0)), with_adapters(PLAIN, (other, 1.0)))
    assert np.array_equal(one, same)
    half = put(folder, {key: value / 2 if key.endswith("alpha") else value for key, value in tensors.items()})
    one, same = paint(own, with_adapters(PLAIN, (first, 0.5)), with_adapters(PLAIN, (half, 1.0)))
    assert np.abs(one.astype(int) - same).max() <= 1


def test_older_names_of_diffusers_are_read(models: dict[str, Path], own: Studio) -> None:
    tensors = adapter(models["plain"], 1, text=False)[1]
    found = layers(old_diffusers(tensors), own._adapters._networks)
    assert {layer.name.rpartition(".")[2] for layer in found} == {"to_q", "to_k", "to_v"}


def test_names_of_the_first_sdxl_are_read() -> None:
    expected = {
        "conv_in": "input_blocks.0.0",
        "down_blocks.0.resnets.1.conv1": "input_blocks.2.0.in_layers.2",
        "down_blocks.0.downsamplers.0.conv": "input_blocks.3.0.op",
        "down_blocks.1.attentions.0.proj_in": "input_blocks.4.1.proj_in",
        "down_blocks.2.attentions.1.proj_out": "input_blocks.8.1.proj_out",
        "mid_block.resnets.0.conv2": "middle_block.0.out_layers.3",
        "mid_block.attentions.0.proj_in": "middle_block.1.proj_in",
        "mid_block.resnets.1.time_emb_proj": "middle_block.2.emb_layers.1",
        "up_blocks.0.attentions.2.proj_in": "output_blocks.2.1.proj_in",
        "up_blocks.0.upsamplers.0.conv": "output_blocks.2.2.conv",
        "up_blocks.1.resnets.0.conv_shortcut": "output_blocks.3.0.skip_connection",
        "up_blocks.2.resnets.2.conv1": "output_blocks.8.0.in_layers.2",
        "add_embedding.linear_2": "label_emb.0.2",
    }
    assert {name: _first_name(name) for name in expected} == expected


def test_a_large_model_takes_adapters_for_both_encoders(models: dict[str, Path], record: Record, folder: Path) -> None:
    torch.manual_seed(5)
    pipe = StableDiffusionXLPipeline.from_pretrained(models["large"], add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    tensors: Tensors = {}
    for prefix, targets in (("unet", UNET_LAYERS), ("text_encoder", TEXT_LAYERS), ("text_encoder_2", TEXT_LAYERS)):
        network = getattr(pipe, prefix)
        network.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=targets, init_lora_weights=False))
        tensors |= {f"{prefix}.{key}": value for key, value in get_peft_model_state_dict(network).items()}
    studio = Studio(str(models["large"]), exact=True, adapters=folder, record=record)
    [painted] = paint(studio, with_adapters(PLAIN, (put(folder, tensors), 1.0)))
    assert np.abs(painted.astype(int) - pipeline_picture(pipe)).max() <= 1


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({}, "empty"),
        ({"unet.conv_in.lora_A.weight": torch.zeros(4, 4, 3, 3)}, "only a half"),
        ({"unet.no.such.layer.lora_A.weight": torch.zeros(4, 4)}, "no part of a LoRA"),
        ({"unet.conv_in.hada_w1_a": torch.zeros(4, 4)}, "no part of a LoRA"),
        (
            {
                "unet.conv_in.lora_A.weight": torch.zeros(4, 4, 1, 1),
                "unet.conv_in.lora_B.weight": torch.zeros(16, 4, 1, 1),
            },
            "other sizes",
        ),
        (
            {
                "unet.conv_in.lora_A.weight": torch.full((4, 4, 3, 3), float("nan")),
                "unet.conv_in.lora_B.weight": torch.zeros(16, 4, 1, 1),
            },
            "no numbers",
        ),
        (
            {
                "unet.conv_in.lora_A.weight": torch.full((4, 4, 3, 3), 1e300, dtype=torch.float64),
                "unet.conv_in.lora_B.weight": torch.zeros(16, 4, 1, 1),
            },
            "no numbers",
        ),
        (
            {
                "unet.conv_in.lora_A.weight": torch.zeros(4, 4, 3, 3),
                "unet.conv_in.lora_B.weight": torch.zeros(16, 4, 1, 1),
                "unet.conv_in.alpha": torch.tensor(float("inf")),
            },
            "no numbers",
        ),
        (
            {
                "unet.conv_in.lora_A.weight": torch.zeros(0, 4, 3, 3),
                "unet.conv_in.lora_B.weight": torch.zeros(16, 0, 1, 1),
            },
            "other sizes",
        ),
    ],
)
def test_what_does_not_fit_the_model_is_refused(own: Studio, tensors: Tensors, said: str) -> None:
    with pytest.raises(BadAdapter, match=said):
        layers(tensors, own._adapters._networks)


def test_an_unknown_adapter_is_an_error_and_not_the_base_model(own: Studio) -> None:
    with pytest.raises(BadAdapter, match="no adapter 000"):
        own.paint(with_adapters(PLAIN, ("0" * 64, 1.0)), Reports())


def test_memory_is_bounded_and_what_is_used_stays(
    models: dict[str, Path], own: Studio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapters = own._adapters
    names = [put(folder, adapter(models["plain"], seed, text=False)[1]) for seed in (10, 11, 12)]
    size = (folder / f"{names[0]}.safetensors").stat().st_size
    monkeypatch.setattr(adapters, "_max_bytes", 2 * size)
    with adapters.held(((names[0], 1.0),)):
        for name in names[1:]:
            with adapters.held(((name, 1.0),)):
                pass
        assert kept(own, names) == [names[0], names[2]]
    [again] = paint(own, with_adapters(PLAIN, (names[1], 1.0)))
    [plain] = paint(own, PLAIN)
    assert not np.array_equal(again, plain)


def test_an_adapter_that_is_loaded_last_does_not_make_room_for_itself(
    models: dict[str, Path], own: Studio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [put(folder, adapter(models["plain"], seed, text=False)[1]) for seed in (13, 14)]
    size = (folder / f"{names[0]}.safetensors").stat().st_size
    monkeypatch.setattr(own._adapters, "_max_bytes", size)
    with own._adapters.held(tuple((name, 1.0) for name in names)):
        assert kept(own, names) == names
    assert len(kept(own, names)) == 1


def test_an_order_whose_second_adapter_is_bad_lets_go_of_the_first(own: Studio, folder: Path, first: str) -> None:
    broken = sha256(b"broken").hexdigest()
    (folder / f"{broken}.safetensors").write_bytes(b"broken")
    with pytest.raises(CannotDo, match="cannot be read"):
        own.paint(with_adapters(PLAIN, (first, 1.0), (broken, 1.0)), Reports())
    assert not own._adapters._used


def kept(studio: Studio, names: Sequence[str]) -> list[str]:
    """Return those of the adapters whose tensors are in memory."""
    held = {name for changes in studio._adapters._changes.values() for name in changes}
    return [name for name in names if name in held]
