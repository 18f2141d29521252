"""Orders of many kinds for the tests of shared steps."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from engine_suite import Reports, request

from generator.engines.base import ImageRequest, Pixels
from generator.engines.diffusion.studio import Studio

MIXED = [
    request(width=64, prompt="a red boat", steps=7, scale=7.5, seed=1),
    request(width=64, prompt="(sea) [sky] | red", steps=3, scale=2.0, seed=2, negative_prompt="rain"),
    request(width=64, prompt="sea", steps=12, scale=0.0, seed=3),
    request(width=64, prompt="sea", steps=9, scale=1.5, seed=1),
    request(width=64, prompt="", steps=1, scale=12.0, seed=5),
    request(width=72, prompt="a red boat", steps=5, scale=7.5, seed=1),
    request(width=64, prompt="a red boat " * 40, steps=6, scale=7.5, seed=6),
    request(width=64, prompt="a red boat", steps=7, scale=7.5, seed=1, scheduler="euler_a"),
    request(width=64, prompt="a red boat", steps=7, scale=7.5, seed=1, scheduler="dpmpp_2m"),
]


def paint_together(studio: Studio, requests: Sequence[ImageRequest]) -> list[Pixels]:
    """Paint all at the same time; each begins once all are about to."""
    about = threading.Barrier(len(requests))

    def paint(one: ImageRequest) -> Pixels:
        about.wait()
        return studio.paint(one, Reports())

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(paint, requests))


def same(first: Sequence[Pixels], second: Sequence[Pixels]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
