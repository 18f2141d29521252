"""What upscales a picture: processor time, nearness to the truth and sharpness of each way, beside Lanczos.

`python -m bench.upscale`. The painter's pictures of 256 pixels are the truth; averaged to 64 pixels, each way enlarges
them again. Networks that invent likely detail lose in nearness to the truth what they gain in sharpness.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image

from bench.table import machine
from generator.engines.base import Engine, ImageRequest, Pixels, unwatched
from generator.engines.registry import load_engine
from generator.engines.upscaling.real_esrgan import MODELS, RealESRGAN
from generator.engines.upscaling.upscaler import Upscaler

PROMPTS = (
    "a lighthouse at sunset, oil",
    "a castle by a lake at night",
    "a cat, watercolour",
    "city skyline in the rain, photo",
)
SIDE_PX = 256
FACTOR = 4
LARGE_PX = 128
"""Side of the source for the longer time; the two large networks cut it into tiles."""

Way = Callable[[Pixels], Pixels]


def ways(painter: Engine) -> dict[str, Way]:
    """Return each way to enlarge by its name, the reference first."""
    upscalers = {name: Upscaler(RealESRGAN(name)) for name in MODELS}
    networks: dict[str, Way] = {
        name: lambda small, upscaler=upscaler: upscaler.enlarge(small, FACTOR, unwatched)  # type: ignore[misc]
        for name, upscaler in upscalers.items()
    }
    return {
        "Lanczos": _lanczos,
        "the painter's own": lambda small: painter.upscale(small, FACTOR, unwatched),
        **networks,
    }


def _lanczos(small: Pixels) -> Pixels:
    size = (small.shape[1] * FACTOR, small.shape[0] * FACTOR)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.LANCZOS))


def psnr_db(picture: Pixels, truth: Pixels) -> float:
    """Return how near a picture is to the truth: the peak signal-to-noise ratio."""
    return float(10 * np.log10(255**2 / np.mean((picture.astype(float) - truth) ** 2)))


def steepness(picture: Pixels) -> float:
    """Return the mean difference between neighbouring pixels."""
    values = picture.astype(float)
    return float(np.abs(np.diff(values, axis=0)).mean() + np.abs(np.diff(values, axis=1)).mean())


def cpu_s(way: Way, small: Pixels) -> tuple[float, Pixels]:
    """Return the processor time of enlarging, and the picture."""
    begin = time.process_time()
    large = way(small)
    return time.process_time() - begin, large


def compare(found: dict[str, Way], truths: Sequence[Pixels]) -> tuple[list[str], list[list[Pixels]]]:
    """Return the rows of the table, and for each truth the row of pictures."""
    smalls = [np.asarray(Image.fromarray(truth).reduce(FACTOR)) for truth in truths]
    pictures: list[list[Pixels]] = [[truth] for truth in truths]
    rows, reference = [], 0.0
    for name, way in found.items():
        small_s, nearness, sharpness = [], [], []
        for truth, small, row in zip(truths, smalls, pictures, strict=True):
            seconds, large = cpu_s(way, small)
            row.append(large)
            small_s.append(seconds)
            nearness.append(psnr_db(large, truth))
            sharpness.append(steepness(large) / steepness(truth))
        large_s = cpu_s(way, truths[0][:LARGE_PX, :LARGE_PX])[0]
        reference = reference or large_s
        rows.append(
            f"| {name} | {fmean(nearness):.1f} dB | {fmean(sharpness):.2f} | {fmean(small_s):.2g} s | {large_s:.2g} s "
            f"| {large_s / reference:,.0f} |"
        )
    return rows, pictures


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table and, if asked to, write the pictures side by side; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, help="write the pictures side by side")
    options = parser.parse_args(argv)
    painter = load_engine("painter")
    requests = [ImageRequest(prompt, "", SIDE_PX, SIDE_PX, 20, 7.5, seed) for seed, prompt in enumerate(PROMPTS, 1)]
    truths = [painter.generate(request, unwatched) for request in requests]
    rows, pictures = compare(ways(painter), truths)
    small = SIDE_PX // FACTOR
    lines = [
        f"| way | PSNR | sharpness | CPU time {small} to {SIDE_PX} px | {LARGE_PX} to {LARGE_PX * FACTOR} px | ratio |",
        "|---|---:|---:|---:|---:|---:|",
        *rows,
        "",
        f"Means of {len(PROMPTS)} pictures of the painter; sharpness: the truth has 1; ratio: CPU time beside Lanczos.",
        f"Measured on {machine()}; CPU time of all threads.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.picture:
        sheet = np.concatenate([np.concatenate(row, axis=1) for row in pictures], axis=0)
        Image.fromarray(sheet).save(options.picture, quality=80)
    return 0


if __name__ == "__main__":
    sys.exit(main())
