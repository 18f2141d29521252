"""Decoding untrusted pictures, and encoding our own."""

import contextlib
import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zlib
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from shared.images.codec import (
    PictureError,
    Recipe,
    decode_picture,
    decode_source,
    encode_png,
    read_recipe,
    read_size,
    source_png,
    thumbnail_webp,
    to_png,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int, height: int) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_chunks(*chunks: bytes) -> bytes:
    """Return a valid 8x8 picture with these chunks before its pixels."""
    data = saved(Image.new("RGB", (8, 8)))
    return data[:33] + b"".join(chunks) + data[33:]


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "prompt": "a lighthouse",
        "negative_prompt": "fog",
        "settings": {"steps": 30, "scale": 7.5, "width": 512, "height": 512, "upscale": 1},
        "seed": 11,
        "index": 0,
        "generator": "img_generator",
        "job_id": "01890000-0000-7000-8000-000000000000",
        "created_at": "2026-01-02T03:04:05Z",
        "engine": "painter",
    }
    return Recipe(**(values | changes))


PAINTED = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
ANIMATED = saved(PAINTED, save_all=True, append_images=[Image.new("RGB", (64, 48), "red")])
NOISE = Image.effect_noise((64, 48), 90)


def test_it_works() -> None:
    image = decode_picture(saved(PAINTED), expected_size=(64, 48))
    assert (image.mode, image.size, image.tobytes()) == ("RGB", (64, 48), PAINTED.tobytes())


BAD_PNGS = {
    "empty": (b"", "picture_wrong_format"),
    "text": (b"<html>", "picture_wrong_format"),
    "signature alone": (SIGNATURE, "picture_wrong_format"),
    "JPEG of another size": (saved(PAINTED.resize((48, 64)), "JPEG"), "picture_wrong_size"),
    "JPEG truncated": (saved(NOISE, "JPEG")[:-900], "picture_broken"),
    "WebP of another size": (saved(PAINTED.resize((48, 64)), "WEBP"), "picture_wrong_size"),
    "WebP animation": (
        saved(PAINTED, "WEBP", save_all=True, append_images=[Image.new("RGB", (64, 48), "red")]),
        "picture_animated",
    ),
    "JPEG that claims many pixels": (
        saved(PAINTED, "JPEG").replace(struct.pack(">BHH", 8, 48, 64), struct.pack(">BHH", 8, 60_000, 60_000)),
        "picture_too_many_pixels",
    ),
    "GIF": (saved(PAINTED, "GIF"), "picture_wrong_format"),
    "other first chunk": (SIGNATURE + chunk(b"tEXt", b"a\0" + b"b" * 40), "picture_wrong_format"),
    "other size": (saved(PAINTED.resize((48, 64))), "picture_wrong_size"),
    "size in the header only": (header(64, 48), "picture_broken"),
    "bomb of pixels": (header(60_000, 60_000) + chunk(b"IDAT", zlib.compress(bytes(10**6))), "picture_too_many_pixels"),
    "largest numbers": (header(2**31 - 1, 2**31 - 1), "picture_too_many_pixels"),
    "second header": (
        header(64, 48) + header(60_000, 60_000)[8:] + saved(PAINTED)[33:],
        "picture_too_many_pixels",
    ),
    "truncated": (saved(NOISE.convert("RGB"))[:-900], "picture_broken"),
    "junk pixels": (header(64, 48) + chunk(b"IDAT", b"junk") + chunk(b"IEND", b""), "picture_broken"),
    "wrong checksum": (saved(PAINTED)[:29] + b"\0\0\0\0" + saved(PAINTED)[33:], "picture_broken"),
    "animation": (ANIMATED, "picture_animated"),
    "too many bytes": (saved(PAINTED) + bytes(3_000_000), "picture_too_large"),
    "zero wide": (header(0, 48) + chunk(b"IDAT", b""), "picture_wrong_size"),
}


@pytest.mark.parametrize(("data", "code"), BAD_PNGS.values(), ids=BAD_PNGS)
def test_an_invalid_png_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode_picture(data, expected_size=(64, 48))
    assert caught.value.code == code


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_other_kinds_of_picture_are_read(kind: str) -> None:
    data = saved(PAINTED, kind)
    assert decode_picture(data, expected_size=(64, 48)).size == read_size(data) == (64, 48)
    with Image.open(io.BytesIO(to_png(data, expected_size=(64, 48)))) as image:
        assert (image.format, image.size) == ("PNG", (64, 48))
    png = saved(PAINTED)
    assert to_png(png, expected_size=(64, 48)) is png


def test_a_turned_jpeg_has_the_size_that_is_shown() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    data = saved(PAINTED, "JPEG", exif=turned)
    assert decode_picture(data, expected_size=(48, 64)).size == read_size(data) == (48, 64)


def test_without_an_expected_size_the_pixel_limit_applies() -> None:
    assert decode_picture(saved(PAINTED), expected_size=None).size == (64, 48)
    with pytest.raises(PictureError) as caught:
        decode_picture(header(8193, 8192), expected_size=None)
    assert caught.value.code == "picture_too_many_pixels"


@pytest.mark.parametrize(
    "bad",
    [
        chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(20_000_000))),
        chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000))),
        chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(20_000_000))),
    ],
    ids=["iTXt", "zTXt", "iCCP"],
)
def test_a_decompression_bomb_in_a_chunk_is_not_expanded(bad: bytes) -> None:
    """Either the picture is refused, or the chunk is skipped: its 20 MB are never allocated."""
    tracemalloc.start()
    with contextlib.suppress(PictureError):
        assert decode_picture(with_chunks(bad), expected_size=(8, 8)).info == {}
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8_000_000


@given(place=st.integers(8, 400), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_damage_is_a_picture_error_or_harmless(place: int, value: int, cut: int) -> None:
    data = bytearray(saved(NOISE.resize((12, 10)).convert("P"), compress_level=1))
    data[place % len(data)] = value
    try:
        image = decode_picture(bytes(data[: len(data) - cut % 100]), expected_size=(12, 10))
    except PictureError:
        return
    assert (image.mode, image.size) == ("RGB", (12, 10))


@pytest.mark.parametrize(
    ("image", "pixel"),
    [
        (Image.new("1", (8, 8), 1), (255, 255, 255)),
        (Image.new("L", (8, 8), 100), (100, 100, 100)),
        (Image.new("LA", (8, 8), (100, 0)), (255, 255, 255)),
        (Image.new("RGBA", (8, 8), (200, 0, 0, 255)), (200, 0, 0)),
        (Image.new("RGBA", (8, 8), (200, 0, 0, 0)), (255, 255, 255)),
        (Image.new("I;16", (8, 8), 0x8000), (128, 128, 128)),
        (Image.new("RGB", (8, 8), (10, 20, 30)).quantize(4), (10, 20, 30)),
    ],
    ids=["1 bit", "grey", "transparent grey", "opaque", "transparent", "16 bits", "palette"],
)
def test_every_mode_becomes_rgb(image: Image.Image, pixel: tuple[int, int, int]) -> None:
    decoded = decode_picture(saved(image), expected_size=(8, 8))
    assert (decoded.mode, decoded.getpixel((3, 3))) == ("RGB", pixel)


def test_a_transparent_palette_colour_becomes_white() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([200, 0, 0])
    assert decode_picture(saved(image, transparency=0), expected_size=(8, 8)).getpixel((0, 0)) == (255, 255, 255)


def photo(kind: str, **options: Any) -> bytes:
    """Return a photo with an EXIF rotation, red on its left half, with GPS data and a colour profile."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "secret camera"
    return saved(image, kind, exif=exif, icc_profile=b"secret profile" * 20, **options)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_upload_becomes_upright_and_loses_its_metadata(kind: str) -> None:
    data = source_png(photo(kind))
    assert b"secret" not in data
    assert {name for name in (b"eXIf", b"iCCP", b"tEXt", b"iTXt", b"zTXt") if name in data} == set()
    image = decode_picture(data, expected_size=(20, 40))
    red, _, blue = cast(tuple[int, int, int], image.getpixel((10, 5)))
    assert red > 200 > blue


def test_a_large_upload_is_shrunk() -> None:
    data = source_png(saved(Image.new("RGB", (3000, 1500), "green"), "JPEG"))
    assert decode_picture(data, expected_size=None).size == (2048, 1024)
    assert decode_picture(source_png(data, max_side_px=256), expected_size=None).size == (256, 128)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "picture_wrong_format"),
        (b"RIFF\0\0\0\0WAVEfmt ", "picture_wrong_format"),
        (saved(PAINTED, "GIF"), "picture_wrong_format"),
        (saved(PAINTED, "TIFF"), "picture_wrong_format"),
        (saved(PAINTED, "BMP"), "picture_wrong_format"),
        (b"%!PS-Adobe", "picture_wrong_format"),
        (b"\xff\xd8\xff" + bytes(100), "picture_broken"),
        (saved(NOISE, "JPEG")[:-500], "picture_broken"),
        (saved(NOISE, "WEBP")[:-500], "picture_broken"),
        (header(10_000, 10_000) + chunk(b"IDAT", b""), "picture_too_many_pixels"),
        (header(60_000, 60_000) + chunk(b"IDAT", b""), "picture_too_many_pixels"),
        (ANIMATED, "picture_animated"),
        (saved(PAINTED, "WEBP", save_all=True, append_images=[NOISE]), "picture_animated"),
        (b"\xff\xd8\xff" + bytes(21 * 1024 * 1024), "picture_too_large"),
    ],
)
def test_an_invalid_upload_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode_source(data)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "prompt", ["a lighthouse", "café", "маяк ночью 🌊", "two\nlines", 'Steps: 3, "quoted"', "漢字"]
)
def test_a_recipe_is_read_as_written(prompt: str) -> None:
    wanted = recipe(prompt=prompt, negative_prompt=prompt, description=prompt)
    data = encode_png(PAINTED, wanted)
    found = read_recipe(data)
    assert found is not None
    assert (found["prompt"], found["negative_prompt"], found["description"]) == (prompt, prompt, prompt)
    assert (found["schema"], found["seed"], found["settings"]) == (1, 11, dict(wanted.settings))
    with cast(PngImageFile, Image.open(io.BytesIO(data))) as image:
        line = prompt.replace("\n", " ")  # a second line would be read as settings
        assert image.text["parameters"].startswith(f"{line}\nNegative prompt: {line}\nSteps: 30, ")
        assert json.loads(image.text["easel"]) == found
        assert image.convert("RGB").tobytes() == PAINTED.tobytes()


def test_the_parameters_that_other_programs_read() -> None:
    wanted = recipe(settings={**recipe().settings, "upscale": 2}, engine="a, b", sampler="ddim")
    with cast(PngImageFile, Image.open(io.BytesIO(encode_png(PAINTED, wanted)))) as image:
        assert image.text["parameters"] == (
            "a lighthouse\nNegative prompt: fog\nSteps: 30, Sampler: ddim, CFG scale: 7.5, Seed: 11, Size: 512x512, "
            'Model: "a, b", Hires upscale: 2, Version: Easel'
        )


def test_the_same_picture_is_the_same_bytes() -> None:
    turned = dict(reversed(list(recipe().settings.items())))
    assert encode_png(PAINTED, recipe()) == encode_png(PAINTED.copy(), recipe(settings=turned))


def test_a_recipe_has_a_largest_size() -> None:
    with pytest.raises(ValueError, match="at most"):
        encode_png(PAINTED, recipe(prompt="x" * 300_000))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        saved(PAINTED),
        saved(PAINTED, "JPEG"),
        encode_png(PAINTED, recipe())[:60],
        with_chunks(chunk(b"tEXt", b"easel\0[1]")),
        with_chunks(chunk(b"tEXt", b"easel\0{")),
        with_chunks(chunk(b"tEXt", b"easel\0" + b"[" * 100_000)),
        with_chunks(chunk(b"tEXt", b'easel\0{"a": "' + b"x" * 300_000 + b'"}')),
        with_chunks(chunk(b"tEXt", b'easel\0{"a": 1}')[:-1] + b"!"),
        with_chunks(*[chunk(b"tEXt", b"a\0b")] * 300, chunk(b"tEXt", b'easel\0{"a": 1}')),
    ],
)
def test_an_invalid_recipe_is_not_read(data: bytes) -> None:
    assert read_recipe(data) is None


def test_a_generators_own_text_does_not_come_through() -> None:
    text = PngInfo()
    text.add_text("easel", '{"prompt": "forged"}')
    image = decode_picture(saved(PAINTED, pnginfo=text, icc_profile=b"profile"), expected_size=(64, 48))
    data = encode_png(image, recipe())
    assert data.count(b"tEXteasel\0") == 1
    assert b"iCCP" not in data
    assert (read_recipe(data) or {})["prompt"] == "a lighthouse"


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((512, 512), (512, 512)),
        ((64, 48), (64, 48)),
        ((2048, 1024), (512, 256)),
        ((8192, 8), (512, 1)),
        ((8, 8192), (1, 512)),
    ],
)
def test_a_thumbnail_fits(size: tuple[int, int], small: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "green")
    with Image.open(io.BytesIO(thumbnail_webp(image)), formats=["WEBP"]) as thumbnail:
        assert thumbnail.size == small
    assert image.size == size


def test_reading_a_recipe_loads_no_pillow() -> None:
    code = "import sys, shared.images.recipe; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
