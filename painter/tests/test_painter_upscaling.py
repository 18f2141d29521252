"""Upscaling: more accurate than a plain resampler, faithful to the source, without halos or seams."""

import numpy as np
import pytest
from PIL import Image

from easel_painter import Painter, upscale
from easel_painter.upscale import enlarge
from generator.engines.base import ImageRequest, Pixels


def painted(prompt: str, side: int = 256) -> Pixels:
    request = ImageRequest(prompt, "", side, side, 20, 7.5, 3)
    return Painter().generate(request, lambda done, snapshot=None: None)


def plain(picture: Pixels, factor: int, how: Image.Resampling) -> Pixels:
    return np.asarray(
        Image.fromarray(picture).resize((picture.shape[1] * factor, picture.shape[0] * factor), how), dtype=np.uint8
    )


def error(a: Pixels, b: Pixels) -> float:
    return float(np.mean((a.astype(np.float64) - b) ** 2))


def steepness(picture: Pixels) -> float:
    return float(np.abs(np.diff(picture.astype(int), axis=1)).mean())


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("prompt", ["flowers in a meadow", "city skyline in the rain"])
def test_a_shrunk_picture_is_restored_better_than_by_a_plain_resampler(prompt: str, factor: int) -> None:
    truth = painted(prompt)
    small = np.asarray(Image.fromarray(truth).reduce(factor))
    large = enlarge(small, factor, lambda done: None)
    bicubic = plain(small, factor, Image.Resampling.BICUBIC)
    assert error(large, truth) < error(bicubic, truth)
    assert abs(steepness(large) - steepness(truth)) < abs(steepness(bicubic) - steepness(truth))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_mean_of_each_block_is_the_source_pixel(factor: int) -> None:
    source = painted("a castle at night", 96)
    back = np.asarray(Image.fromarray(enlarge(source, factor, lambda done: None)).reduce(factor))
    assert np.abs(back.astype(int) - source).mean() < 1


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_an_edge_gets_no_halo(factor: int) -> None:
    source = np.full((24, 24, 3), 60, dtype=np.uint8)
    source[:, 12:] = 190
    large = enlarge(source, factor, lambda done: None)
    assert 55 <= large.min() <= large.max() <= 195


def test_flat_colour_stays_flat() -> None:
    source = np.full((20, 30, 3), (12, 99, 200), dtype=np.uint8)
    assert (enlarge(source, 4, lambda done: None) == (12, 99, 200)).all()


def test_processing_in_bands_leaves_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    source = painted("abstract", 64)
    whole = enlarge(source, 3, lambda done: None)
    monkeypatch.setattr(upscale, "_BAND_PIXELS", 64 * 3 * 3 * 7)
    told: list[float] = []
    assert (enlarge(source, 3, told.append) == whole).all()
    assert len(told) == 10
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (8, 2048)])
def test_every_size(size: tuple[int, int]) -> None:
    source = np.arange(size[0] * size[1] * 3, dtype=np.uint8).reshape(*size, 3)
    assert enlarge(source, 2, lambda done: None).shape == (size[0] * 2, size[1] * 2, 3)
