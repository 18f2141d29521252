"""Decode and encode images. No other module decodes what a client sent."""

import base64
import binascii
import io
import struct

import numpy as np
from PIL import Image, ImageCms, ImageOps

from generator.engines.base import Pixels

MAX_SOURCE_PIXELS = 4096 * 4096
MIN_SOURCE_SIDE_PX = 8
SIZE_STEP_PX = 8


class BadImage(Exception):
    """A source image cannot be used; the message is for the client."""


def decode_base64(text: str) -> bytes:
    """Decode strict base64 text.

    Raises:
        BadImage: The text is not strict base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadImage("is not strict base64") from error


def decode_source(data: bytes) -> Pixels:
    """Decode a PNG or JPEG: rotated upright as EXIF says, on white where it is transparent.

    Raises:
        BadImage: It is no such image, or its size is outside the limits.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_SOURCE_PIXELS:
                raise BadImage(f"has more than {MAX_SOURCE_PIXELS} pixels")
            if min(image.size) < MIN_SOURCE_SIDE_PX:
                raise BadImage(f"has a side of less than {MIN_SOURCE_SIDE_PX} pixels")
            profile = image.info.get("icc_profile")
            upright = _upright(image)
            if upright.has_transparency_data:
                rgba = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
            return np.asarray(_to_srgb(upright, profile))
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


def _upright(image: Image.Image) -> Image.Image:
    """Rotate a picture as its EXIF says. EXIF that cannot be read does not count."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return image


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the pixels from their colour profile to RGB in sRGB. A profile that does not fit them is ignored."""
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        pixels = image if image.mode in ("L", "CMYK") else image.convert("RGB")
        converted = ImageCms.profileToProfile(pixels, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return converted or image.convert("RGB")


def encode_png(pixels: Pixels) -> bytes:
    """Encode as an RGB PNG without metadata."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=4)
    return out.getvalue()


def fit(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize to that size; an image of another aspect is cropped evenly at both ends."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(ImageOps.fit(Image.fromarray(pixels), (width, height), Image.Resampling.LANCZOS))


def shrink(pixels: Pixels, longest_px: int) -> Pixels:
    """Scale down so that no side exceeds `longest_px`."""
    image = Image.fromarray(pixels)
    image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    return np.asarray(image)
