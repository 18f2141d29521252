"""The pictures of a request that paints a person into a place."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScenePictures:
    """PNG files of one size, as img_generator's extension `scene` takes them."""

    background: bytes = field(repr=False)
    pose: bytes = field(repr=False)
    pose_mask: bytes = field(repr=False)
    face_mask: bytes = field(repr=False)


EMPTY_SCENE = ScenePictures(b"", b"", b"", b"")
"""In place of the pictures, to find out who can make a scene."""
