"""Learn the words of `learned`: `make learn-words` paints pictures, fits the regressions and prints what they name."""

import random
import sys
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from generator.engines.base import ImageRequest, Pixels
from generator.engines.diffusion import learned
from generator.engines.diffusion.learned import KINDS, NONE, Kind
from generator.engines.diffusion.mini.captions import LIGHTS, MEDIA
from generator.engines.diffusion.mini.pool import SCALE, STEPS, judging
from generator.engines.diffusion.mini.probe import labels_array
from generator.engines.diffusion.ridge import Ridge, Values

LEARNT = {64: range(1_728), 256: range(18_144, 18_234), 512: range(20_736, 20_781)}
UNSEEN = {64: range(2_592, 2_727), 256: range(25_920, 25_965, 2), 512: range(30_240, 30_285, 3)}
"""Numbers of pictures by their side: those fitted, and others to judge by."""

OTHERS = 67
"""Pictures of other things by the painter, half of them of 256 pixels."""

STRANGERS = 180
"""Pictures that no painter made."""

RIGHT = {"subject": 0.99, "medium": 0.95, "light": 0.95}
"""The share of what is named that is to be right, in pictures that were not fitted."""

FOLDS = 4

Labels = NDArray[np.int64]


def other(number: int) -> tuple[Pixels, tuple[int, int, int]]:
    """Paint something that is not a subject; return it with its labels."""
    from easel_painter import Painter, lexicon

    known = {"lighthouse", "boat", "tree", "forest", "cat", "house", "windmill", "mountains", "castle", "city"}
    words = [
        entry[0].split()[0] for name, entry in lexicon.MOTIFS.items() if name not in known | {"flowers", "fish", "koi"}
    ]
    words.append("joy")
    rng = random.Random(number)  # noqa: S311 - no secret
    light, medium, side = rng.randrange(len(LIGHTS)), rng.randrange(len(MEDIA)), (64, 256)[number % 2]
    prompt = f"{words[number % len(words)]} {LIGHTS[light].painter}, {MEDIA[medium].painter}"
    request = ImageRequest(prompt, "", side, side, STEPS, SCALE, number)
    return Painter().generate(request, lambda *_: None), (KINDS["subject"], medium, light)


def stranger(number: int) -> Pixels:
    """Return noise of some grain, shapes of many sizes that cover each other, or something like a page of text."""
    rng = np.random.default_rng(number)
    return (_noise, _shapes, _page)[number % 3](rng)


def _noise(rng: np.random.Generator) -> Pixels:
    cells = 2 ** int(rng.integers(7))
    noise = rng.integers(0, 256, (cells, cells, 3), np.uint8)
    if rng.random() < 0.3:
        noise = noise[..., :1].repeat(3, 2)
    way = (Image.Resampling.NEAREST, Image.Resampling.BICUBIC)[int(rng.integers(2))]
    return np.asarray(Image.fromarray(noise).resize((learned.SIDE, learned.SIDE), way))


def _shapes(rng: np.random.Generator) -> Pixels:
    picture = np.zeros((learned.SIDE, learned.SIDE, 3), np.float32) + rng.uniform(0, 255, 3)
    rows, columns = np.mgrid[: learned.SIDE, : learned.SIDE]
    for _ in range(int(rng.integers(5, 150))):
        x, y = rng.uniform(0, learned.SIDE, 2)
        # As many of each size as in photographs.
        radius = 2 / rng.uniform(0.06, 1)
        round_, square = np.hypot(rows - y, columns - x), np.maximum(abs(rows - y), abs(columns - x))
        picture[(round_ if rng.random() < 0.5 else square) < radius] = rng.uniform(0, 255, 3)
    return np.clip(picture + rng.normal(0, rng.uniform(0, 20), picture.shape), 0, 255).astype(np.uint8)


def _page(rng: np.random.Generator) -> Pixels:
    ground, ink = rng.uniform(200, 255, 3), rng.uniform(0, 120, 3)
    if rng.random() < 0.3:
        ground, ink = ink, ground
    picture = np.zeros((4 * learned.SIDE, 4 * learned.SIDE, 3), np.float32) + ground
    for _ in range(int(rng.integers(0, 4))):
        left, top, width, height = rng.integers(0, 3 * learned.SIDE, 4)
        picture[top : top + height, left : left + width] = rng.uniform(0, 255, 3)
    step = int(rng.integers(6, 20))
    for top in range(step, len(picture) - step, step):
        letters = rng.random(len(picture)) < 0.6
        letters[int(rng.uniform(0.3, 1) * len(picture)) :] = False
        picture[top : top + step // 2, letters] = ink
    return np.asarray(
        Image.fromarray(picture.astype(np.uint8)).resize((learned.SIDE, learned.SIDE), Image.Resampling.BOX)
    )


def _features(pictures: Iterator[Pixels]) -> Values:
    return learned.features(np.stack([learned.shrunk(picture) for picture in pictures]))


def examples() -> tuple[Values, Labels]:
    """Return features and labels of what is fitted; the label of none is the number of classes."""
    features = [_features(judging(number, side) for number in numbers) for side, numbers in LEARNT.items()]
    found = [labels_array(numbers) for numbers in LEARNT.values()]
    others = [other(number) for number in range(OTHERS)]
    features.append(_features(picture for picture, _ in others))
    found.append(np.array([places for _, places in others]))
    features.append(_features(stranger(number) for number in range(STRANGERS)))
    found.append(np.tile(list(KINDS.values()), (STRANGERS, 1)))
    return np.concatenate(features), np.concatenate(found)


def fit(features: Values, known: Labels) -> dict[str, Kind]:
    """Fit the regressions; how sure one must be is found on quarters of the pictures, left out in turns."""
    kinds = {}
    for place, (name, count) in enumerate(KINDS.items()):
        classes, values = known[:, place], np.zeros((len(known), count + 1), np.float32)
        for fold in range(FOLDS):
            out = np.arange(len(known)) % FOLDS == fold
            values[out] = Ridge.fit(features[~out], classes[~out], count + 1).values(features[out])
        kinds[name] = Kind(Ridge.fit(features, classes, count + 1), least_lead(values, classes, RIGHT[name]))
    return kinds


def least_lead(values: Values, classes: Labels, right: float) -> float:
    """Return the smallest lead above which that share of those named are named rightly."""
    first, leads = values.argmax(1), learned.lead(values)
    named = first < values.shape[1] - 1
    hits, leads = (first == classes)[named], leads[named]
    order = np.argsort(-leads)
    shares = np.cumsum(hits[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(shares >= right)
    return float(leads[order][enough[-1]]) if len(enough) else float("inf")


def judge(kinds: dict[str, Kind], features: Values, known: Labels) -> str:
    """Return for each kind how many are named rightly and wrongly; without a subject nothing is said."""
    texts = []
    spoken = kinds["subject"].name(features) != NONE
    for place, (name, kind) in enumerate(kinds.items()):
        found = np.where(spoken, kind.name(features), NONE)
        right = found == known[:, place]
        texts.append(f"{name} {right.mean():.0%} right, {(~right & (found != NONE)).mean():.0%} wrong")
    return "; ".join(texts)


def main() -> int:
    """Learn, write the file, print what is named in other pictures, and return the exit code."""
    torch.set_num_threads(1)
    learned.save(fit(*examples()))
    kinds = learned.load()
    for side, numbers in UNSEEN.items():
        features = _features(judging(number, side) for number in numbers)
        sys.stdout.write(f"{len(numbers)} pictures of {side} px: {judge(kinds, features, labels_array(numbers))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
