"""Decoding and encoding of pictures, with Pillow. Only the poller imports this module; no function does.

Generators' pictures and users' uploads are untrusted: they are decoded here under limits of format, bytes, pixels and
frames. Only pictures that Easel itself encoded are stored or sent on.
"""

import io
import struct
import zlib

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from shared.core.limits import MAX_UPLOAD_BYTES
from shared.images.png import PNG_SIGNATURE, png_size
from shared.images.recipe import Recipe, parameters_text, read_recipe, recipe_json

__all__ = [
    "PictureError",
    "Recipe",
    "decode_picture",
    "decode_source",
    "encode_png",
    "read_recipe",
    "read_size",
    "source_png",
    "thumbnail_webp",
    "to_png",
]

MAX_PIXELS = 8192 * 8192
"""The largest picture: 2048 pixels a side, upscaled by 4."""

MAX_SOURCE_SIDE_PX = 2048
THUMBNAIL_SIDE_PX = 512

# Measured on 512x512 paintings of the reference generator, one core, 768 KiB of pixels: run-length coding takes 21 ms
# for 709 KiB, zlib's default strategy 30 ms for 711 KiB at level 1 and no less at higher levels. On smooth areas both
# take 12 ms for 190 KiB; level 6 would take 48 ms for 120 KiB.
_PNG_OPTIONS = {"compress_level": 1, "compress_type": zlib.Z_RLE}
# WebP method 1 takes 13 ms for these paintings and method 4 takes 31 ms for a file that is no smaller.
_WEBP_METHOD = 1
_WEBP_QUALITY = 80

_PNG_MARGIN_BYTES = 1024 * 1024

_FORMATS = ["PNG", "JPEG", "WEBP"]

# In EXIF, the orientations that exchange width and height.
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)

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


class PictureError(Exception):
    """A picture that cannot be used. `code` is stable, `message` is a sentence for users.

    Codes: picture_wrong_format, picture_too_large (bytes), picture_too_many_pixels, picture_wrong_size,
    picture_animated, picture_broken.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def damaged(self) -> bool:
        """Return whether the file is of the right kind, but damaged: another one of the same may be whole."""
        return self.code == "picture_broken"


def read_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels by the header of a PNG, JPEG or WebP file; no pixel is decoded.

    Raises:
        PictureError: It is no such file, or its header is damaged.
    """
    if (size := png_size(data)) is not None:
        return size
    if data.startswith(PNG_SIGNATURE):
        raise _wrong_format()
    _check_format(data)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size
            return (height, width) if image.getexif().get(_ORIENTATION) in _TURNED else (width, height)
    except _BOMBS as error:
        raise _too_many_pixels() from error
    except _DECODER_ERRORS as error:
        raise _broken() from error


def decode_picture(data: bytes, *, expected_size: tuple[int, int] | None) -> Image.Image:
    """Decode a generator's picture to plain RGB without metadata. `expected_size` is (width, height) in pixels.

    Generators promise PNG; JPEG and WebP are decoded, too. Transparent pixels become white.

    Raises:
        PictureError: It is not one complete picture of that size.
    """
    pixels = expected_size[0] * expected_size[1] if expected_size else MAX_PIXELS
    if len(data) > 8 * pixels + _PNG_MARGIN_BYTES:
        raise PictureError("picture_too_large", "The picture's file is larger than its pixels can need.")
    # A PNG's size is at a fixed offset, so it is checked before Pillow reads the file.
    _check_size(read_size(data), expected_size)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image.size, expected_size if image.format == "PNG" else None)
            if image.format != "MPO":
                _check_frames(image)
            image.load()
            return _plain_rgb(image if image.format == "PNG" else ImageOps.exif_transpose(image))
    except _BOMBS as error:
        raise _too_many_pixels() from error
    except _DECODER_ERRORS as error:
        raise _broken() from error


def to_png(data: bytes, *, expected_size: tuple[int, int] | None) -> bytes:
    """Return a generator's picture as a PNG file: unchanged if it is one. Raises PictureError as `decode_picture`."""
    image = decode_picture(data, expected_size=expected_size)
    if data.startswith(PNG_SIGNATURE):
        return data
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **_PNG_OPTIONS)
    return buffer.getvalue()


def decode_source(data: bytes) -> Image.Image:
    """Decode an upload (PNG, JPEG or WebP, at most 20 MB and 64 Mpx) to plain RGB, upright, without metadata.

    Raises:
        PictureError: It is no such file, too large, animated or damaged.
    """
    if len(data) > MAX_UPLOAD_BYTES:
        raise PictureError("picture_too_large", "The picture's file has more than 20 MB.")
    _check_format(data)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image.size, None)
            # Some cameras append a second picture (depth, preview) to the photo. Pillow calls that format MPO.
            if image.format != "MPO":
                _check_frames(image)
            # A JPEG decodes several times faster at a half or a quarter of its size, if that is still large enough.
            image.draft("RGB", (MAX_SOURCE_SIDE_PX, MAX_SOURCE_SIDE_PX))
            image.load()
            return _plain_rgb(ImageOps.exif_transpose(image))
    except _BOMBS as error:
        raise _too_many_pixels() from error
    except _DECODER_ERRORS as error:
        raise _broken() from error


def source_png(data: bytes, *, max_side_px: int = MAX_SOURCE_SIDE_PX) -> bytes:
    """Convert a user's upload to the PNG that is sent to the generator: upright, RGB, without metadata.

    A picture whose long side exceeds `max_side_px` is scaled down to it.

    Raises:
        PictureError: The upload cannot be used.
    """
    image = decode_source(data)
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **_PNG_OPTIONS)
    return buffer.getvalue()


def encode_png(image: Image.Image, recipe: Recipe) -> bytes:
    """Encode a PNG with its recipe in the text chunks `parameters` and `easel`. Equal input gives equal bytes."""
    chunks = PngInfo()
    chunks.add_text("easel", recipe_json(recipe))
    chunks.add_text("parameters", parameters_text(recipe))  # becomes iTXt where it is not Latin-1
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=chunks, **_PNG_OPTIONS)
    return buffer.getvalue()


def thumbnail_webp(image: Image.Image) -> bytes:
    """Encode a WebP of at most 512 pixels on the long side. A smaller picture keeps its size."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD)
    return buffer.getvalue()


def _check_format(data: bytes) -> None:
    if not (data.startswith((PNG_SIGNATURE, b"\xff\xd8\xff")) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")):
        raise _wrong_format()


def _wrong_format() -> PictureError:
    return PictureError("picture_wrong_format", "The picture is not a PNG, JPEG or WebP file.")


def _broken() -> PictureError:
    return PictureError("picture_broken", "The picture's file is broken.")


def _check_size(size: tuple[int, ...], expected: tuple[int, int] | None) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise _too_many_pixels()
    if expected is not None and size != expected:
        raise PictureError(
            "picture_wrong_size", f"The picture has {size[0]}x{size[1]} pixels instead of {expected[0]}x{expected[1]}."
        )


def _too_many_pixels() -> PictureError:
    return PictureError("picture_too_many_pixels", "The picture has more than 64 million pixels.")


def _check_frames(image: Image.Image) -> None:
    if getattr(image, "n_frames", 1) != 1:
        raise PictureError("picture_animated", "The picture is an animation.")


def _plain_rgb(image: Image.Image) -> Image.Image:
    """Return a copy in RGB without metadata; transparent pixels become white."""
    if image.mode.startswith("I"):
        # 16 bits per pixel: Pillow's own conversion clips at 255 instead of scaling.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        plain = Image.new("RGB", image.size, "white")
        plain.paste(image, mask=image.getchannel("A"))
        return plain
    plain = image.convert("RGB")
    plain.info = {}
    return plain
