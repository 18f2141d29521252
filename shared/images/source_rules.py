"""Which start pictures can be used: the rules, and what the first bytes of a file say about them.

This module does not use Pillow, so the functions can check an upload before its job is queued.
"""

import struct

from shared.core.errors import CodedError
from shared.core.limits import MAX_UPLOAD_BYTES
from shared.images.png import PNG_SIGNATURE, png_size
from shared.images.side_data import JPEG_START, jpeg_segments, png_frames

MAX_PIXELS = 8192 * 8192
"""The largest picture: 2048 pixels a side, upscaled by 4."""

MAX_UPLOAD_PIXELS, MAX_WEBP_PIXELS = 8192 * 6144, 4096 * 3072
"""The largest upload: what fits into the memory of the process that decodes it. A pixel of a WebP needs four times as
much there. The site (web/lib/start-check.js) declares both too; a test compares them."""

MAX_SIDE_PX = 16384
"""The longest side of any picture that is decoded."""

MAX_SOURCE_SIDE_PX = 2048
"""The longer side of a start picture as it is sent; a larger one is scaled down."""

MIN_SOURCE_SIDE_PX = 8
"""The shorter side of a start picture as it is sent. The reference generator declares it too; a test compares them."""

HEAD_BYTES = 64 * 1024
"""How much of a file is read to check it."""

LONG_HEAD_BYTES = 2 * 1024 * 1024
"""How much is read if that does not have the size, as in photos with much side data. A size that comes later is checked
when the picture is decoded."""

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WEBP_ANIMATED = 0x02


class PictureError(CodedError):
    """A picture that cannot be used.

    Codes: picture_wrong_format, picture_too_large (bytes), picture_too_many_pixels, picture_too_small,
    picture_wrong_size, picture_animated, picture_broken.
    """

    @property
    def damaged(self) -> bool:
        """Return whether the file is of the right kind, but damaged: another one of the same may be whole."""
        return self.code == "picture_broken"


def too_many_pixels(pixels: int = MAX_PIXELS) -> PictureError:
    """Return the error for a picture with more pixels than may be decoded, or with a longer side."""
    return PictureError(
        "picture_too_many_pixels",
        f"The picture has more than {pixels // 10**6} million pixels, or a side of more than {MAX_SIDE_PX}.",
    )


def wrong_format() -> PictureError:
    """Return the error for a file that is no picture of a supported format."""
    return PictureError("picture_wrong_format", "The picture is not a PNG, JPEG or WebP file.")


def animated() -> PictureError:
    """Return the error for an animation."""
    return PictureError("picture_animated", "The picture is an animation.")


def is_webp(data: bytes) -> bool:
    """Return whether a file begins as a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def check_picture_size(size: tuple[int, ...], expected: tuple[int, int] | None) -> None:
    """Check the size of a generator's picture in pixels. Raises PictureError."""
    if size[0] * size[1] > MAX_PIXELS or max(size) > MAX_SIDE_PX:
        raise too_many_pixels()
    if expected is not None and size != expected:
        raise PictureError(
            "picture_wrong_size", f"The picture has {size[0]}x{size[1]} pixels instead of {expected[0]}x{expected[1]}."
        )


def check_source_size(width: int, height: int, *, webp: bool = False, own: bool = False) -> None:
    """Check the size of a start picture in pixels. With `own` Easel made the file: it is as large as pictures become.

    Raises:
        PictureError: It has too many pixels, or a side is too short, perhaps only once it is scaled down.
    """
    most = MAX_PIXELS if own else MAX_WEBP_PIXELS if webp else MAX_UPLOAD_PIXELS
    if width * height > most or max(width, height) > MAX_SIDE_PX:
        raise too_many_pixels(most)
    short, long = sorted((width, height))
    if short < MIN_SOURCE_SIDE_PX or short * MAX_SOURCE_SIDE_PX < MIN_SOURCE_SIDE_PX * long:
        raise PictureError(
            "picture_too_small",
            f"The picture has {width}x{height} pixels. Each side needs at least {MIN_SOURCE_SIDE_PX}, and the longer"
            f" one may be at most {MAX_SOURCE_SIDE_PX // MIN_SOURCE_SIDE_PX} times the shorter.",
        )


def check_format(data: bytes) -> None:
    """Check that a file begins as a PNG, JPEG or WebP. Raises PictureError."""
    if not (data.startswith((PNG_SIGNATURE, b"\xff\xd8\xff")) or is_webp(data)):
        raise wrong_format()


def check_upload(data: bytes) -> None:
    """Check the size of an upload's file, and that it begins as a PNG, JPEG or WebP. Raises PictureError."""
    if len(data) > MAX_UPLOAD_BYTES:
        raise PictureError("picture_too_large", "The picture's file has more than 20 MB.")
    check_format(data)


def check_head(head: bytes) -> tuple[int, int] | None:
    """Check a start picture by the first bytes of its file (`HEAD_BYTES`); return its size in pixels, if it is there.

    Raises:
        PictureError: Its format, its size, or that it is an animation rules it out.
    """
    check_format(head)
    if head.startswith(PNG_SIGNATURE):
        size = png_size(head)
        is_animated = png_frames(head) > 1
    elif head.startswith(JPEG_START):
        size, is_animated = _jpeg_size(head), False
    else:
        size, is_animated = _webp(head)
    if size is not None:
        check_source_size(*size, webp=is_webp(head))
    if is_animated:
        raise animated()
    return size


def sent_pixels(width: int, height: int) -> int:
    """Return how many pixels a start picture of this size has when it is sent, about."""
    shrink = min(1.0, MAX_SOURCE_SIDE_PX / max(width, height))
    return int(width * shrink) * int(height * shrink)


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    for marker, segment in jpeg_segments(head):
        if marker in _FRAME_HEADERS and len(segment) >= 9:
            height, width = struct.unpack_from(">HH", segment, 5)
            # A height of 0 is named after the pixels.
            return (width, height) if height else None
    return None


def _webp(head: bytes) -> tuple[tuple[int, int] | None, bool]:
    """Return the size, if it is there, and whether more than one frame follows."""
    kind, content = head[12:16], head[20:30]
    if len(content) < 10:
        return None, False
    if kind == b"VP8X":
        size = (int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1)
        return size, bool(content[0] & _WEBP_ANIMATED) and _has_second_frame(head)
    if kind == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), False
    if kind == b"VP8 " and content[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 6)
        return (width & 0x3FFF, height & 0x3FFF), False
    return None, False


def _has_second_frame(head: bytes) -> bool:
    """Return whether the file goes on after its first frame, as far as its declared length says."""
    end = int.from_bytes(head[4:8], "little") + 8
    place = 12
    while place + 8 <= len(head):
        kind, length = struct.unpack_from("<4sI", head, place)
        place += 8 + length + length % 2
        if kind == b"ANMF":
            return bool(place < end)
    return False
