"""Decoding and encoding of pictures, with Pillow. Only the poller imports this module; no function does.

Generators' pictures and users' uploads are untrusted: they are decoded in the jail, under limits of format, bytes,
pixels and frames. Only pictures that Easel itself encoded are stored or sent on.
"""

import io
import zlib
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shared.images.jail import (
    Exceeded,
    Limits,
    Read,
    Receive,
    Received,
    Speed,
    lanes,
    memory_for,
    of_user,
    refused,
)
from shared.images.origin import PNG_KEYWORD, origin_xmp
from shared.images.png import PNG_SIGNATURE, png_size
from shared.images.profiles import srgb_profile
from shared.images.recipe import Recipe, parameters_text, read_recipe, recipe_json
from shared.images.source_rules import (
    MAX_PIXELS,
    MAX_SOURCE_SIDE_PX,
    PictureError,
    check_format,
    check_picture_size,
    check_upload,
)

__all__ = [
    "PictureError",
    "Recipe",
    "decode_picture",
    "decode_source",
    "encode_png",
    "photo_jpeg",
    "preview_webp",
    "read_recipe",
    "read_size",
    "small_png",
    "source_png",
    "thumbnail_jpeg",
    "thumbnail_webp",
    "to_png",
]

THUMBNAIL_SIDE_PX = 512

# Measured on 512x512 paintings of the reference generator, one core, 768 KiB of pixels: run-length coding takes 21 ms
# for 709 KiB, zlib's default strategy 30 ms for 711 KiB at level 1 and no less at higher levels. On smooth areas both
# take 12 ms for 190 KiB; level 6 would take 48 ms for 120 KiB.
_PNG_OPTIONS = {"compress_level": 1, "compress_type": zlib.Z_RLE}
# WebP method 1 takes 13 ms for these paintings and method 4 takes 31 ms for a file that is no smaller.
_WEBP_METHOD = 1
_WEBP_QUALITY = 80
_PREVIEW_QUALITY = 70
_PHOTO_QUALITY = 95

_READ_PIXELS = 2 * 1024 * 1024
"""As many pixels are read from the jail at once."""


def read_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels by the header of a PNG, JPEG or WebP file; no pixel is decoded.

    Raises:
        PictureError: It is no such file, or its header is damaged.
    """
    if (size := png_size(data)) is not None:
        return size
    check_format(data)
    width, height = _generated({"task": "size"}, data, Limits(), lambda found, _: _size(found))
    return width, height


def decode_picture(data: bytes, *, expected_size: tuple[int, int] | None) -> Image.Image:
    """Decode a generator's picture to plain RGB in sRGB. `expected_size` is (width, height) in pixels.

    Generators promise PNG; JPEG and WebP are decoded, too. Transparent pixels become white.
    A PNG's pixels are as they were sent: EXIF does not rotate them.

    Raises:
        PictureError: It is not one complete picture of that size.
    """
    limits = Limits(memory_for(expected_size[0] * expected_size[1])) if expected_size else Limits()

    def receive(found: dict[str, Any], read: Read) -> Image.Image:
        size = _size(found)
        if expected_size not in (None, size):
            raise Exceeded("another size")
        return _image(size, read)

    return _generated({"task": "picture", "expected_size": expected_size}, data, limits, receive)


def to_png(data: bytes, *, expected_size: tuple[int, int] | None) -> bytes:
    """Return a generator's picture as a PNG file: unchanged if it is one. Raises PictureError as `decode_picture`."""
    image = decode_picture(data, expected_size=expected_size)
    return data if data.startswith(PNG_SIGNATURE) else _png(image, PngInfo())


def decode_source(
    data: bytes, *, max_side_px: int = MAX_SOURCE_SIDE_PX, own: bool = False, speed: Speed = "any"
) -> Image.Image:
    """Decode an upload (PNG, JPEG or WebP, at most 20 MB) to plain RGB in sRGB, upright, without metadata.

    A picture whose long side exceeds `max_side_px` is scaled down to it. With `own` Easel made the file, and it may be
    as large as pictures become.

    Raises:
        PictureError: It is no such file, too large, animated or damaged.
        TakesLong: It is not quick, where the speed is to be that.
    """
    check_upload(data)

    def receive(found: dict[str, Any], read: Read) -> Image.Image:
        size = _size(found)
        if max(size) > max_side_px:
            raise Exceeded("larger than asked for")
        return _image(size, read)

    most_bytes = memory_for(MAX_PIXELS) if own else None
    return of_user({"task": "source", "max_side_px": max_side_px, "own": own}, data, receive, most_bytes, speed)


def _generated(request: dict[str, object], data: bytes, limits: Limits, receive: Receive[Received]) -> Received:
    try:
        return lanes().generated.ask(request, data, receive, limits)
    except Exceeded:
        raise refused() from None


def _size(found: dict[str, Any]) -> tuple[int, int]:
    """Return the size in an answer, which is not to be trusted."""
    size = found.get("size")
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)):
        raise Exceeded("no size")
    return size[0], size[1]


def _image(size: tuple[int, int], read: Read) -> Image.Image:
    """Return the picture whose pixels follow an answer; of a large one there is a part in memory beside it."""
    width, height = size
    check_picture_size(size, None)
    strip_rows = min(height, max(1, _READ_PIXELS // width))
    pixels = memoryview(bytearray(3 * width * strip_rows))
    whole: Image.Image | None = None
    for top in range(0, height, strip_rows):
        rows = min(strip_rows, height - top)
        strip = pixels[: 3 * width * rows]
        read(strip)
        part = Image.frombytes("RGB", (width, rows), strip)
        if rows == height:
            return part
        whole = whole or Image.new("RGB", size)
        whole.paste(part, (0, top))
    assert whole is not None
    return whole


def source_png(data: bytes, *, max_side_px: int = MAX_SOURCE_SIDE_PX, own: bool = False, speed: Speed = "any") -> bytes:
    """Convert a user's upload to the PNG that is sent to the generator: upright, RGB, without metadata.

    A picture whose long side exceeds `max_side_px` is scaled down to it. With `own` Easel made the file.

    Raises:
        PictureError: The upload cannot be used.
        TakesLong: It is not quick, where the speed is to be that.
    """
    return _png(decode_source(data, max_side_px=max_side_px, own=own, speed=speed), PngInfo())


def photo_jpeg(data: bytes, max_side_px: int) -> bytes:
    """Convert a user's upload to a JPEG that nobody sees, without metadata, whose longer side is at most so long.

    Raises:
        PictureError: The upload cannot be used.
    """
    image = decode_source(data, max_side_px=max_side_px)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_PHOTO_QUALITY, subsampling=0)
    return buffer.getvalue()


def encode_png(image: Image.Image, recipe: Recipe) -> bytes:
    """Encode a PNG with its recipe in the text chunks `parameters` and `easel`, and its origin in XMP.

    Equal input gives equal bytes.
    """
    chunks = PngInfo()
    chunks.add_text("easel", recipe_json(recipe))
    chunks.add_text("parameters", parameters_text(recipe))  # becomes iTXt where it is not Latin-1
    if origin := origin_xmp(recipe):
        chunks.add_itxt(PNG_KEYWORD, origin)
    return _png(image, chunks)


def _png(image: Image.Image, chunks: PngInfo) -> bytes:
    """Encode a PNG that says that its pixels are in sRGB."""
    chunks.add(b"sRGB", b"\0")  # rendered perceptually
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=chunks, **_PNG_OPTIONS)
    return buffer.getvalue()


def small_png(image: Image.Image, max_side_px: int) -> bytes:
    """Encode a PNG without a recipe, at most so large."""
    small = image.copy()
    small.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    return _png(small, PngInfo())


def thumbnail_webp(image: Image.Image, recipe: Recipe | None = None) -> bytes:
    """Encode a WebP in sRGB of at most 512 pixels on the long side. A smaller picture keeps its size.

    One with a palette keeps its edges and colours. One with a recipe states its origin in XMP.
    """
    crisp = image.mode == "P"
    small = image.copy()
    box = (THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX)
    small.thumbnail(box, Image.Resampling.NEAREST if crisp else Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    options = {"lossless": True} if crisp else {"quality": _WEBP_QUALITY}
    xmp = origin_xmp(recipe).encode() if recipe else b""
    small.convert("RGB").save(buffer, "WEBP", method=_WEBP_METHOD, icc_profile=srgb_profile(), xmp=xmp, **options)
    return buffer.getvalue()


def preview_webp(image: Image.Image) -> bytes:
    """Encode a WebP that is soon replaced: as quickly as the format allows, without a profile."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_PREVIEW_QUALITY, method=0)
    return buffer.getvalue()


def thumbnail_jpeg(webp: bytes) -> bytes:
    """Convert a thumbnail to JPEG, which every mail program shows. Raises PictureError."""
    image = decode_picture(webp, expected_size=None)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
