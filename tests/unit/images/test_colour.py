"""Pictures are converted to sRGB before their colour profile is dropped, and say that they are sRGB."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from shared.images.codec import Recipe, decode_picture, decode_source, encode_png, source_png, thumbnail_webp
from tests.support.colour_profiles import DISPLAY_P3, GREY_INK, LINEAR_GREY

P3_RED = (234, 51, 35)
"""sRGB's red in the numbers of Display P3."""


def saved(image: Image.Image, kind: str, profile: bytes) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, icc_profile=profile, **({"lossless": True} if kind == "WEBP" else {"quality": 100}))
    return buffer.getvalue()


def pixel(image: Image.Image) -> tuple[int, ...]:
    assert image.mode == "RGB"
    assert image.info == {}
    found = image.getpixel((3, 3))
    assert isinstance(found, tuple)
    return tuple(map(int, found))


def near(wanted: tuple[int, ...], *, within: int = 2) -> list[object]:
    return [pytest.approx(value, abs=within) for value in wanted]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_display_p3_becomes_srgb(kind: str) -> None:
    data = saved(Image.new("RGB", (16, 16), P3_RED), kind, DISPLAY_P3)
    assert list(pixel(decode_source(data))) == near((255, 0, 0))
    assert list(pixel(decode_picture(source_png(data), expected_size=(16, 16)))) == near((255, 0, 0))


def test_a_generators_picture_becomes_srgb() -> None:
    data = saved(Image.new("RGB", (16, 16), P3_RED), "PNG", DISPLAY_P3)
    assert list(pixel(decode_picture(data, expected_size=(16, 16)))) == near((255, 0, 0))


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGBA", (16, 16), (*P3_RED, 255)),
        Image.new("RGB", (16, 16), P3_RED).quantize(2),
    ],
    ids=["RGBA", "palette"],
)
def test_other_modes_with_an_rgb_profile_become_srgb(image: Image.Image) -> None:
    assert list(pixel(decode_source(saved(image, "PNG", DISPLAY_P3)))) == near((255, 0, 0))


def test_transparent_pixels_are_white_after_the_conversion() -> None:
    half = Image.new("RGBA", (16, 16), (*P3_RED, 128))
    assert list(pixel(decode_source(saved(half, "PNG", DISPLAY_P3)))) == near((255, 127, 127))


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_converted(mode: str) -> None:
    grey = Image.new(mode, (16, 16), 55 if mode == "L" else (55, 255))
    assert list(pixel(decode_source(saved(grey, "PNG", LINEAR_GREY)))) == near((128, 128, 128))


def test_grey_of_16_bits_is_converted() -> None:
    data = saved(Image.new("I;16", (16, 16), 55 * 256), "PNG", LINEAR_GREY)
    assert list(pixel(decode_picture(data, expected_size=(16, 16)))) == near((128, 128, 128))


def test_a_profile_of_inks_is_converted() -> None:
    data = saved(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG", GREY_INK)
    red, green, blue = pixel(decode_source(data))
    assert max(red, green, blue) - min(red, green, blue) <= 3
    assert 110 < green < 130


@pytest.mark.parametrize(
    ("image", "profile"),
    [
        (Image.new("RGB", (16, 16), (10, 20, 30)), b"no profile"),
        (Image.new("RGB", (16, 16), (10, 20, 30)), DISPLAY_P3[:200]),
        (Image.new("RGB", (16, 16), (10, 20, 30)), GREY_INK),
        (Image.new("RGB", (16, 16), (10, 20, 30)), LINEAR_GREY),
    ],
    ids=["junk", "cut off", "of inks", "of grey"],
)
def test_an_unusable_profile_is_ignored(image: Image.Image, profile: bytes) -> None:
    assert pixel(decode_source(saved(image, "PNG", profile))) == (10, 20, 30)


def test_inks_with_a_profile_for_a_screen_are_converted_without_it() -> None:
    data = saved(Image.new("CMYK", (16, 16), (0, 0, 0, 0)), "JPEG", DISPLAY_P3)
    assert list(pixel(decode_source(data))) == near((255, 255, 255))


def test_srgb_stays_as_it_is() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(Image.new("RGB", (16, 16), (10, 200, 30)), "PNG", profile)
    assert list(pixel(decode_source(data))) == near((10, 200, 30), within=1)


def test_stored_pictures_say_that_they_are_srgb() -> None:
    image = decode_source(saved(Image.new("RGB", (16, 16), P3_RED), "PNG", DISPLAY_P3))
    recipe = Recipe("a", "", {}, 1, 0, "g", "j", "t")
    for data in (encode_png(image, recipe), source_png(saved(image, "PNG", DISPLAY_P3))):
        said = b"\0\0\0\1sRGB\0"
        assert data.index(said + zlib.crc32(b"sRGB\0").to_bytes(4, "big")) < data.index(b"IDAT")
        assert b"iCCP" not in data
    with Image.open(io.BytesIO(thumbnail_webp(image))) as thumbnail:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(thumbnail.info["icc_profile"]))
        assert ImageCms.getProfileDescription(profile).strip() == "sRGB"
        converted = ImageCms.profileToProfile(thumbnail.convert("RGB"), profile, ImageCms.createProfile("sRGB"))
        assert converted is not None
        red, green, blue = converted.getpixel((3, 3))  # type: ignore[misc]
        assert [red, green, blue] == near((255, 0, 0), within=3)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def declaring(colour: tuple[int, ...], *chunks: bytes) -> bytes:
    """Return a PNG of one colour with these chunks before its pixels."""
    buffer = io.BytesIO()
    Image.new("RGB" if len(colour) == 3 else "L", (16, 16), colour).save(buffer, "PNG")
    data = buffer.getvalue()
    return data[:33] + b"".join(chunks) + data[33:]


def whole(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


LINEAR, USUAL = chunk(b"gAMA", whole(100_000)), chunk(b"gAMA", whole(45_455))
OF_P3 = chunk(b"cHRM", whole(31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000))
OF_SRGB = chunk(b"cHRM", whole(31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000))
GREY_55 = (55, 55, 55)


@pytest.mark.parametrize(
    ("colour", "chunks", "wanted"),
    [
        (GREY_55, (LINEAR,), (128, 128, 128)),
        ((55,), (LINEAR,), (128, 128, 128)),
        (GREY_55, (LINEAR, OF_SRGB), (128, 128, 128)),
        (GREY_55, (USUAL, OF_SRGB), GREY_55),
        (GREY_55, (USUAL,), GREY_55),
        (P3_RED, (USUAL, OF_P3), (255, 0, 0)),
        (P3_RED, (chunk(b"cICP", bytes([12, 13, 0, 1])),), (255, 0, 0)),
        (GREY_55, (chunk(b"cICP", bytes([1, 8, 0, 1])),), (128, 128, 128)),
        (GREY_55, (LINEAR, chunk(b"cICP", bytes([1, 13, 0, 1]))), GREY_55),
        (GREY_55, (LINEAR, chunk(b"sRGB", b"\0")), GREY_55),
        (P3_RED, (LINEAR, chunk(b"iCCP", b"p\0\0" + zlib.compress(DISPLAY_P3))), (255, 0, 0)),
    ],
)
def test_colours_that_a_png_declares_in_numbers_become_srgb(
    colour: tuple[int, ...], chunks: tuple[bytes, ...], wanted: tuple[int, ...]
) -> None:
    data = declaring(colour, *chunks)
    assert list(pixel(decode_source(data))) == near(wanted)
    assert list(pixel(decode_picture(data, expected_size=(16, 16)))) == near(wanted)


@pytest.mark.parametrize(
    "chunks",
    [
        (chunk(b"gAMA", whole(0)),),
        (chunk(b"gAMA", b""),),
        (OF_P3,),
        (USUAL, chunk(b"cHRM", whole(*[0] * 8))),
        (USUAL, chunk(b"cHRM", whole(*[30_000] * 8))),
        (chunk(b"cICP", bytes([9, 16, 0, 1])),),
        (chunk(b"cICP", bytes([12, 13, 0])),),
    ],
)
def test_numbers_that_describe_no_screen_are_ignored(chunks: tuple[bytes, ...]) -> None:
    assert pixel(decode_source(declaring((10, 200, 30), *chunks))) == (10, 200, 30)


def test_grey_of_16_bits_with_transparency_is_converted() -> None:
    rows = b"".join(b"\0" + struct.pack(">HH", 55 * 256, 65_535) * 16 for _ in range(16))
    header = struct.pack(">IIBBBBB", 16, 16, 16, 4, 0, 0, 0)
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(LINEAR_GREY))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + profile + chunk(b"IDAT", zlib.compress(rows))
    assert list(pixel(decode_source(data))) == near((128, 128, 128))
