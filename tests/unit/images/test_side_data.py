"""Side data of pictures (texts, EXIF, profiles, animations of others) never decides about their pixels."""

import io
import struct
import zlib
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms

from shared.images.codec import PictureError, decode_picture, decode_source
from shared.images.side_data import without_side_data

PAINTED = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
NOISE = Image.effect_noise((64, 48), 90).convert("RGB")
BROKEN_EXIF = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0"
EXIF_6 = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes, *, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png(*chunks: bytes, image: Image.Image = PAINTED) -> bytes:
    """Return a PNG with these chunks before its pixels."""
    data = saved(image)
    return data[:33] + b"".join(chunks) + data[33:]


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(*segments: bytes, image: Image.Image = PAINTED, **options: Any) -> bytes:
    data = saved(image, "JPEG", **options)
    return data[:2] + b"".join(segments) + data[2:]


def webp(*chunks: tuple[bytes, bytes], image: Image.Image = PAINTED) -> bytes:
    """Return an extended lossless WebP with these chunks after its pixels."""
    flags = (b"EXIF" in dict(chunks)) * 0x08 | (b"XMP " in dict(chunks)) * 0x04
    extended = struct.pack("<B3x", flags) + b"".join((side - 1).to_bytes(3, "little") for side in image.size)
    pixels = saved(image, "WEBP", lossless=True)[12:]
    body = b"WEBP" + riff(b"VP8X", extended) + pixels + b"".join(riff(kind, content) for kind, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


LARGE = zlib.compress(bytes(1_200_000))
PNGS = {
    "broken EXIF": png(chunk(b"eXIf", b"II*\0\xff\xff\xff\xff")),
    "EXIF that is text": png(chunk(b"eXIf", b"no EXIF at all")),
    "empty EXIF": png(chunk(b"eXIf", b"")),
    "EXIF with a wrong checksum": png(chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0", checksum=1)),
    "text with a wrong checksum": png(chunk(b"tEXt", b"a\0b", checksum=1)),
    "large compressed text": png(chunk(b"zTXt", b"a\0\0" + LARGE)),
    "large international text": png(chunk(b"iTXt", b"a\0\1\0\0\0" + LARGE)),
    "text that is not compressed data": png(chunk(b"zTXt", b"a\0\0junk")),
    "large profile": png(chunk(b"iCCP", b"a\0\0" + LARGE)),
    "profile that is not compressed data": png(chunk(b"iCCP", b"a\0\0junk")),
    "profile without a name's end": png(chunk(b"iCCP", b"profile")),
    "short chunks": png(*(chunk(kind, b"") for kind in (b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"tIME", b"acTL"))),
    "unknown chunk": png(chunk(b"abCd", b"?")),
    "text after the pixels": saved(PAINTED)[:-12] + chunk(b"zTXt", b"a\0\0" + LARGE) + chunk(b"IEND", b""),
    "junk after the end": saved(PAINTED) + b"junk" * 50,
    "second picture after the end": saved(PAINTED) + saved(NOISE),
    "no end": saved(PAINTED)[:-12],
    "half an end": saved(PAINTED)[:-3],
    "no checksum of the pixels": saved(PAINTED)[:-16],
    "transparency of no pixel": png(chunk(b"tRNS", b"")),
    "short transparency": png(chunk(b"tRNS", b"\1")),
    "long transparency": png(chunk(b"tRNS", bytes(99))),
    "transparency before and short": png(chunk(b"tRNS", b"\1"), chunk(b"gAMA", b"")),
    "transparency after the pixels": saved(PAINTED)[:-12] + chunk(b"tRNS", bytes(6)) + chunk(b"IEND", b""),
    "profile after the pixels": saved(PAINTED)[:-12] + chunk(b"gAMA", b"\0\1\x86\xa0") + chunk(b"IEND", b""),
    "suggested palette after the pixels": saved(PAINTED)[:-12] + chunk(b"PLTE", bytes(11)) + chunk(b"IEND", b""),
    "more frames than there can be": png(chunk(b"acTL", b"\xff" * 8)),
}


@pytest.mark.parametrize("data", PNGS.values(), ids=PNGS)
def test_a_png_is_taken_for_its_pixels(data: bytes) -> None:
    assert decode_picture(data, expected_size=(64, 48)).tobytes() == PAINTED.tobytes()
    assert decode_source(data).tobytes() == PAINTED.tobytes()


JPEGS = {
    "without its end": jpeg()[:-2],
    "half of its end": jpeg()[:-1],
    "progressive without its end": jpeg(progressive=True)[:-2],
    "broken EXIF": jpeg(segment(0xE1, BROKEN_EXIF)),
    "EXIF that is text": jpeg(segment(0xE1, b"Exif\0\0no EXIF at all")),
    "broken profile": jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1junk")),
    "second half of a profile": jpeg(segment(0xE2, b"ICC_PROFILE\0\2\2junk")),
    "broken list of pictures": jpeg(segment(0xE2, b"MPF\0II*\0\xff\xff\xff\xff")),
    "broken Photoshop data": jpeg(segment(0xED, b"Photoshop 3.0\x008BIM\xff\xff\xff")),
    "short JFIF": jpeg(segment(0xE0, b"JFIF\0")),
    "short Adobe": jpeg(segment(0xEE, b"Adobe")),
    "comment": jpeg(segment(0xFE, b"\xff\xd9")),
    "segment without a length": jpeg(b"\xff\xe5\0\0"),
    "comment of one byte's length": jpeg(b"\xff\xfe\0\1"),
    "bytes between segments": jpeg(segment(0xFE, b"") + b"\0\0junk"),
    "second picture after the end": jpeg() + jpeg(image=NOISE),
}


@pytest.mark.parametrize("data", JPEGS.values(), ids=JPEGS)
def test_a_jpeg_is_taken_for_its_pixels(data: bytes) -> None:
    plain = decode_source(saved(PAINTED, "JPEG"))
    assert ImageChops.difference(decode_source(data), plain).convert("L").getextrema()[1] <= 2  # type: ignore[operator]


@pytest.mark.parametrize("cut", [3, 20, 200, 700])
def test_a_jpeg_that_lacks_pixels_is_broken(cut: int) -> None:
    for options in ({}, {"progressive": True}):
        with pytest.raises(PictureError) as caught:
            decode_source(jpeg(image=NOISE, **options)[: -2 - cut])
        assert caught.value.code == "picture_broken"


def test_a_photo_with_a_second_picture_is_a_photo() -> None:
    data = saved(PAINTED, "MPO", save_all=True, append_images=[NOISE])
    assert ImageChops.difference(decode_source(data), PAINTED).convert("L").getextrema()[1] < 12  # type: ignore[operator]


WEBPS = {
    "broken EXIF": webp((b"EXIF", BROKEN_EXIF)),
    "broken XMP": webp((b"XMP ", b"\xff<x:")),
    "cut off XMP": webp((b"XMP ", b"<x:xmpmeta>" * 50))[:-100],
    "wrong length of the file": saved(PAINTED, "WEBP", lossless=True).replace(b"RIFF", b"RIFF\xff\xff\xff\x7f", 1)[:8]
    + saved(PAINTED, "WEBP", lossless=True)[8:],
    "unknown chunk": webp((b"abcd", b"?")),
    "reserved flags": webp()[:20] + b"\xc1" + webp()[21:],
    "junk after the end": webp() + b"junk" * 50,
}


@pytest.mark.parametrize("data", WEBPS.values(), ids=WEBPS)
def test_a_webp_is_taken_for_its_pixels(data: bytes) -> None:
    assert decode_source(data).tobytes() == PAINTED.tobytes()


@pytest.mark.parametrize(
    "data", [png(chunk(b"eXIf", EXIF_6[6:])), jpeg(segment(0xE1, EXIF_6)), webp((b"EXIF", EXIF_6[6:]))]
)
def test_the_orientation_is_applied_before_exif_is_dropped(data: bytes) -> None:
    upright = PAINTED.transpose(Image.Transpose.ROTATE_270)
    assert ImageChops.difference(decode_source(data), upright).convert("L").getextrema()[1] < 12  # type: ignore[operator]


def test_every_orientation_is_applied() -> None:
    begins = []
    for value in range(1, 9):
        image = decode_source(png(chunk(b"eXIf", EXIF_6[6:].replace(b"\x06\0\0\0\0\0", bytes([value]) + bytes(5)))))
        begins.append((image.size, image.getpixel((0, 0)), image.getpixel((image.width - 1, 0))))
    dark, light = PAINTED.getpixel((0, 0)), PAINTED.getpixel((0, 47))
    assert [size for size, _, _ in begins] == [(64, 48)] * 4 + [(48, 64)] * 4
    assert [left for _, left, _ in begins] == [dark, dark, light, light, dark, light, light, dark]
    assert [right for _, _, right in begins] == [dark, dark, light, light, light, dark, dark, light]


def test_a_generators_picture_is_not_rotated() -> None:
    data = png(chunk(b"eXIf", EXIF_6[6:]))
    assert decode_picture(data, expected_size=(64, 48)).tobytes() == PAINTED.tobytes()


def test_pixels_of_16_bits_and_palettes_keep_their_transparency() -> None:
    wide = Image.new("I;16", (8, 8), 0x8000)
    wide.putpixel((1, 0), 0x4000)
    data = saved(wide)
    with_clear = data[:33] + chunk(b"tRNS", b"\x40\0") + data[33:]
    image = decode_picture(with_clear, expected_size=(8, 8))
    assert (image.getpixel((0, 0)), image.getpixel((1, 0))) == ((128, 128, 128), (255, 255, 255))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([200, 0, 0, 0, 0, 200])
    palette.putpixel((1, 0), 1)
    image = decode_picture(saved(palette, transparency=bytes([255, 0])), expected_size=(8, 8))
    assert (image.getpixel((0, 0)), image.getpixel((1, 0))) == ((200, 0, 0), (255, 255, 255))


def test_a_wrong_checksum_of_transparency_makes_it_opaque() -> None:
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([200, 0, 0])
    data = png(chunk(b"abCd", b""), image=palette)
    at = data.index(b"IDAT") - 4
    data = data[:at] + chunk(b"tRNS", b"\0", checksum=1) + data[at:]
    assert decode_picture(data, expected_size=(8, 8)).getpixel((0, 0)) == (200, 0, 0)


@pytest.mark.parametrize("length", [0, 3, 200])
def test_transparency_that_does_not_fit_the_palette_is_ignored(length: int) -> None:
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([200, 0, 0, 0, 0, 200])
    data = saved(palette)
    at = data.index(b"IDAT") - 4
    data = data[:at] + chunk(b"tRNS", bytes(length)) + data[at:]
    assert decode_picture(data, expected_size=(8, 8)).getpixel((0, 0)) == (200, 0, 0)


def test_a_palette_without_colours_is_broken() -> None:
    data = saved(Image.new("P", (8, 8), 0))
    at = data.index(b"PLTE") - 4
    without = data[:at] + data[data.index(b"IDAT") - 4 :]
    for decode in (decode_source, lambda data: decode_picture(data, expected_size=(8, 8))):
        with pytest.raises(PictureError, match="picture_broken"):
            decode(without)


def test_a_profile_of_several_segments_is_put_together() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    places = list(pairwise([0, 100, 200, len(profile)]))
    parts = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, len(places)]) + profile[begin:end])
        for number, (begin, end) in enumerate(places, 1)
    ]
    assert without_side_data(jpeg(*reversed(parts))).profile == profile
    assert without_side_data(jpeg(*parts[1:])).profile is None
