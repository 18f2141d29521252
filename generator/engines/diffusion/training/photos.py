"""Views of a photo: the middle and a closer part, each also mirrored."""

import numpy as np
from PIL import Image

from generator.engines.base import Pixels

CLOSER = 0.85
"""How much of each side the closer part has."""


def views(photo: Pixels, width: int, height: int) -> list[Pixels]:
    """Return the views of a photo at a model's size."""
    image = Image.fromarray(photo)
    found: list[Pixels] = []
    for share in (1.0, CLOSER):
        scale = min(image.width / width, image.height / height) * share
        across, down = width * scale, height * scale
        left, top = (image.width - across) / 2, (image.height - down) / 2
        box = (left, top, left + across, top + down)
        pixels = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box))
        found += [pixels, pixels[:, ::-1].copy()]
    return found
