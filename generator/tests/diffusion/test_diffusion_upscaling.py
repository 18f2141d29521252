"""Networks that upscale from files of safetensors, tiny ones made here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_suite import Reports
from safetensors.torch import save_file
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN

from generator.cli import main
from generator.engines.base import NotNumbers, Pixels
from generator.engines.diffusion.folder import BadModel
from generator.engines.registry import load_engine
from generator.engines.upscaling.torch_model import TorchModel
from generator.engines.upscaling.upscaler import Upscaler

NETWORKS: dict[str, tuple[Callable[[], torch.nn.Module], int]] = {
    "compact x4": (lambda: Compact(num_feat=8, num_conv=2, upscale=4), 4),
    "compact x2": (lambda: Compact(num_feat=8, num_conv=2, upscale=2), 2),
    "blocks x4": (lambda: ESRGAN(num_filters=8, num_blocks=1, scale=4), 4),
}


def save(file: Path, network: torch.nn.Module) -> Path:
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, file)
    return file


@pytest.fixture(scope="module")
def source() -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (50, 70, 3), np.uint8)


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_file_is_recognised_and_enlarges_in_tiles(tmp_path: Path, source: Pixels, kind: str) -> None:
    torch.manual_seed(1)
    network, scale = NETWORKS[kind][0](), NETWORKS[kind][1]
    made = TorchModel(save(tmp_path / "one.safetensors", network))
    assert made.scale == scale
    assert made.parameters == sum(parameter.numel() for parameter in network.parameters())
    with torch.inference_mode():
        wanted = network.eval()(torch.from_numpy(source).permute(2, 0, 1)[None].float() / 255)[0].clamp(0, 1)
    whole = (wanted * 255).round().permute(1, 2, 0).numpy()
    made.tile_px = 30
    tiled = Upscaler(made).enlarge(source, scale, Reports())
    assert tiled.shape == (50 * scale, 70 * scale, 3)
    assert np.abs(tiled - whole).max() <= 1


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_every_factor_and_size_is_met(tmp_path: Path, factor: int) -> None:
    upscaler = Upscaler(TorchModel(save(tmp_path / "one.safetensors", NETWORKS["compact x2"][0]())))
    for height, width in ((1, 1), (3, 20)):
        source = np.zeros((height, width, 3), np.uint8)
        assert upscaler.enlarge(source, factor, Reports()).shape == (height * factor, width * factor, 3)


def test_a_network_that_gives_no_numbers_is_reported(tmp_path: Path, source: Pixels) -> None:
    network = NETWORKS["compact x4"][0]()
    torch.nn.init.constant_(next(network.parameters()), float("nan"))
    with pytest.raises(NotNumbers):
        TorchModel(save(tmp_path / "one.safetensors", network)).run(source)


def test_what_does_not_enlarge_pictures_is_refused(tmp_path: Path) -> None:
    text, pickle, other = tmp_path / "text.safetensors", tmp_path / "one.pth", tmp_path / "other.safetensors"
    text.write_text("not tensors")
    torch.save(NETWORKS["compact x4"][0]().state_dict(), pickle)
    save_file({"weight": torch.zeros(3, 3)}, other)
    grey = save(tmp_path / "grey.safetensors", Compact(num_in_ch=1, num_out_ch=1, num_feat=8, num_conv=2, upscale=4))
    same = save(tmp_path / "same.safetensors", Compact(num_feat=8, num_conv=2, upscale=1))
    for file in (text, pickle, other, grey, same, tmp_path / "missing.safetensors"):
        with pytest.raises(BadModel):
            TorchModel(file)


def test_the_setting_may_be_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: Pixels
) -> None:
    file = save(tmp_path / "one.safetensors", NETWORKS["blocks x4"][0]())
    monkeypatch.setenv("EASEL_UPSCALER", str(file))
    engine = load_engine("fake_engine:FakeEngine")
    assert engine.stats().upsample_parameters == TorchModel(file).parameters
    assert engine.upscale(source, 2, Reports()).shape == (100, 140, 3)
    monkeypatch.setenv("EASEL_UPSCALER", str(tmp_path / "two.safetensors"))
    assert main(["--engine", "fake_engine:FakeEngine"]) == 2
    assert "two.safetensors" in capsys.readouterr().err
