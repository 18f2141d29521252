"""Measures of a photo from which something is to be learned: its size, sharpness, light, and a hash of what it shows.

Run as a program, it reads picture files from stdin, each after its length as four bytes, and answers each by a line of
JSON with its measures, or with the code of why it cannot be used. With the argument `faces` it counts them, too, if the
packages for that are installed. It limits its own memory and time, because photos are untrusted and decoders are native
code.
"""

import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict

from PIL import Image, ImageFilter, ImageStat

from shared.images import decoding, faces
from shared.images.photo_values import COUNT_FACES, PhotoMeasures
from shared.images.source_rules import PictureError

MAX_CPU_S = 5.0
"""The processor time that a photo may take; then a signal ends the program."""

NICE = 5

MEASURED_SIDE_PX = 512
"""The longer side at which photos are compared, whatever their size."""

_TILES = 4
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=2, offset=128)
_DARK, _BRIGHT = 5, 250


def measure(data: bytes, count_faces: Callable[[Image.Image], int] | None = None) -> PhotoMeasures:
    """Measure a photo file. Raises PictureError."""
    width, height = decoding.read_size(data)
    photo = decoding.decode_source(data)
    photo.thumbnail((MEASURED_SIDE_PX, MEASURED_SIDE_PX), Image.Resampling.LANCZOS)
    grey = photo.convert("L")
    counts = grey.histogram()
    pixels = grey.width * grey.height
    return PhotoMeasures(
        width,
        height,
        _sharpness(grey),
        ImageStat.Stat(grey).mean[0],
        sum(counts[: _DARK + 1]) / pixels,
        sum(counts[_BRIGHT:]) / pixels,
        _difference_hash(grey),
        count_faces(photo) if count_faces else None,
    )


def _sharpness(grey: Image.Image) -> float:
    """Return the mean of the two sharpest of 16 parts: a sharp subject may have a blurred background."""
    edges = grey.filter(_LAPLACIAN)
    found = []
    for row in range(_TILES):
        for column in range(_TILES):
            # The filter leaves the outermost pixels as they were.
            box = (
                max(1, edges.width * column // _TILES),
                max(1, edges.height * row // _TILES),
                min(edges.width - 1, edges.width * (column + 1) // _TILES),
                min(edges.height - 1, edges.height * (row + 1) // _TILES),
            )
            if box[2] > box[0] and box[3] > box[1]:
                found.append(ImageStat.Stat(edges.crop(box)).var[0] * _LAPLACIAN.filterargs[1] ** 2)
    sharpest = sorted(found)[-2:]
    return sum(sharpest) / len(sharpest) if sharpest else 0.0


def _difference_hash(grey: Image.Image) -> int:
    """Return for each of 8x8 neighbouring areas whether the right one is brighter."""
    small = grey.resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = (small[row * 9 + column] < small[row * 9 + column + 1] for row in range(8) for column in range(8))
    return sum(bit << place for place, bit in enumerate(bits))


def main() -> None:
    """Measure the photos from stdin, one after the other.

    The first argument is how much memory that may take, in bytes; the second, if any, is `faces`.
    """
    most_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(NICE)
    count_faces = faces.find_counter() if COUNT_FACES in sys.argv[2:] else None
    source = sys.stdin.buffer
    while head := source.read(4):
        found: dict[str, object]
        data = source.read(struct.unpack(">I", head)[0])
        signal.setitimer(signal.ITIMER_PROF, MAX_CPU_S)
        try:
            found = asdict(measure(data, count_faces))
        except PictureError as error:
            found = {"code": error.code}
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
