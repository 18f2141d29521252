"""Render four of the painter's pictures in its manners, side by side: `make sheet` writes docs/styles.webp."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

from generator.engines.base import ImageRequest, unwatched
from generator.engines.registry import load_engine

PICTURES = (
    ("portrait of a woman in a red hat, photo", 3),
    ("a lighthouse on a cliff by the sea at sunset, photo", 4),
    ("fruit on a table, still life, photo", 5),
    ("a white cat on a windowsill, photo", 6),
)
STYLES = (
    "stencil graffiti by Banksy, spray paint, few tones with one accent",
    "by Robert Delaunay, orphism, concentric rings of pure colour",
    "by Kazimir Malevich, suprematist composition, flat planes of pure colour",
    "oil painting by Vincent van Gogh, curved impasto brush strokes",
    "photo, joyful mood",
    "photo, sad mood",
    "photo, a forest at night, another background",
    "photo, wearing a panda mask",
)
SIDE_PX, GAP_PX, STEPS, STRENGTH, SEED = 384, 6, 30, 0.6, 1


def render_row(prompt: str, seed: int, side_px: int) -> list[Image.Image]:
    """Return a picture and the same in each style, scaled to `side_px`."""
    engine = load_engine("painter")

    def order(words: str, number: int) -> ImageRequest:
        return ImageRequest(words, "", SIDE_PX, SIDE_PX, STEPS, 7.5, number)

    picture = engine.generate(order(prompt, seed), unwatched)
    styled = [engine.transform(picture, order(style, SEED), STRENGTH, unwatched) for style in STYLES]
    size = (side_px, side_px)
    return [Image.fromarray(each).resize(size, Image.Resampling.LANCZOS) for each in (picture, *styled)]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sheet and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "styles.webp", help="(%(default)s)")
    parser.add_argument("--side", type=int, default=136, help="pixels of each picture (%(default)s)")
    options = parser.parse_args(argv)
    side = options.side + GAP_PX
    sheet = Image.new("RGB", ((len(STYLES) + 1) * side - GAP_PX, len(PICTURES) * side - GAP_PX), "white")
    with ProcessPoolExecutor() as pool:
        prompts, seeds = zip(*PICTURES, strict=True)
        rows = pool.map(render_row, prompts, seeds, [options.side] * len(PICTURES))
        for row, pictures in enumerate(rows):
            for column, picture in enumerate(pictures):
                sheet.paste(picture, (column * side, row * side))
    sheet.save(options.out, quality=80)
    sys.stdout.write(f"{options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
