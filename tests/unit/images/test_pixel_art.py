"""The reduction to cells and a palette."""

import io
from itertools import pairwise

import pytest
from PIL import Image

from shared.images import codec
from shared.images.pixel_art import to_pixel_art
from shared.images.recipe import Recipe

RECIPE = Recipe("a fox", "", {}, 1, 0, "img_generator", "id", "2026-01-01T00:00:00+00:00")


def gradient(width: int, height: int) -> Image.Image:
    """Return a picture in which no two pixels of a row or column are equal, as far as 8 bits allow."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height), Image.Resampling.BILINEAR)
    down = Image.linear_gradient("L").resize((width, height), Image.Resampling.BILINEAR)
    return Image.merge("RGB", (across, down, across.point(lambda value: 255 - value)))


@pytest.mark.parametrize(
    ("size", "cells", "cell_px"),
    [((512, 512), 32, 16), ((512, 512), 256, 2), ((768, 432), 64, 12), ((432, 768), 48, 16), ((1024, 1024), 128, 8)],
)
def test_every_cell_is_a_square_of_one_colour(size: tuple[int, int], cells: int, cell_px: int) -> None:
    made = to_pixel_art(gradient(*size), cells=cells, colours=64)
    assert made.size == size
    plain = made.convert("RGB")
    width, height = size
    grid = plain.resize((width // cell_px, height // cell_px), Image.Resampling.NEAREST)
    assert max(grid.size) == cells
    assert plain.tobytes() == grid.resize(size, Image.Resampling.NEAREST).tobytes()


@pytest.mark.parametrize("colours", [8, 16, 64])
def test_the_palette_has_no_more_colours_than_asked_for_and_uses_them(colours: int) -> None:
    made = to_pixel_art(gradient(256, 256), cells=64, colours=colours)
    found = made.convert("RGB").getcolors()
    assert found is not None
    assert colours // 2 <= len(found) <= colours


def test_cells_that_do_not_divide_the_side_differ_by_a_pixel() -> None:
    made = to_pixel_art(gradient(512, 512), cells=100, colours=64)
    grid = made.resize((100, 100), Image.Resampling.NEAREST)
    assert grid.resize((512, 512), Image.Resampling.NEAREST).tobytes() == made.tobytes()
    columns = [made.crop((x, 0, x + 1, 512)).tobytes() for x in range(512)]
    edges = [0, *(x for x in range(1, 512) if columns[x] != columns[x - 1]), 512]
    widths = {after - before for before, after in pairwise(edges)}
    assert {5, 6} <= widths


def test_a_small_picture_has_at_most_one_cell_for_each_pixel() -> None:
    assert to_pixel_art(gradient(64, 64), cells=256, colours=8).size == (64, 64)
    assert to_pixel_art(gradient(2048, 64), cells=32, colours=8).size == (2048, 64)


def test_the_file_has_the_palette() -> None:
    made = to_pixel_art(gradient(512, 512), cells=64, colours=16)
    png = codec.encode_png(made, RECIPE)
    with Image.open(io.BytesIO(png)) as stored:
        assert (stored.mode, stored.size) == ("P", (512, 512))
        assert len(stored.getpalette() or []) <= 16 * 3
        assert stored.convert("RGB").tobytes() == made.convert("RGB").tobytes()
    assert png[24:26] == b"\x04\x03", "4 bits for each pixel, with a palette"
    assert codec.read_recipe(png) is not None
    # What is read again, as for a start picture, is the same.
    assert codec.decode_picture(png, expected_size=(512, 512)).tobytes() == made.convert("RGB").tobytes()


@pytest.mark.parametrize("side", [512, 1024])
def test_the_thumbnail_keeps_the_edges_and_the_colours(side: int) -> None:
    made = to_pixel_art(gradient(side, side), cells=64, colours=8)
    with Image.open(io.BytesIO(codec.thumbnail_webp(made))) as small:
        assert small.size == (512, 512)
        expected = made.convert("RGB").resize((512, 512), Image.Resampling.NEAREST)
        assert small.convert("RGB").tobytes() == expected.tobytes()
