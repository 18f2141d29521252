"""Decode and encode images. No other module decodes what a client sent."""

import base64
import binascii
import io
import struct
import zlib
from contextlib import suppress

import numpy as np
from PIL import Image, ImageCms, ImageOps

from generator.engines.base import Pixels

MAX_SOURCE_PIXELS = 4096 * 4096
MIN_SOURCE_SIDE_PX = 8
MAX_SOURCE_SIDE_PX = 16384
SIZE_STEP_PX = 8

MOST_SCANS = 100
"""A progressive JPEG has about ten scans, each of which goes over all of its pixels."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _JPEG_SCAN = b"\xff\xd8", b"\xff\xda"
_FILTER_UP = 2
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    KeyError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""With any of these Pillow reports damaged files."""


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
    """Decode a PNG or JPEG: in sRGB, rotated upright as EXIF says, on white where it is transparent.

    Side data of a PNG that Pillow refuses, such as a text with a wrong checksum, does not count.

    Raises:
        BadImage: It is no such image, or its size is outside the limits.
    """
    try:
        return _decode(data)
    except _DECODER_ERRORS as error:
        try:
            return _decode(_only_pixels(data))
        except _DECODER_ERRORS:
            raise BadImage("is not a whole PNG or JPEG picture") from error


def _decode(data: bytes) -> Pixels:
    if data.startswith(_JPEG) and data.count(_JPEG_SCAN) > MOST_SCANS:
        raise BadImage(f"has more than {MOST_SCANS} scans")
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        if image.width * image.height > MAX_SOURCE_PIXELS:
            raise BadImage(f"has more than {MAX_SOURCE_PIXELS} pixels")
        if max(image.size) > MAX_SOURCE_SIDE_PX:
            raise BadImage(f"has a side of more than {MAX_SOURCE_SIDE_PX} pixels")
        if min(image.size) < MIN_SOURCE_SIDE_PX:
            raise BadImage(f"has a side of less than {MIN_SOURCE_SIDE_PX} pixels")
        profile = image.info.get("icc_profile")
        upright = _eight_bits(_upright(image))
        alpha = upright.convert("RGBA").getchannel("A") if upright.has_transparency_data else None
        if upright.mode == "LA" or data[24:26] == b"\x10\4":  # Pillow decodes the latter, of 16 bits, as RGBA
            upright = upright.convert("L")
        plain = _to_srgb(upright, profile)
        if alpha is None:
            return np.asarray(plain)
        white = Image.new("RGB", plain.size, "white")
        white.paste(plain, mask=alpha)
        return np.asarray(white)


def _only_pixels(data: bytes) -> bytes:
    """Return a PNG without side data, except a transparency with a right checksum; another file as it is."""
    if not data.startswith(_PNG):
        return data
    kept, place = [_PNG], len(_PNG)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        chunk = data[place : place + 12 + length]
        sound = zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
        if kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND") or (kind == b"tRNS" and sound):
            kept.append(chunk)
        place += len(chunk)
    return b"".join(kept)


def _upright(image: Image.Image) -> Image.Image:
    """Rotate a picture as its EXIF says. EXIF that cannot be read does not count."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits per pixel in 8: Pillow's own conversion clips at 255."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the pixels from their colour profile to RGB in sRGB. A profile that does not fit them is ignored."""
    plain = image if image.mode in ("L", "CMYK", "RGB") else image.convert("RGBA").convert("RGB")
    converted = None
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            # A screen's profile is for grey pixels, too.
            pixels = plain.convert("RGB") if plain.mode == "L" and source.profile.xcolor_space == "RGB " else plain
            converted = ImageCms.profileToProfile(pixels, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return converted or plain.convert("RGB")


def encode_png(pixels: Pixels) -> bytes:
    """Encode as an RGB PNG without metadata, quickly: Easel encodes it again, and a client waits for it.

    Every row is written as its difference from the one above. Choosing among PNG's five filters for each row, as Pillow
    does, takes twice as long and lets no other thread run meanwhile.
    """
    height, width = pixels.shape[:2]
    flat = pixels.reshape(height, -1)
    rows = np.empty((height, 1 + flat.shape[1]), np.uint8)
    rows[:, 0] = _FILTER_UP
    rows[0, 1:] = flat[0]  # above the first row there are zeros
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    deflate = zlib.compressobj(1, strategy=zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB, not interlaced
    content = deflate.compress(rows.data) + deflate.flush()
    return _PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", checksum)


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
