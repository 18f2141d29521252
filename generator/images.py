"""Bytes to pixels and back: the only place that decodes what a client sent."""

import base64
import binascii
import io

import numpy as np
from PIL import Image, ImageOps

from generator.engines.base import Pixels

MAX_SOURCE_PIXELS = 4096 * 4096
MIN_SOURCE_SIDE_PX = 8
SIZE_STEP_PX = 8


class BadImage(Exception):
    """A source picture cannot be used; the message says why, for the client."""


def decode_base64(text: str) -> bytes:
    """The bytes of strict base64 text. Raises BadImage."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadImage("is not strict base64") from error


def decode_source(data: bytes) -> Pixels:
    """The pixels of a PNG or JPEG, upright, on white where it is transparent. Raises BadImage."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_SOURCE_PIXELS:
                raise BadImage(f"has more than {MAX_SOURCE_PIXELS} pixels")
            if min(image.size) < MIN_SOURCE_SIDE_PX:
                raise BadImage(f"has a side of less than {MIN_SOURCE_SIDE_PX} pixels")
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data:
                rgba = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
            return np.asarray(upright.convert("RGB"))
    # Pillow reports damaged files with any of these.
    except (
        OSError,
        SyntaxError,
        ValueError,
        IndexError,
        KeyError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise BadImage("is not a whole PNG or JPEG picture") from error


def encode_png(pixels: Pixels) -> bytes:
    """An RGB PNG without any metadata."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=4)
    return out.getvalue()


def fit(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture at that size; what does not fit the aspect is cut off evenly at both ends."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(ImageOps.fit(Image.fromarray(pixels), (width, height), Image.Resampling.LANCZOS))


def shrink(pixels: Pixels, longest_px: int) -> Pixels:
    """The picture with no side above `longest_px`."""
    image = Image.fromarray(pixels)
    image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    return np.asarray(image)
