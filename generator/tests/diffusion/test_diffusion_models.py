"""Which models are loaded, and which are refused before a library reads them."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from diffusers import DPMSolverMultistepScheduler, UNet2DConditionModel
from engine_suite import Reports, request

from generator.engines.diffusion import folder
from generator.engines.diffusion.folder import BadModel, fingerprint, read_parts, tensor_shapes
from generator.engines.diffusion.loading import load
from generator.engines.diffusion.samplers import Sampler
from generator.engines.diffusion.schedulers import SCHEDULERS
from generator.engines.diffusion.studio import Studio


@pytest.fixture
def copy(models: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(models["plain"], tmp_path / "model"))


def safetensors(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def only_pickle(model: Path) -> None:
    (model / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (model / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")


def no_unet(model: Path) -> None:
    tiny_models.change(model / "model_index.json", unet=[None, None])


def other_class(model: Path) -> None:
    tiny_models.change(model / "model_index.json", vae=["os", "system"])


def other_scheduler(model: Path) -> None:
    tiny_models.change(model / "model_index.json", scheduler=["diffusers", "KarrasVeScheduler"])


def many_layers(model: Path) -> None:
    tiny_models.change(model / "text_encoder" / "config.json", num_hidden_layers=10**6)


def wide_layers(model: Path) -> None:
    tiny_models.change(model / "unet" / "config.json", block_out_channels=[16, 2**30])


def more_parameters_than_weights(model: Path) -> None:
    tiny_models.change(model / "unet" / "config.json", block_out_channels=[512, 1024])


def many_blocks(model: Path) -> None:
    tiny_models.change(model / "unet" / "config.json", down_block_types=["DownBlock2D"] * 65)


def endless(model: Path) -> None:
    (model / "unet" / "config.json").write_text('{"sample_size": 1e999}')


def large_config(model: Path) -> None:
    (model / "unet" / "config.json").write_text(" " * (folder.MAX_CONFIG_BYTES + 1))


def no_json(model: Path) -> None:
    (model / "unet" / "config.json").write_text("[" * 100_000)


def no_object(model: Path) -> None:
    (model / "vae" / "config.json").write_text("[]")


def strange_config(model: Path) -> None:
    tiny_models.change(model / "unet" / "config.json", down_block_types=["os.system"] * 2)


def long_header(model: Path) -> None:
    (model / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(struct.pack("<Q", 2**62))


def claims_more_than_it_has(model: Path) -> None:
    header = {"w": {"dtype": "F32", "shape": [10**6, 10**4], "data_offsets": [0, 4]}}
    (model / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(safetensors(header, b"1234"))


def no_safetensors(model: Path) -> None:
    (model / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"PK\x03\x04" * 100)


def fewer_parameters_than_weights(model: Path) -> None:
    tiny_models.change(model / "unet" / "config.json", in_channels=3)


def paints_by_mask(model: Path) -> None:
    config = UNet2DConditionModel.load_config(model / "unet")
    UNet2DConditionModel.from_config(config | {"in_channels": 9}).save_pretrained(model / "unet")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (only_pickle, "only safetensors"),
        (no_unet, "has no unet"),
        (other_class, "vae is of the class system"),
        (other_scheduler, "KarrasVeScheduler"),
        (many_layers, "num_hidden_layers is outside"),
        (wide_layers, "block_out_channels is outside"),
        (more_parameters_than_weights, "more parameters than there are weights"),
        (many_blocks, "down_block_types has more than"),
        (endless, "sample_size is outside"),
        (large_config, "has more than 262144 bytes"),
        (no_json, "is not JSON"),
        (no_object, "is not a JSON object"),
        (strange_config, "is not one of UNet2DConditionModel"),
        (long_header, "is no safetensors file"),
        (claims_more_than_it_has, "claims more tensors than it has"),
        (no_safetensors, "is no safetensors file"),
        (fewer_parameters_than_weights, "do not fit"),
        (paints_by_mask, "takes 9 channels and gives 4"),
    ],
)
def test_a_bad_model_is_refused_with_a_reason(copy: Path, break_it: Callable[[Path], None], said: str) -> None:
    break_it(copy)
    with pytest.raises(BadModel, match=said):
        load(str(copy))


@pytest.mark.parametrize(
    "values",
    [
        {"beta_schedule": "none"},
        {"prediction_type": "none"},
        {"timestep_spacing": "none"},
        {"num_train_timesteps": "x"},
        {"num_train_timesteps": 0},
        {"beta_start": -1},
        {"beta_end": "x"},
    ],
)
def test_a_scheduler_that_cannot_run_is_refused(copy: Path, values: dict[str, object]) -> None:
    tiny_models.change(copy / "scheduler" / "scheduler_config.json", **values)
    with pytest.raises(BadModel, match="scheduler cannot run"):
        load(str(copy))


def test_a_scheduler_may_clip_at_minus_infinity(copy: Path) -> None:
    DPMSolverMultistepScheduler().save_pretrained(copy / "scheduler")
    tiny_models.change(copy / "model_index.json", scheduler=["diffusers", "DPMSolverMultistepScheduler"])
    assert "-Infinity" in (copy / "scheduler" / "scheduler_config.json").read_text()
    assert load(str(copy)).sampler.name == "DPMSolverMultistepScheduler"


def test_pickles_beside_safetensors_are_not_read(copy: Path) -> None:
    (copy / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"not a pickle either")
    assert load(str(copy)).info.name == "model"


@pytest.mark.parametrize("name", ["no-such-folder", "../etc", "a/b/c", "https://example.org/model", "-x/y", ""])
def test_a_name_that_is_neither_folder_nor_hub_is_refused(name: str) -> None:
    with pytest.raises(BadModel, match="neither a folder nor"):
        folder.find_folder(name)


def test_shapes_are_those_of_the_file(models: dict[str, Path]) -> None:
    shapes = tensor_shapes(models["plain"] / "unet" / "diffusion_pytorch_model.safetensors")
    assert shapes["conv_in.weight"] == [16, 4, 3, 3]


def test_half_precision_files_are_used_where_there_are_no_others(copy: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert load(str(copy)).info.precision == "float32"


def test_own_defaults_beside_the_model(copy: Path) -> None:
    (copy / "easel.json").write_text('{"name": "own", "steps": 12, "scale": 3, "size": 128}')
    info = load(str(copy)).info
    assert (info.name, info.steps, info.scale, info.width, info.height) == ("own", 12, 3.0, 128, 128)


def test_the_fingerprint_is_that_of_the_weights(copy: Path, models: dict[str, Path]) -> None:
    assert fingerprint(copy) == fingerprint(models["plain"]) == load(str(copy)).info.revision
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert fingerprint(copy) != fingerprint(models["plain"])


@pytest.mark.parametrize(
    "own",
    [
        '{"name": ""}',
        '{"name": 5}',
        '{"name": "a\\nb"}',
        '{"steps": 0}',
        '{"steps": "many"}',
        '{"scale": 1e9}',
        '{"size": true}',
        '{"size": 65}',
    ],
)
def test_wrong_own_defaults_are_refused(copy: Path, own: str) -> None:
    (copy / "easel.json").write_text(own)
    with pytest.raises(BadModel, match=r"easel\.json"):
        load(str(copy))


@pytest.mark.parametrize(
    ("kind", "scheduler", "steps", "scale"),
    [
        ("plain", {}, 30, 7.5),
        ("large", {}, 30, 5.0),
        ("few steps", {}, 4, 8.0),
        ("turbo", {}, 4, 0.0),
        ("plain", {"_class_name": "LCMScheduler"}, 8, 1.5),
    ],
)
def test_defaults_follow_the_kind_of_model(
    models: dict[str, Path], tmp_path: Path, kind: str, scheduler: dict[str, str], steps: int, scale: float
) -> None:
    model = Path(shutil.copytree(models[kind], tmp_path / "model"))
    if scheduler:
        tiny_models.change(model / "scheduler" / "scheduler_config.json", **scheduler)
        tiny_models.change(model / "model_index.json", scheduler=["diffusers", scheduler["_class_name"]])
    info = load(str(model)).info
    assert (info.steps, info.scale) == (steps, scale)


def test_parts_name_their_classes(models: dict[str, Path]) -> None:
    parts = read_parts(models["large"])
    assert parts["text_encoder_2"].class_name == "CLIPTextModelWithProjection"
    assert parts["scheduler"].class_name == "EulerDiscreteScheduler"


@pytest.mark.parametrize("name", SCHEDULERS.values())
@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_every_scheduler_takes_its_steps(models: dict[str, Path], name: str, strength: float) -> None:
    config = {"beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
    run = Sampler(name, config).start(10, strength, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(1, 4, 8, 8, generator=generator) * run.scheduler.init_noise_sigma
    for k in range(len(run.timesteps)):
        prediction = run.input(latents, k) * 0.1
        latents, clean = run.step(prediction, k, latents, generator)
        assert torch.isfinite(latents).all()
        assert clean.shape == latents.shape


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_takes_few_steps(studio: Studio, name: str, steps: int) -> None:
    picture = studio.paint(request(width=64, steps=steps, scheduler=name), Reports())
    assert picture.shape == (64, 64, 3)
    source = np.zeros((64, 64, 3), np.uint8)
    for strength in (1.0, *((0.99,) if steps > 1 else ())):
        assert studio.paint(request(width=64, steps=steps, scheduler=name), Reports(), strength, source).shape == (
            64,
            64,
            3,
        )


def test_a_scheduler_for_few_steps_takes_no_more_than_it_knows() -> None:
    run = Sampler("LCMScheduler", {"original_inference_steps": 50}).start(150, 1.0, torch.device("cpu"))
    assert len(run.timesteps) == 50
