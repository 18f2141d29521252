"""What a picture's file says of its origin, as Pillow reads it."""

import io
from typing import Any

import pytest
from PIL import Image

from shared.images.codec import Recipe, encode_png, thumbnail_webp
from shared.images.origin import origin_xmp

PICTURE = Image.new("RGB", (8, 8), "green")
TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "prompt": "a fox",
        "negative_prompt": "",
        "settings": {"strength": 0.5, "upscale": 1},
        "seed": 1,
        "index": 0,
        "generator": "img_generator",
        "job_id": "x",
        "created_at": "2026-01-02T03:04:05Z",
        "engine": "diffusion",
    }
    return Recipe(**(values | changes))


def stated(data: bytes) -> str | None:
    with Image.open(io.BytesIO(data)) as image:
        found = image.getxmp()
    return found["xmpmeta"]["RDF"]["Description"]["DigitalSourceType"].removeprefix(TERMS) if found else None


ENLARGED = {"strength": -1, "upscale": 2}


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({}, "trainedAlgorithmicMedia"),
        ({"engine": None}, "trainedAlgorithmicMedia"),
        ({"settings": {"upscale": 2, "strength": -1, "scene": {"place": "park"}}}, "trainedAlgorithmicMedia"),
        ({"source_images": 1}, "compositeWithTrainedAlgorithmicMedia"),
        ({"engine": "painter"}, "algorithmicMedia"),
        ({"engine": "painter", "source_images": 2}, "compositeSynthetic"),
        ({"source_images": 1, "settings": ENLARGED}, "algorithmicallyEnhanced"),
        ({"source_images": 1, "settings": {**ENLARGED, "upscale": None}}, None),
        ({"source_images": 1, "settings": {**ENLARGED, "upscale": 1}}, None),
    ],
)
def test_the_picture_and_its_thumbnail_say_how_they_came_about(changes: dict[str, Any], source: str | None) -> None:
    made = recipe(**changes)
    assert stated(encode_png(PICTURE, made)) == source
    assert stated(thumbnail_webp(PICTURE, made)) == source


def test_the_statement_names_nothing_else() -> None:
    assert origin_xmp(recipe()) == origin_xmp(recipe(prompt="another", seed=7, job_id="y"))


def test_a_thumbnail_without_a_recipe_states_nothing() -> None:
    assert stated(thumbnail_webp(PICTURE)) is None
