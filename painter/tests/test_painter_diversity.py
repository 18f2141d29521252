"""Pictures of different prompts differ in kind, not only in noise: measured over the prompts of docs/prompts.txt.

Two distances, each 0 (equal) to 1: of colours (histograms of 4 x 4 x 4 cells) and of layout (the strength of edges in
four directions, in 8 x 8 cells). Distances between prompts are compared with those between seeds of one prompt.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from easel_painter import Painter
from generator.engines.base import ImageRequest, Pixels

PROMPTS = tuple((Path(__file__).parents[2] / "docs/prompts.txt").read_text(encoding="utf-8").splitlines())
SIDE_PX = 176

Feature = NDArray[np.float64]


@cache
def painted(number: int, seed: int) -> Pixels:
    request = ImageRequest(PROMPTS[number], "", SIDE_PX, SIDE_PX, 8, 7.5, seed)
    return Painter().generate(request, lambda done, snapshot=None: None)


def colours(picture: Pixels) -> Feature:
    cells = (picture // 64).astype(int).reshape(-1, 3) @ np.array([16, 4, 1])
    return np.bincount(cells, minlength=64) / len(cells)


def layout(picture: Pixels) -> Feature:
    luma = picture.mean(axis=-1)
    dy, dx = np.gradient(luma)
    turn = (np.arctan2(dy, dx) % np.pi / np.pi * 4).astype(int) % 4
    strength = np.hypot(dx, dy)
    step = SIDE_PX // 8
    places = (np.arange(SIDE_PX) // step)[:, None] * 8 + (np.arange(SIDE_PX) // step)[None, :]
    energy = np.bincount((places * 4 + turn).ravel(), weights=strength.ravel(), minlength=256)
    # The square root limits the influence of one bright edge.
    strengths: Feature = np.sqrt(energy)
    return np.asarray(strengths / strengths.sum())


def of_all(feature: Callable[[Pixels], Feature], seed: int) -> Feature:
    """Return a row for each prompt."""
    return np.array([feature(painted(number, seed)) for number in range(len(PROMPTS))])


def test_there_are_forty_prompts() -> None:
    assert len(set(PROMPTS)) == 40


@pytest.mark.parametrize(("feature", "times"), [(colours, 3.0), (layout, 1.3)])
def test_prompts_differ_more_than_seeds(feature: Callable[[Pixels], Feature], times: float) -> None:
    one, other = of_all(feature, 1), of_all(feature, 2)
    within = np.abs(one - other).sum(axis=-1) / 2
    between = np.abs(one[:, None] - one[None]).sum(axis=-1)[np.triu_indices(len(PROMPTS), 1)] / 2
    assert np.median(between) > times * np.median(within)


def test_no_two_prompts_are_alike_in_both() -> None:
    """Two ink drawings may share their greys, but not their layout too."""
    both = np.hstack([of_all(colours, 1), of_all(layout, 1)])
    between = np.abs(both[:, None] - both[None]).sum(axis=-1)[np.triu_indices(len(PROMPTS), 1)] / 2
    assert between.min() > 0.2


def test_a_picture_resembles_its_prompts_other_seed() -> None:
    """For most pictures, their prompt's other seed is among the three nearest of all prompts."""
    one, other = (np.hstack([of_all(colours, seed), 2 * of_all(layout, seed)]) for seed in (1, 2))
    nearest = np.argsort(np.abs(other[:, None] - one[None]).sum(axis=-1), axis=1)[:, :3]
    assert sum(number in row for number, row in enumerate(nearest)) >= 30
