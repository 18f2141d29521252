"""Decoding of untrusted pictures, with Pillow, under limits of format, bytes, pixels and frames.

Decoders are native code, and what a picture costs is known only afterwards: these functions are called in processes
that limit their own memory and time. `shared.images.codec` calls them in the jail.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from shared.images.colour import plain_rgb
from shared.images.png import PNG_SIGNATURE, png_size
from shared.images.side_data import JPEG_END, JPEG_START, BarePicture, orientation, without_side_data
from shared.images.source_rules import (
    MAX_PIXELS,
    MAX_SOURCE_SIDE_PX,
    PictureError,
    animated,
    check_format,
    check_picture_size,
    check_source_size,
    check_upload,
    is_webp,
    too_many_pixels,
    wrong_format,
)

_PNG_MARGIN_BYTES = 1024 * 1024

_FORMATS = ["PNG", "JPEG", "WEBP"]

_MOST_SCANS = 100
"""A progressive JPEG has about ten scans. Each goes over all of its pixels, and may take only a few bytes."""

_STRIP_PIXELS = 1024 * 1024
"""As many pixels are converted at once: conversions take several copies."""

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
    check_picture_size(read_size(data), expected_size)
    is_png = data.startswith(PNG_SIGNATURE)
    bare = without_side_data(data)
    if is_png:
        return _plain(_decode(bare, bare.data, lambda *found: check_picture_size(found, expected_size)), bare.profile)
    return _upright(bare, lambda *found: check_picture_size(found, None))


def decode_source(data: bytes, *, max_side_px: int = MAX_SOURCE_SIDE_PX, own: bool = False) -> Image.Image:
    """Decode an upload (PNG, JPEG or WebP, at most 20 MB) to plain RGB in sRGB, upright, without metadata.

    A picture whose long side exceeds `max_side_px` is scaled down to it. With `own` Easel made the file, and it may be
    as large as pictures become.

    Raises:
        PictureError: It is no such file, too large, animated or damaged.
    """
    check_upload(data)
    webp = is_webp(data)
    bare = without_side_data(data)
    del data  # up to 20 MB

    def check_size(width: int, height: int) -> None:
        check_source_size(width, height, webp=webp, own=own)

    image = _upright(bare, check_size, longest_px=max_side_px)
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    return image


def _upright(
    bare: BarePicture, check_size: Callable[[int, int], None], *, longest_px: int | None = None
) -> Image.Image:
    """Decode a picture, convert it to sRGB, and rotate it as its EXIF says. Raises PictureError.

    One with a side of twice `longest_px` or more is reduced, but not below `longest_px`.
    """
    decode = _decode_jpeg if bare.data.startswith(JPEG_START) else _decode
    image = decode(bare, bare.data, check_size, longest_px)
    plain = _plain(image, bare.profile, max(1, max(image.size) // longest_px) if longest_px else 1)
    del image  # its pixels are not needed while the others are turned
    turn = _TURNS.get(orientation(bare.exif))
    return plain if turn is None else plain.transpose(turn)


def _plain(image: Image.Image, profile: bytes | None, factor: int = 1) -> Image.Image:
    """Return a picture in plain RGB, reduced by a whole factor, in strips so that there is only one large copy."""
    rows = max(1, _STRIP_PIXELS // image.width // factor) * factor
    if rows >= image.height:
        return _reduced(plain_rgb(image, profile), factor)
    # Pixels that are RGB already are converted in their place.
    in_place = image.mode == "RGB" and factor == 1
    whole = image if in_place else Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for strip, top in _strips(image, rows):
        whole.paste(_reduced(plain_rgb(strip, profile), factor), (0, top // factor))
    whole.info = {}
    return whole


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    return image if factor == 1 else image.reduce(factor)


def _strips(image: Image.Image, rows: int) -> Iterator[tuple[Image.Image, int]]:
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height))), top


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
    if data.count(b"\xff\xda") > _MOST_SCANS:
        raise _broken()
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


def _broken() -> PictureError:
    return PictureError("picture_broken", "The picture's file is broken.")
