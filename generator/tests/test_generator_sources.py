"""Source images keep their look: orientation and colour profile are applied before they are dropped."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generator import images
from generator.images import BadImage, decode_source
from tests.support.colour_profiles import DISPLAY_P3, LINEAR_GREY


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "RGB")])
def test_display_p3_becomes_srgb(kind: str, mode: str) -> None:
    image = Image.new("RGB", (16, 16), (234, 51, 35)).convert(mode)
    options = {"quality": 100} if kind == "JPEG" else {}
    found = decode_source(saved(image, kind, icc_profile=DISPLAY_P3, **options))[3, 3]
    assert np.abs(found.astype(int) - (255, 0, 0)).max() <= 2


def test_grey_with_a_profile_becomes_srgb() -> None:
    found = decode_source(saved(Image.new("L", (16, 16), 55), icc_profile=LINEAR_GREY))[3, 3]
    assert np.abs(found.astype(int) - 128).max() <= 2


@pytest.mark.parametrize("profile", [b"junk", DISPLAY_P3[:200], LINEAR_GREY])
def test_an_unusable_profile_is_ignored(profile: bytes) -> None:
    found = decode_source(saved(Image.new("RGB", (16, 16), (10, 20, 30)), icc_profile=profile))[3, 3]
    assert tuple(found) == (10, 20, 30)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("exif", [b"Exif\0\0junk", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_exif_that_cannot_be_read_does_not_count(kind: str, exif: bytes) -> None:
    assert decode_source(saved(Image.new("RGB", (16, 24), "green"), kind, exif=exif)).shape == (24, 16, 3)


def chunk(kind: bytes, data: bytes, *, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


@pytest.mark.parametrize(
    "side",
    [
        chunk(b"tEXt", b"a\0b", checksum=1),
        chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(5_000_000))),
        chunk(b"iCCP", b"a\0\0junk"),
        chunk(b"gAMA", b""),
        chunk(b"tRNS", bytes(6), checksum=1),
    ],
)
def test_side_data_that_cannot_be_read_does_not_count(side: bytes) -> None:
    data = saved(Image.new("RGB", (16, 16), (10, 20, 30)))
    assert tuple(decode_source(data[:33] + side + data[33:])[3, 3]) == (10, 20, 30)


def test_pixels_that_are_damaged_count() -> None:
    data = saved(Image.effect_noise((64, 64), 80).convert("RGB"))
    with pytest.raises(BadImage):
        decode_source(data[: len(data) // 2])


def test_grey_of_16_bits_is_not_clipped() -> None:
    assert tuple(decode_source(saved(Image.new("I;16", (16, 16), 0x4000)))[3, 3]) == (64, 64, 64)


def test_transparent_pixels_are_white_after_the_conversion() -> None:
    image = Image.new("RGBA", (16, 16), (234, 51, 35, 128))
    found = decode_source(saved(image, icc_profile=DISPLAY_P3))[3, 3]
    assert np.abs(found.astype(int) - (255, 127, 127)).max() <= 2


def test_grey_with_transparency_is_converted() -> None:
    found = decode_source(saved(Image.new("LA", (16, 16), (55, 255)), icc_profile=LINEAR_GREY))[3, 3]
    assert np.abs(found.astype(int) - 128).max() <= 2


def test_a_side_has_a_largest_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_SOURCE_SIDE_PX", 32)
    assert decode_source(saved(Image.new("RGB", (32, 16)))).shape == (16, 32, 3)
    with pytest.raises(BadImage, match="side"):
        decode_source(saved(Image.new("RGB", (33, 16))))


def test_a_jpeg_of_too_many_scans_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(Image.new("RGB", (16, 16)), "JPEG", progressive=True)
    assert decode_source(data).shape == (16, 16, 3)
    monkeypatch.setattr(images, "MOST_SCANS", 3)
    with pytest.raises(BadImage, match="scans"):
        decode_source(data)
