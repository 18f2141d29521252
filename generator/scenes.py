"""The extension `scene`: the pictures of a request that places a person, checked and decoded."""

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageFilter

from generator.engines.base import Mask, Scene, figure_of
from generator.images import decode_source
from generator.request import SCENE_PICTURES, GenerationRequest, ParameterError

_ROOM = 10
"""Around a figure without a mask, this part of the shorter side is painted too, for clothes and hair."""


def check_scene(
    request: GenerationRequest, pictures: Mapping[str, bytes], sizes: Mapping[str, tuple[int, int]]
) -> None:
    """Check that the pictures of a scene fit each other.

    Raises:
        ParameterError: They do not.
    """
    if "background" not in sizes:
        return
    size = sizes["background"]
    if request.size_for(size) != size:
        raise ParameterError(
            "background", "has another size than the new picture, of 64 to 2048 pixels in multiples of 8"
        )
    for name in SCENE_PICTURES:
        if sizes.get(name, size) != size:
            raise ParameterError(name, "has another size than the background")
    if "pose_mask" not in sizes and not figure_of(decode_source(pictures["pose"])).any():
        raise ParameterError("pose", "shows no figure on an even ground; a pose_mask can say where the person is")


def decode_scene(pictures: Mapping[str, bytes], pose_scale: float) -> Scene | None:
    """Return the scene of a request's pictures, or None."""
    if "background" not in pictures:
        return None
    decoded = {name: decode_source(pictures[name]) for name in SCENE_PICTURES if name in pictures}
    masks = {name: decoded[name][..., 1] for name in ("pose_mask", "face_mask") if name in decoded}
    pose = decoded["pose"]
    mask = masks["pose_mask"] if "pose_mask" in masks else _grown(figure_of(pose))
    return Scene(decoded["background"], pose, mask, masks.get("face_mask"), pose_scale)


def _grown(figure: Mask) -> Mask:
    blurred = Image.fromarray(figure).filter(ImageFilter.BoxBlur(max(1, min(figure.shape) // _ROOM)))
    return np.where(np.asarray(blurred) > 0, np.uint8(255), np.uint8(0))
