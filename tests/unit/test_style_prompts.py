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
    "banksy": "banksy",
    "delaunay": "delaunay",
    "malevich": "malevich",
    "van_gogh": "van_gogh",
    "klimt": "oil",
    "monet": "oil",
    "isometric": "render",
    "gouache": "oil",
    "pastel": "pencil",
    "charcoal": "pencil",
    "linocut": "ink",
}
STRICT = [None, *list(MEDIUM_OF_STYLE)[:10]]
MEDIUM_OF_TYPE = {"image": PLAIN, "painting": "oil", "pixel_art": "pixel_art"}


def what_is_asked(reading: Reading) -> dict[str, object]:
    return {entry.name: getattr(reading, entry.name) for entry in fields(reading) if entry.name != "manner"}


def words_of_the_site(prompt: str, kind: str, style: str | None) -> str:
    settings = {"quality": "normal", "aspect": "square", "strength": 0.75, "negative_prompt": ""}
    [wording] = presets.wordings(prompt, settings | {"type": kind, "style": style})
    return wording.prompt


@pytest.mark.parametrize("style", STRICT)
@pytest.mark.parametrize("kind", presets.TYPES)
def test_the_words_of_the_site_choose_the_medium_and_nothing_else(kind: str, style: str | None) -> None:
    prompt = "a red boat by the sea at night, quixotic | a black and white ship"
    reading = read(words_of_the_site(prompt, kind, style))
    expected = MEDIUM_OF_TYPE[kind]
    # A type without a medium leaves the choice to the style.
    if style is not None and kind != "pixel_art":
        expected = MEDIUM_OF_STYLE[style]
    assert reading.manner == Manner(expected, monochrome=style == "ink")
    assert what_is_asked(reading) == what_is_asked(read(prompt))


@pytest.mark.parametrize("style", presets.STYLES)
def test_no_style_adds_a_motif(style: str) -> None:
    prompt = "a red boat by the sea"
    plain, styled = read(prompt), read(words_of_the_site(prompt, "image", style))
    assert (styled.motifs, styled.times, styled.seasons) == (plain.motifs, plain.times, plain.seasons)
    assert styled.manner.medium == MEDIUM_OF_STYLE.get(style, PLAIN)
