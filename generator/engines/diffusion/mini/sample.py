"""Paint with easel-mini: `python -m generator.engines.diffusion.mini.sample FOLDER "a cat at night" --out cat.png`.

Without a prompt, a contact sheet: a row for each subject, in all media.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from generator.engines.base import Pixels
from generator.engines.diffusion.mini import network
from generator.engines.diffusion.mini.captions import LIGHTS, MEDIA, SUBJECTS, Labels
from generator.engines.diffusion.mini.network import Mini

STEPS = 16
GUIDANCE = 2.5
BATCH = 16


def sample(
    mini: Mini, prompts: Sequence[str], seeds: Sequence[int], steps: int = STEPS, guidance: float = GUIDANCE
) -> Pixels:
    """Return a picture for each prompt and seed: N x H x W x 3."""
    pipe = network.pipeline(mini)
    found: list[Pixels] = []
    for start in range(0, len(prompts), BATCH):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds[start : start + BATCH]]
        answer = pipe(
            list(prompts[start : start + BATCH]),
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=generators,
            output_type="np",
        )
        found.append((answer.images * 255 + 0.5).astype(np.uint8))
    return np.concatenate(found)


def contact_sheet(mini: Mini, seed: int, steps: int, guidance: float) -> Image.Image:
    """Return a row for each subject and a column for each medium; the lights take turns."""
    places = [(s, m) for s in range(len(SUBJECTS)) for m in range(len(MEDIA))]
    prompts = [Labels(s, m, (s + m) % len(LIGHTS)).prompt for s, m in places]
    pictures = sample(mini, prompts, [seed + k for k in range(len(places))], steps, guidance)
    side = pictures.shape[1]
    rows = pictures.reshape(len(SUBJECTS), len(MEDIA), side, side, 3)
    return Image.fromarray(rows.transpose(0, 2, 1, 3, 4).reshape(len(SUBJECTS) * side, len(MEDIA) * side, 3))


def main(argv: Sequence[str] | None = None) -> int:
    """Write a picture or the sheet, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a model")
    parser.add_argument("prompt", nargs="?", help="without one, a contact sheet")
    parser.add_argument("--out", type=Path, default=Path("mini.png"), help="PNG or WebP (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="(%(default)s)")
    parser.add_argument("--guidance", type=float, default=GUIDANCE, help="(%(default)s)")
    parser.add_argument("--scale", type=int, default=2, help="times that each pixel is enlarged (%(default)s)")
    options = parser.parse_args(argv)
    mini = network.load(options.model)
    if options.prompt is None:
        picture = contact_sheet(mini, options.seed, options.steps, options.guidance)
    else:
        picture = Image.fromarray(sample(mini, [options.prompt], [options.seed], options.steps, options.guidance)[0])
    size = (picture.width * options.scale, picture.height * options.scale)
    picture.resize(size, Image.Resampling.LANCZOS).save(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
