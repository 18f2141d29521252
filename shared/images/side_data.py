"""Picture files without their side data: only what decides about pixels reaches a decoder.

Decoders refuse whole files for a damaged text, EXIF or profile, which browsers skip. The containers are therefore
copied here with their pixel data only. What is needed beside the pixels is returned: colour profile and EXIF.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.images.png import PNG_SIGNATURE
from shared.images.profiles import COLOUR_CHUNKS, declared_profile

MAX_PROFILE_BYTES = 3 * 1024 * 1024
"""Larger colour profiles are ignored. Those of printers take up to about 3 MB."""

_MOST_FRAMES = 2**31 - 1
"""More frames are no animation: PNG's numbers have 31 bits."""

JPEG_START = b"\xff\xd8"
JPEG_END = b"\xff\xd9"

_ORIENTATION = (0x0112, 3)
"""EXIF's tag, and the type of its value: 16 bits."""

_PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT"})
_PNG_SIDE = frozenset({b"tRNS", b"acTL", b"eXIf", *COLOUR_CHUNKS})
_PNG_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
_JPEG_SCAN = 0xDA
_JPEG_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
_JPEG_PROFILE = b"ICC_PROFILE\0"
_WEBP_PIXELS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_WEBP_ALPHA_AND_ANIMATION = 0x10 | 0x02


@dataclass(frozen=True, slots=True)
class BarePicture:
    """A picture file without side data.

    `data` is a file of the same format. `profile` (ICC) and `exif` are as found in the file, untrusted. `frames` is how
    many pictures the file shows in turn.
    """

    data: bytes
    profile: bytes | None = None
    exif: bytes | None = None
    frames: int = 1


def without_side_data(data: bytes) -> BarePicture:
    """Return a PNG, JPEG or WebP file without side data. Damage of its pixel data is left for the decoder."""
    if data.startswith(PNG_SIGNATURE):
        return _bare_png(data)
    return _bare_jpeg(data) if data.startswith(JPEG_START) else _bare_webp(data)


def orientation(exif: bytes | None) -> int:
    """Return EXIF's orientation, 1 to 8; 1, upright, where there is none that can be read."""
    tiff = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (place,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, place)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, place + 2 + 12 * entry)
            if (tag, kind) == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:  # it ends before
        pass
    return 1


def _bare_png(data: bytes) -> BarePicture:
    """Keep the chunks of the pixels, add the end if it is missing, and drop what follows it.

    As in libpng, ancillary chunks that are damaged or in a wrong place do not exist.
    """
    kept: list[bytes] = [PNG_SIGNATURE]
    side: dict[bytes, bytes] = {}
    before_pixels = True
    for kind, chunk in _png_chunks(data):
        if kind == b"IEND":
            break
        before_pixels &= kind != b"IDAT"
        if kind == b"IDAT" or (kind in _PNG_PIXELS and before_pixels):
            kept.append(chunk)
        elif kind in _PNG_SIDE and kind not in side and (before_pixels or kind == b"eXIf"):
            content = chunk[8:-4]
            if zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big"):
                side[kind] = content
                if kind == b"tRNS" and _transparency_fits(kept, content):
                    kept.append(chunk)
    kept.append(_PNG_END)
    animation = side.get(b"acTL", b"")
    frames = int.from_bytes(animation[:4], "big") if len(animation) == 8 else 1
    profile = _png_profile(side.get(b"iCCP")) or declared_profile(side)
    return BarePicture(b"".join(kept), profile, side.get(b"eXIf"), frames if frames <= _MOST_FRAMES else 1)


def _transparency_fits(chunks: list[bytes], content: bytes) -> bool:
    """Return whether a tRNS chunk after these chunks has the length that their kind of pixels needs."""
    palette = next((len(chunk) // 3 - 4 for chunk in chunks[2:] if chunk[4:8] == b"PLTE"), 0)
    colour_type = chunks[1][17:18] if len(chunks) > 1 else b""
    return len(content) in {b"\0": (2,), b"\2": (6,), b"\3": range(1, palette + 1)}.get(colour_type, ())


def png_frames(data: bytes) -> int:
    """Return how many pictures a PNG shows in turn, as far as its first bytes say."""
    return _bare_png(data).frames


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and all bytes of each chunk; of an unfinished last one, a whole chunk with what is there."""
    place = len(PNG_SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end <= len(data):
            yield kind, data[place:end]
        else:
            rest = data[place + 8 : place + 8 + length]
            yield kind, struct.pack(">I", len(rest)) + kind + rest + struct.pack(">I", zlib.crc32(kind + rest))
        place = end


def _png_profile(content: bytes | None) -> bytes | None:
    """Return the profile of an iCCP chunk: a name, NUL, the number of the compression, compressed data."""
    name, separator, rest = (content or b"").partition(b"\0")
    if not separator or len(name) > 79 or rest[:1] != b"\0":
        return None
    inflating = zlib.decompressobj()
    try:
        profile = inflating.decompress(rest[1:], MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return None
    return profile if len(profile) <= MAX_PROFILE_BYTES else None


def _bare_jpeg(data: bytes) -> BarePicture:
    """Keep the segments of the pixels and those that name the colour space (JFIF, Adobe)."""
    kept: list[bytes] = [JPEG_START]
    parts: dict[int, bytes] = {}
    exif = None
    for marker, segment in jpeg_segments(data):
        content = segment[4:]
        if marker == 0xE1 and content.startswith(b"Exif\0"):
            exif = exif or content
        elif marker == 0xE2 and content.startswith(_JPEG_PROFILE):
            parts.setdefault(int.from_bytes(content[12:13], "big"), content[14:])
        is_colour_space = (marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 14) or (
            marker == 0xEE and content.startswith(b"Adobe") and len(content) >= 12
        )
        if is_colour_space or not _is_side_segment(marker):
            kept.append(segment)
    profile = b"".join(parts[number] for number in sorted(parts))
    whole = sorted(parts) == list(range(1, len(parts) + 1)) and 0 < len(profile) <= MAX_PROFILE_BYTES
    return BarePicture(b"".join(kept), profile if whole else None, exif)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and all bytes of each segment before the pixels, then the rest of the file as the last one.

    As in libjpeg, bytes between two segments are skipped.
    """
    place = len(JPEG_START)
    while (place := data.find(b"\xff", place)) >= 0:
        while data[place : place + 1] == b"\xff":
            place += 1
        marker = int.from_bytes(data[place : place + 1], "big")
        length = int.from_bytes(data[place + 1 : place + 3], "big")
        if marker in _JPEG_WITHOUT_LENGTH:
            continue
        if marker in (_JPEG_SCAN, 0xD9) or (length < 2 and not _is_side_segment(marker)):
            yield marker, data[place - 1 :]
            return
        length = max(length, 2)
        yield marker, data[place - 1 : place + 1 + length]
        place += 1 + length


def _is_side_segment(marker: int) -> bool:
    """Return whether it is the marker of an application's segment or of a comment."""
    return 0xE0 <= marker <= 0xEF or marker == 0xFE


def _bare_webp(data: bytes) -> BarePicture:
    kept: list[bytes] = []
    profile = exif = None
    frames = 0
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        content = data[place + 8 : place + 8 + length]
        if kind in _WEBP_PIXELS:
            if kind == b"VP8X" and content:
                content = bytes([content[0] & _WEBP_ALPHA_AND_ANIMATION]) + content[1:]
            frames += kind == b"ANMF"
            kept.append(data[place : place + 8] + content + b"\0" * (len(content) % 2))
        elif kind == b"ICCP" and len(content) == length <= MAX_PROFILE_BYTES:
            profile = content
        elif kind == b"EXIF" and len(content) == length:
            exif = content
        place += 8 + length + length % 2
    body = b"WEBP" + b"".join(kept)
    return BarePicture(b"RIFF" + struct.pack("<I", len(body)) + body, profile, exif, max(1, frames))
