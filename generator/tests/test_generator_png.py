"""The PNGs that the generator encodes itself."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from generator.engines.base import Pixels
from generator.images import decode_source, encode_png


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def smooth(height: int, width: int) -> Pixels:
    return np.asarray(Image.fromarray(noise(8, 8)).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    "pixels",
    [
        noise(1, 1),
        noise(1, 40),
        noise(40, 1),
        noise(64, 96),
        smooth(512, 512),
        np.zeros((16, 24, 3), np.uint8),
        np.full((16, 24, 3), 255, np.uint8),
        noise(64, 96)[::2, ::3],
        noise(64, 96).transpose(1, 0, 2),
    ],
)
def test_every_picture_comes_back_pixel_by_pixel(pixels: Pixels) -> None:
    data = encode_png(pixels)
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
        assert np.array_equal(np.asarray(image), pixels)


def test_equal_pictures_have_equal_bytes_and_are_read_as_sources() -> None:
    pixels = smooth(64, 96)
    assert encode_png(pixels) == encode_png(pixels[::-1][::-1])
    assert np.array_equal(decode_source(encode_png(pixels)), pixels)


def test_smooth_pictures_are_much_smaller_than_their_pixels() -> None:
    pixels = smooth(512, 512)
    size = len(encode_png(pixels))
    assert size < pixels.size / 2
    assert size < len(zlib.compress(pixels.tobytes(), 1))
