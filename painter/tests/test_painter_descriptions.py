"""Descriptions: every word is true of the picture, and the length is what the request allows."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from easel_painter import Painter
from easel_painter.composition import paint_scene
from easel_painter.reading import read
from easel_painter.traits import measure
from generator.engines.base import DescriptionOptions, ImageRequest, Pixels
from tests.support.repeats import repeats

ALL = DescriptionOptions(blip_max_len=64, clip_max_len=64, skip_clip=False, skip_list=())
PROMPTS = (Path(__file__).parents[2] / "docs/prompts.txt").read_text(encoding="utf-8").splitlines()


def flat(red: int, green: int, blue: int) -> Pixels:
    return np.full((64, 64, 3), (red, green, blue), dtype=np.uint8)


def described(prompt: str, options: DescriptionOptions = ALL) -> str:
    return Painter().describe(painted(prompt), _request(prompt), options)


@cache
def painted(prompt: str) -> Pixels:
    return Painter().generate(_request(prompt), lambda done, snapshot=None: None)


def _request(prompt: str) -> ImageRequest:
    return ImageRequest(prompt, "", 88, 88, 2, 7.5, 3)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((205, 30, 30), "red"),
        ((235, 130, 30), "orange"),
        ((120, 70, 30), "brown"),
        ((240, 220, 40), "yellow"),
        ((30, 150, 50), "green"),
        ((30, 180, 170), "turquoise"),
        ((30, 60, 200), "blue"),
        ((10, 20, 60), "dark blue"),
        ((170, 200, 250), "pale blue"),
        ((130, 60, 200), "violet"),
        ((240, 100, 170), "pink"),
        ((0, 0, 0), "black"),
        ((128, 128, 128), "grey"),
        ((255, 255, 255), "white"),
    ],
)
def test_colours_have_their_everyday_names(colour: tuple[int, int, int], name: str) -> None:
    assert measure(flat(*colour)).colours == (name,)
    assert f"in {name}" in Painter().describe(flat(*colour), None, ALL)


def test_colours_are_ordered_by_the_area_they_cover() -> None:
    picture = flat(205, 30, 30)
    picture[:24] = (30, 60, 200)
    assert measure(picture).colours == ("red", "blue")
    picture[:2, :8] = 255
    assert "white" not in measure(picture).colours


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (flat(0, 0, 0), "a dark picture"),
        (flat(255, 255, 255), "a bright picture"),
        (flat(128, 128, 128), "an evenly lit picture"),
        (flat(128, 128, 128), "with soft contrast"),
        (flat(230, 120, 60), "strong warm colours"),
        (flat(120, 140, 180), "cool colours"),
        (flat(128, 128, 128), "muted colours"),
        (flat(128, 128, 128), "symmetrical composition"),
        (flat(128, 128, 128), "large calm areas"),
    ],
)
def test_light_and_colouring_are_measured(picture: Pixels, words: str) -> None:
    assert words in Painter().describe(picture, None, ALL)


def test_composition_is_measured() -> None:
    picture = flat(20, 20, 20)
    picture[20:40, 44:60] = 255
    words = Painter().describe(picture, None, ALL)
    assert "weight on the right" in words
    assert "brightest on the right" in words
    assert "weight on the left" in Painter().describe(picture[:, ::-1].copy(), None, ALL)
    assert "wide format" in Painter().describe(picture[:32], None, ALL)
    assert "tall format" in Painter().describe(picture[:, :32], None, ALL)
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert "rich in detail" in Painter().describe(noise, None, ALL)


def test_what_was_painted_is_named_in_the_words_of_the_prompt() -> None:
    words = described("a lighthouse by the sea at night")
    assert words.startswith("a painting of a lighthouse with the sea")
    assert "at night" in words
    assert described("a lighthouse by the ((sea)) at night").startswith("a painting of the sea with a lighthouse")


@pytest.mark.parametrize(
    ("words", "work", "phrase"),
    [
        ("oil painting", "an oil painting of", "oil on canvas"),
        ("акварель", "a watercolour of", "watercolour on paper"),
        ("pencil sketch", "a pencil drawing of", "pencil on paper"),
        ("mosaic", "a mosaic of", "mosaic"),
    ],
)
def test_the_medium_is_named(words: str, work: str, phrase: str) -> None:
    told = described(f"a lighthouse by the sea, {words}")
    assert told.startswith(f"{work} a lighthouse")
    assert phrase in told.split(", ")


def test_what_is_not_in_the_scene_is_not_named() -> None:
    words = described("a road to the sea with a boat at night")
    assert words.startswith("a painting of the sea with a boat and stars at night")
    assert "road" not in words


@pytest.mark.parametrize("prompt", ["sun at night in the fog with clouds", "sun, moon and stars", "desert"])
def test_a_description_is_never_empty(prompt: str) -> None:
    assert len(described(prompt, DescriptionOptions(64, 0, False, ())).split()) > 5


@pytest.mark.parametrize("number", [*range(0, len(PROMPTS), 4), *repeats(*(n for n in range(len(PROMPTS)) if n % 4))])
def test_what_a_scene_contains_does_not_depend_on_its_size(number: int) -> None:
    """For a description, the scene is painted small."""
    shown = [
        set(paint_scene(ImageRequest(PROMPTS[number], "", side, side, 1, 7.5, number), read(PROMPTS[number])).shown)
        for side in (96, 320)
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("most", [5, 8, 12, 20])
def test_the_sentence_has_at_most_so_many_words(most: int) -> None:
    words = described("a castle by the sea with a boat at sunset", DescriptionOptions(most, 0, False, ())).split()
    assert 5 <= len(words) <= most
    assert words[-1] not in ("a", "and", "the", "in", "with", "of")


@pytest.mark.parametrize("most", [0, 1, 3])
def test_so_many_phrases_follow(most: int) -> None:
    sentence = described("a lake", DescriptionOptions(64, 0, False, ()))
    longer = described("a lake", DescriptionOptions(64, most, False, ()))
    assert longer.startswith(sentence)
    assert len([phrase for phrase in longer[len(sentence) :].split(", ") if phrase]) == most


def test_no_phrases_at_all() -> None:
    assert described("a lake", DescriptionOptions(64, 16, True, ())) == described(
        "a lake", DescriptionOptions(64, 0, False, ())
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [("mediums", "painting"), ("artists", "by the built-in painter"), ("movements", "figurative art")],
)
def test_kinds_of_phrases_are_left_out(kind: str, words: str) -> None:
    sentence = described("a lake", DescriptionOptions(64, 0, False, ()))
    assert words in described("a lake")[len(sentence) :]
    assert words not in described("a lake", DescriptionOptions(64, 64, False, (kind,)))[len(sentence) :]


def test_skipping_trendings_changes_nothing() -> None:
    assert described("a lake, trending") == described(
        "a lake, trending", DescriptionOptions(64, 64, False, ("trendings",))
    )


def test_an_abstract_picture_is_called_abstract() -> None:
    words = described("abstract, quixotic")
    assert words.startswith("an abstract painting in ")
    assert "abstract art" in words
