"""Make free pictures of several kinds for the style metric: `make dataset` writes 12 and 250 into var/dataset.

A kind is a folder: pictures like photographs, and others of them rendered in the manner of each artist, by the painter.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image

from generator.engines.base import ImageRequest, unwatched
from generator.engines.registry import load_engine

KINDS = {
    "photo": "",
    "banksy": "stencil graffiti by Banksy, spray paint",
    "delaunay": "by Robert Delaunay, orphism",
    "malevich": "by Kazimir Malevich, suprematist composition",
    "van_gogh": "oil painting by Vincent van Gogh",
}
SUBJECTS = (
    "a lighthouse by the sea",
    "portrait of a woman",
    "fruit on a table, still life",
    "a castle on a hill",
    "a cat on a windowsill",
    "mountains above a lake",
    "a city street",
    "a boat in a bay",
    "a forest road",
    "a red bird",
)
LIGHTS = ("at noon", "at sunset", "in fog", "in winter", "at dawn")
SIDE_PX, STEPS = 160, 8


def make(folder: Path, count: int) -> None:
    """Write the pictures that are not there yet; picture and kind follow from the number."""
    engine = load_engine("painter")
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        path = folder / kind / f"{number:04}.png"
        if path.exists():
            continue
        subject, light = SUBJECTS[number // len(KINDS) % len(SUBJECTS)], LIGHTS[number // 7 % len(LIGHTS)]
        request = ImageRequest(f"{subject} {light}, photo", "", SIDE_PX, SIDE_PX, STEPS, 7.5, number)
        picture = engine.generate(request, unwatched)
        if KINDS[kind]:
            style = ImageRequest(KINDS[kind], "", SIDE_PX, SIDE_PX, STEPS, 7.5, number)
            picture = engine.transform(picture, style, 0.6, unwatched)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)


def main() -> int:
    """Make the data sets and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("var/dataset"), help="(%(default)s)")
    parser.add_argument("--counts", type=int, nargs="+", default=[12, 250], help="(%(default)s)")
    options = parser.parse_args()
    for count in options.counts:
        make(options.out / str(count), count)
        sys.stdout.write(f"{count} pictures in {options.out / str(count)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
