"""Decoding and encoding of pictures, with Pillow. Only the poller imports this module; no function does.

Generators' pictures and users' uploads are untrusted: they are decoded here under limits of format, bytes, pixels and
frames. Only pictures that Easel itself encoded are stored or sent on.
"""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shared.core.limits import MAX_UPLOAD_BYTES
from shared.images.colour import plain_rgb
from shared.images.origin import PNG_KEYWORD, origin_xmp
from shared.images.png import PNG_SIGNATURE, png_size
from shared.images.profiles import srgb_profile
from shared.images.recipe import Recipe, parameters_text, read_recipe, recipe_json
from shared.images.side_data import JPEG_END, JPEG_START, BarePicture, orientation, without_side_data
from shared.images.source_rules import (
    MAX_PIXELS,
    MAX_SOURCE_SIDE_PX,
    PictureError,
    animated,
    check_format,
    check_source_size,
    too_many_pixels,
    wrong_format,
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

_PNG_MARGIN_BYTES = 1024 * 1024

_FORMATS = ["PNG", "JPEG", "WEBP"]

_OTHER_PIXELS = bytes(range(1, 255)) * 16
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by EXIF's orientation."""

_TURNED = (5, 6, 7, 8)
"""The orientations that exchange width and height."""

_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# The exceptions that Pillow's decoders raise for damaged or malicious files.
_DECODER_ERRORS = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def read_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels by the header of a PNG, JPEG or WebP file; no pixel is decoded.

    Raises:
        PictureError: It is no such file, or its header is damaged.
    """
    if (size := png_size(data)) is not None:
        return size
    if data.startswith(PNG_SIGNATURE):
        raise wrong_format()
    check_format(data)
    bare = without_side_data(data)
    try:
        with Image.open(io.BytesIO(bare.data), formats=_FORMATS) as image:
            width, height = image.size
            return (height, width) if orientation(bare.exif) in _TURNED else (width, height)
    except _BOMBS as error:
        raise too_many_pixels() from error
    except _DECODER_ERRORS as error:
        raise _broken() from error


def decode_picture(data: bytes, *, expected_size: tuple[int, int] | None) -> Image.Image:
    """Decode a generator's picture to plain RGB in sRGB. `expected_size` is (width, height) in pixels.

    Generators promise PNG; JPEG and WebP are decoded, too. Transparent pixels become white.
    A PNG's pixels are as they were sent: EXIF does not rotate them.

    Raises:
        PictureError: It is not one complete picture of that size.
    """
    pixels = expected_size[0] * expected_size[1] if expected_size else MAX_PIXELS
    if len(data) > 8 * pixels + _PNG_MARGIN_BYTES:
        raise PictureError("picture_too_large", "The picture's file is larger than its pixels can need.")
    # A PNG's size is at a fixed offset, so it is checked before Pillow reads the file.
    _check_size(read_size(data), expected_size)
    bare = without_side_data(data)
    if data.startswith(PNG_SIGNATURE):
        return plain_rgb(_decode(bare, bare.data, lambda *found: _check_size(found, expected_size)), bare.profile)
    return _upright(bare, lambda *found: _check_size(found, None))


def to_png(data: bytes, *, expected_size: tuple[int, int] | None) -> bytes:
    """Return a generator's picture as a PNG file: unchanged if it is one. Raises PictureError as `decode_picture`."""
    image = decode_picture(data, expected_size=expected_size)
    return data if data.startswith(PNG_SIGNATURE) else _png(image, PngInfo())


def decode_source(data: bytes) -> Image.Image:
    """Decode an upload (PNG, JPEG or WebP, at most 20 MB and 64 Mpx) to plain RGB in sRGB, upright, without metadata.

    Raises:
        PictureError: It is no such file, too large, animated or damaged.
    """
    if len(data) > MAX_UPLOAD_BYTES:
        raise PictureError("picture_too_large", "The picture's file has more than 20 MB.")
    check_format(data)
    return _upright(without_side_data(data), check_source_size, longest_px=MAX_SOURCE_SIDE_PX)


def _upright(
    bare: BarePicture, check_size: Callable[[int, int], None], *, longest_px: int | None = None
) -> Image.Image:
    """Decode a picture, convert it to sRGB, and rotate it as its EXIF says. Raises PictureError."""
    decode = _decode_jpeg if bare.data.startswith(JPEG_START) else _decode
    image = decode(bare, bare.data, check_size, longest_px)
    turn = _TURNS.get(orientation(bare.exif))
    return plain_rgb(image if turn is None else image.transpose(turn), bare.profile)


def _decode(
    bare: BarePicture, data: bytes, check_size: Callable[[int, int], None], longest_px: int | None = None
) -> Image.Image:
    """Decode a file without side data in the mode of its pixels; a JPEG may be reduced to `longest_px` or more.

    Raises:
        PictureError: It is damaged, an animation, or of a wrong size.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            check_size(*image.size)
            if bare.frames > 1:
                raise animated()
            # A JPEG decodes several times faster at a half or a quarter of its size, if that is still large enough.
            if longest_px is not None:
                image.draft("RGB", (longest_px, longest_px))
            image.load()
            if image.mode == "P" and image.palette is None:
                raise _broken()
            # Pillow decodes grey of 16 bits with transparency as RGBA, for which a grey profile would not do.
            return image.convert("LA") if data.startswith(PNG_SIGNATURE) and data[24:26] == b"\x10\4" else image
    except _BOMBS as error:
        raise too_many_pixels() from error
    except _DECODER_ERRORS as error:
        raise _broken() from error


def _decode_jpeg(
    bare: BarePicture, data: bytes, check_size: Callable[[int, int], None], longest_px: int | None = None
) -> Image.Image:
    """Decode a JPEG as `_decode` does; one that lacks its end is complete if other bytes in its place change no pixel.

    Raises:
        PictureError: It is damaged or of a wrong size.
    """
    try:
        return _decode(bare, data, check_size, longest_px)
    except PictureError as error:
        if not error.damaged:
            raise
        # Without its end libjpeg fills up missing pixels and does not report it.
        begin = data.rstrip(b"\xff")
        image, other = (
            _decode(bare, begin + end, check_size, longest_px) for end in (JPEG_END, _OTHER_PIXELS + JPEG_END)
        )
        if image.tobytes() != other.tobytes():
            raise
        return image


def source_png(data: bytes, *, max_side_px: int = MAX_SOURCE_SIDE_PX) -> bytes:
    """Convert a user's upload to the PNG that is sent to the generator: upright, RGB, without metadata.

    A picture whose long side exceeds `max_side_px` is scaled down to it.

    Raises:
        PictureError: The upload cannot be used.
    """
    image = decode_source(data)
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    return _png(image, PngInfo())


def photo_jpeg(data: bytes, max_side_px: int) -> bytes:
    """Convert a user's upload to a JPEG that nobody sees, without metadata, whose longer side is at most so long.

    Raises:
        PictureError: The upload cannot be used.
    """
    image = decode_source(data)
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
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


def _broken() -> PictureError:
    return PictureError("picture_broken", "The picture's file is broken.")


def _check_size(size: tuple[int, ...], expected: tuple[int, int] | None) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise too_many_pixels()
    if expected is not None and size != expected:
        raise PictureError(
            "picture_wrong_size", f"The picture has {size[0]}x{size[1]} pixels instead of {expected[0]}x{expected[1]}."
        )
