"""What is measured of a photo, and by which program: for processes that do not decode pictures themselves."""

from dataclasses import dataclass

PROGRAM = "shared.images.photo_measures"
MAX_MEMORY_BYTES = 640 * 1024 * 1024
"""The module that measures a photo, and how much memory it may take."""

COUNT_FACES = "faces"
"""The argument with which it counts faces, too, where it can."""


@dataclass(frozen=True, slots=True)
class PhotoMeasures:
    """What can be said of a photo, hardly knowing what it shows.

    `sharpness` is the variance of the Laplacian of the sharpest parts, `light` the mean of the grey values (0..255),
    `dark_share` and `bright_share` are the shares of pixels without any detail. `difference_hash` has 64 bits of which
    few differ between two versions of one photo. `faces` is how many people it shows, None if they were not counted.
    """

    width: int
    height: int
    sharpness: float
    light: float
    dark_share: float
    bright_share: float
    difference_hash: int
    faces: int | None = None
