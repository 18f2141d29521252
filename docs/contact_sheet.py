"""Paint the prompts of `prompts.txt` with the built-in engine, side by side: `make sheet` writes docs/painter.webp.

Each picture is painted at 512x512 with the settings of quality "better", and numbered as the prompts are.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from generator.engines.base import ImageRequest, unwatched
from generator.engines.registry import load_engine

HERE = Path(__file__).parent
GAP_PX = 6


def paint(number: int, prompt: str, side_px: int) -> Image.Image:
    """Return picture `number` (counted from 1, and also its seed), scaled to `side_px`."""
    image_request = ImageRequest(
        prompt=prompt, negative_prompt="", width=512, height=512, steps=50, scale=7.5, seed=number
    )
    pixels = load_engine("painter").generate(image_request, unwatched)
    return Image.fromarray(pixels).resize((side_px, side_px), Image.Resampling.LANCZOS)


def lay_out(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    """Return the pictures in rows on white, each with its number in the lower left corner."""
    side = pictures[0].width
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (side + GAP_PX) - GAP_PX, rows * (side + GAP_PX) - GAP_PX), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(max(11, side // 18))
    for index, picture in enumerate(pictures):
        x, y = index % columns * (side + GAP_PX), index // columns * (side + GAP_PX)
        sheet.paste(picture, (x, y))
        draw.text(
            (x + 7, y + side - 6), str(index + 1), "white", font, anchor="ls", stroke_width=2, stroke_fill="black"
        )
    return sheet


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sheet and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=Path, default=HERE / "prompts.txt", help="one a line (%(default)s)")
    parser.add_argument("--out", type=Path, default=HERE / "painter.webp", help="PNG or WebP (%(default)s)")
    parser.add_argument("--side", type=int, default=208, help="pixels of each picture (%(default)s)")
    parser.add_argument("--columns", type=int, default=5, help="pictures in a row (%(default)s)")
    options = parser.parse_args(argv)
    prompts = [line for line in options.prompts.read_text(encoding="utf-8").splitlines() if line.strip()]
    with ProcessPoolExecutor() as pool:
        pictures = list(pool.map(paint, range(1, len(prompts) + 1), prompts, [options.side] * len(prompts)))
    lay_out(pictures, options.columns).save(options.out, quality=78)
    sys.stdout.write(f"{len(pictures)} pictures in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
