"""Words for any picture without a captioner: what is recognised of the painter's subjects, media and lights.

A ridge regression each, fitted on the painter's pictures and on others by `learn_words`, names them from the features
of VGG16, of a picture of 64 x 64 pixels or as many in its shape. What is not sure is left out.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from generator.engines.base import Pixels
from generator.engines.diffusion.mini import vgg
from generator.engines.diffusion.mini.captions import LIGHTS, MEDIA, SUBJECTS
from generator.engines.diffusion.pictures import resize
from generator.engines.diffusion.ridge import Ridge, Values

FILE = Path(__file__).with_name("words.safetensors")

SIDE = 64
LONGEST = 4
"""Times as wide as high, or as high as wide, that a picture may be. What was learnt from was square."""

NONE = -1
KINDS = {"subject": len(SUBJECTS), "medium": len(MEDIA), "light": len(LIGHTS)}
"""How many of each there are. One class more is that of everything else."""

_WORKS = (
    "an oil painting",
    "a watercolour",
    "a pencil sketch",
    "a low poly picture",
    "a pixel art picture",
    "a photograph",
)


@dataclass(frozen=True)
class Kind:
    """The regression for subjects, media or lights, and by how much the first must lead the second to be sure."""

    ridge: Ridge
    lead: float

    def name(self, features: Values) -> NDArray[np.int64]:
        """Return the class of each row, or `NONE` where it is not sure or has no class."""
        values = self.ridge.values(features)
        first, leads = values.argmax(1), lead(values)
        found: NDArray[np.int64] = np.where((leads >= self.lead) & (first < values.shape[1] - 1), first, NONE)
        return found


def lead(values: Values) -> Values:
    """Return by how much the largest number of each row exceeds the second."""
    ordered = np.sort(values, axis=1)
    found: Values = ordered[:, -1] - ordered[:, -2]
    return found


def save(kinds: dict[str, Kind], path: Path = FILE) -> None:
    """Write the regressions, in half precision."""
    tensors: dict[str, NDArray[np.float16]] = {}
    for name, kind in kinds.items():
        fields = {**vars(kind.ridge), "lead": np.array([kind.lead])}
        tensors |= {f"{name}.{field}": value.astype(np.float16) for field, value in fields.items()}
    save_file(tensors, path)


def load(path: Path = FILE) -> dict[str, Kind]:
    """Read what `save` wrote."""
    tensors = {name: value.astype(np.float32) for name, value in load_file(path).items()}
    return {
        name: Kind(
            Ridge(*(tensors[f"{name}.{field}"] for field in ("mean", "scale", "weights", "base"))),
            float(tensors[f"{name}.lead"][0]),
        )
        for name in KINDS
    }


_loaded = cache(load)


def shrunk(picture: Pixels) -> Pixels:
    """Return a picture with as many pixels as 64 x 64, in its shape; one with fewer as it is."""
    height, width = picture.shape[:2]
    factor = min(1.0, SIDE / math.sqrt(height * width))
    return resize(picture, *(max(16, round(side * factor)) for side in (width, height)))


def features(pictures: Pixels) -> Values:
    """Return the square roots of VGG16's features of N pictures: otherwise a few large ones decide."""
    found: Values = np.sqrt(vgg.features(pictures))
    return found


def recognise(picture: Pixels) -> tuple[int, int, int]:
    """Return subject, medium and light as places in `captions`, each `NONE` where it is not sure."""
    found = features(shrunk(picture)[None])
    subject, medium, light = (int(_loaded()[name].name(found)[0]) for name in KINDS)
    return subject, medium, light


def sentences(picture: Pixels) -> list[str]:
    """Return what is recognised, the longest sentence first; nothing where the subject is not, or without features.

    What is not one of the subjects is mostly not a picture of the painter's kind either, and what the medium and the
    light of such a picture are was never learnt.
    """
    if not vgg.is_available() or max(picture.shape[:2]) > LONGEST * min(picture.shape[:2]):
        return []
    subject, medium, light = recognise(picture)
    if subject == NONE:
        return []
    thing = SUBJECTS[subject].painter
    what = f"{'a picture' if medium == NONE else _WORKS[medium]} of {thing}"
    return [*([] if light == NONE else [f"{what} {LIGHTS[light].painter}"]), what, thing]
