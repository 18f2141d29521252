"""Source images keep their look: orientation and colour profile are applied before they are dropped."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generator.images import decode_source
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
