"""Whether the pictures of a model show what was asked for, by a linear probe that saw only the painter's pictures.

Features are those of VGG16, a network that learned to name photographs, averaged over parts of the picture. A ridge
regression from them to the labels is fitted on pictures of the painter; it then names what the model painted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from generator.engines.base import Pixels
from generator.engines.diffusion.mini import network
from generator.engines.diffusion.mini.captions import LIGHTS, MEDIA, SUBJECTS, labels_of
from generator.engines.diffusion.mini.network import Mini
from generator.engines.diffusion.mini.pool import painted
from generator.engines.diffusion.mini.sample import sample
from generator.engines.diffusion.mini.vgg import features
from generator.engines.diffusion.ridge import Ridge

PROMPTS = 400
FITTED = 1728
"""Four of each combination of subject, medium and light."""


class Score(NamedTuple):
    """The shares of pictures whose subject, medium and light the probe named rightly."""

    subject: float
    medium: float
    light: float


@dataclass(frozen=True)
class Probe:
    """A ridge regression each for subject, medium and light."""

    subject: Ridge
    medium: Ridge
    light: Ridge

    @classmethod
    def of_painter(cls, pictures: Pixels) -> "Probe":
        """Fit on the painter's pictures that show a judge what things look like."""
        found, labels = features(pictures), labels_array(range(len(pictures)))
        sizes = (len(SUBJECTS), len(MEDIA), len(LIGHTS))
        return cls(*(Ridge.fit(found, labels[:, k], size) for k, size in enumerate(sizes)))

    def compare(self, pictures: Pixels, labels: NDArray[np.int64]) -> Score:
        """Return how many of some pictures' labels (N x 3) the probe names."""
        found = features(pictures)
        ridges = (self.subject, self.medium, self.light)
        return Score(*(float((ridge.name(found) == labels[:, k]).mean()) for k, ridge in enumerate(ridges)))

    def score(self, mini: Mini, count: int = PROMPTS) -> Score:
        """Let a model paint the painter's prompts and name what it painted."""
        numbers = range(count)
        pictures = sample(mini, [labels_of(number).prompt for number in numbers], list(numbers))
        return self.compare(pictures, labels_array(numbers))


def labels_array(numbers: range) -> NDArray[np.int64]:
    """Return subject, medium and light of pictures of the pool: N x 3."""
    labels = [labels_of(number) for number in numbers]
    return np.array([(one.subject, one.medium, one.light) for one in labels], dtype=np.int64)


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the probe names in the painter's other pictures and in a model's; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a model")
    parser.add_argument("--folder", type=Path, default=Path("var/mini"), help="that of the training (%(default)s)")
    parser.add_argument("--painters", type=int, default=os.cpu_count() or 2, help="processes that paint (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="(%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    mini = network.load(options.model)
    side = int(mini.unet.config.sample_size) * network.PATCH
    pictures = painted(options.folder, "judging", side, FITTED + PROMPTS, options.painters)
    probe = Probe.of_painter(pictures[:FITTED])
    own = probe.compare(pictures[FITTED:], labels_array(range(FITTED, FITTED + PROMPTS)))
    for who, score in (("the painter's other pictures", own), (f"{options.model}", probe.score(mini))):
        shares = ", ".join(f"{name} {share:.1%}" for name, share in score._asdict().items())
        sys.stdout.write(f"{who}: {shares}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
