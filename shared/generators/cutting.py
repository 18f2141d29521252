"""Pictures that are parts of the one that a generator sent."""

import io
from collections.abc import Iterable

from shared.generators.base import GeneratorBroken
from shared.images.codec import PictureError, decode_picture, read_size


def sheet_size(sheet: bytes) -> tuple[int, int]:
    """Return width and height in pixels of a picture that is to be cut. Raises GeneratorBroken."""
    try:
        return read_size(sheet)
    except PictureError as error:
        raise _bad_sheet(error) from None


def cut(
    sheet: bytes, sheet_px: tuple[int, int], corners: Iterable[tuple[int, int]], part_px: tuple[int, int]
) -> tuple[bytes, ...]:
    """Return the parts at these corners (left, top) as PNG files; sizes are (width, height) in pixels.

    Raises:
        GeneratorBroken: It is not a complete picture of the sheet's size.
    """
    try:
        image = decode_picture(sheet, expected_size=sheet_px)
    except PictureError as error:
        raise _bad_sheet(error) from None
    parts = []
    for left, top in corners:
        buffer = io.BytesIO()
        image.crop((left, top, left + part_px[0], top + part_px[1])).save(buffer, "PNG", compress_level=1)
        parts.append(buffer.getvalue())
    return tuple(parts)


def _bad_sheet(error: PictureError) -> GeneratorBroken:
    message = "The generator's picture, which has to be cut, is incomplete or not of its size."
    return GeneratorBroken("generator_bad_sheet", message, lasting=not error.damaged)
