"""What the first bytes of a start picture say about it, without Pillow."""

import io
import struct
import subprocess
import sys
from typing import Any

import pytest
from PIL import Image

from generator.images import MIN_SOURCE_SIDE_PX as GENERATORS_MIN_SIDE_PX
from generator.request import MAX_OUTPUT_PIXELS as GENERATORS_MAX_OUTPUT_PIXELS
from generator.request import MAX_PROMPT as GENERATORS_MAX_PROMPT
from shared.generators import abilities
from shared.images.codec import PictureError, source_png
from shared.images.png import png_size
from shared.images.source_rules import HEAD_BYTES, MIN_SOURCE_SIDE_PX, check_head


def saved(size: tuple[int, int], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "green").save(buffer, kind, **options)
    return buffer.getvalue()


def animation(kind: str, frames: int = 2) -> bytes:
    others = [Image.effect_noise((300, 300), 90 + k).convert("RGB") for k in range(1, frames)]
    return saved((300, 300), kind, save_all=True, append_images=others)


def code_of(data: bytes) -> str | None:
    try:
        check_head(data[:HEAD_BYTES])
    except PictureError as error:
        return error.code
    return None


KINDS = [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("WEBP", {"lossless": True})]
SIZES = [
    ((1, 1), "picture_too_small"),
    ((4000, 6), "picture_too_small"),
    ((4000, 15), "picture_too_small"),
    ((4096, 16), None),
    ((7, 8), "picture_too_small"),
    ((8, 8), None),
    ((8, 2048), None),
    ((8, 2049), "picture_too_small"),
    ((500, 300), None),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize(("size", "code"), SIZES)
def test_the_first_bytes_and_the_whole_picture_are_judged_alike(
    kind: str, options: dict[str, Any], size: tuple[int, int], code: str | None
) -> None:
    data = saved(size, kind, **options)
    assert code_of(data) == code
    if code is None:
        sent = png_size(source_png(data))
        assert sent is not None
        assert min(sent) >= GENERATORS_MIN_SIDE_PX
    else:
        with pytest.raises(PictureError) as caught:
            source_png(data)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (saved((64, 64), "GIF"), "picture_wrong_format"),
        (struct.pack(">I", 24) + b"ftypheic" + bytes(200), "picture_wrong_format"),
        (b"", "picture_wrong_format"),
        (animation("PNG"), "picture_animated"),
        (animation("WEBP", 4), "picture_animated"),
        (saved((9000, 9000), "PNG"), "picture_too_many_pixels"),
    ],
    ids=["GIF", "HEIC", "empty", "APNG", "animated WebP", "large"],
)
def test_what_rules_a_picture_out(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_photo_with_side_data_before_its_size_is_left_for_the_decoder() -> None:
    late = saved((1, 1), "JPEG", icc_profile=bytes(HEAD_BYTES))
    assert code_of(late) is None


@pytest.mark.parametrize("cut", [3, 12, 20, 30, 40])
def test_the_begin_of_a_picture_is_enough_or_says_nothing(cut: int) -> None:
    for kind, options in KINDS:
        data = saved((64, 64), kind, **options)
        assert code_of(data[:cut]) in (None, "picture_wrong_format")


def test_the_generator_declares_the_same_limits() -> None:
    assert MIN_SOURCE_SIDE_PX == GENERATORS_MIN_SIDE_PX
    assert abilities.MAX_PROMPT_CHARACTERS == GENERATORS_MAX_PROMPT
    assert abilities.MAX_OUTPUT_PIXELS == GENERATORS_MAX_OUTPUT_PIXELS


def test_it_loads_no_pillow() -> None:
    code = "import sys, shared.images.source_rules; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
