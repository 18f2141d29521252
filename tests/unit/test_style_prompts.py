"""The words that the site adds for a style or a type choose the painter's medium and nothing else."""

from dataclasses import fields

import pytest

from easel_painter.manner import PLAIN, Manner
from easel_painter.reading import Reading, read
from shared.api import presets

MEDIUM_OF_STYLE = {
    "oil": "oil",
    "watercolour": "watercolour",
    "ink": "ink",
    "pencil": "pencil",
    "low_poly": "low_poly",
    "unreal": "render",
    "artstation": "concept",
    "stained_glass": "stained_glass",
    "mosaic": "mosaic",
    "photo": "photo",
}
MEDIUM_OF_TYPE = {"image": PLAIN, "painting": "oil", "pixel_art": "pixel_art"}


def what_is_asked(reading: Reading) -> dict[str, object]:
    return {entry.name: getattr(reading, entry.name) for entry in fields(reading) if entry.name != "manner"}


@pytest.mark.parametrize("style", [None, *presets.STYLES])
@pytest.mark.parametrize("kind", presets.TYPES)
def test_the_words_of_the_site_choose_the_medium_and_nothing_else(kind: str, style: str | None) -> None:
    prompt = "a red boat by the sea at night, quixotic | a black and white ship"
    reading = read(presets.full_prompt(prompt, {"type": kind, "style": style}))
    expected = MEDIUM_OF_TYPE[kind]
    # A type without a medium leaves the choice to the style.
    if style is not None and kind != "pixel_art":
        expected = MEDIUM_OF_STYLE[style]
    assert reading.manner == Manner(expected, monochrome=style == "ink")
    assert what_is_asked(reading) == what_is_asked(read(prompt))
