"""What sd-parsers, a library that reads the recipes of many programs, finds in a picture of Easel."""

import io
from typing import Any

import pytest
from PIL import Image
from sd_parsers import ParserManager

from shared.images.codec import Recipe, encode_png, read_recipe

PICTURE = Image.new("RGB", (8, 8), "green")


def encoded(**changes: Any) -> bytes:
    values: dict[str, Any] = {
        "prompt": "a lighthouse",
        "negative_prompt": "fog",
        "settings": {"steps": 30, "scale": 7.5, "width": 512, "height": 768, "upscale": 1, "strength": 0.5},
        "seed": 11,
        "index": 0,
        "generator": "img_generator",
        "job_id": "01890000-0000-7000-8000-000000000000",
        "created_at": "2026-01-02T03:04:05Z",
        "sent_prompt": "a lighthouse, pixel art",
    }
    return encode_png(PICTURE, Recipe(**(values | changes)))


def found(data: bytes) -> tuple[Any, ...]:
    """Return prompt, negative prompt, steps, seed, size, sampler and model."""
    info = ParserManager().parse(io.BytesIO(data))
    assert info is not None
    [sampler] = info.samplers
    parameters = sampler.parameters
    model = sampler.model.name if sampler.model else None
    return (
        "\n".join(prompt.value for prompt in sampler.prompts),
        "\n".join(prompt.value for prompt in sampler.negative_prompts),
        parameters["steps"],
        parameters["seed"],
        info.metadata["Size"],
        sampler.name,
        model,
    )


def test_the_words_that_were_sent_are_found() -> None:
    wanted = ("a lighthouse, pixel art", "fog", "30", "11", "512x768", "unknown", None)
    assert found(encoded()) == wanted


def test_names_that_the_generator_reports_are_found() -> None:
    assert found(encoded(engine="painter", sampler="ddim"))[-2:] == ("ddim", "painter")


def test_both_the_typed_and_the_sent_words_are_kept() -> None:
    recipe = read_recipe(encoded(prompt="a\nb", sent_prompt="a\nb, ink"))
    assert recipe is not None
    assert (recipe["prompt"], recipe["sent_prompt"]) == ("a\nb", "a\nb, ink")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a sign\nSteps: 99, Sampler: none, Seed: 1, Size: 1x1", "a sign Steps: 99, Sampler: none, Seed: 1, Size: 1x1"),
        ("a sign\nNegative prompt: none", "a sign Negative prompt : none"),
        ("Negative prompt: none", "Negative prompt : none"),
        ("a\r\nb\u2028c", "a b c"),
        ("маяк, night", "маяк, night"),
    ],
)
def test_a_prompt_does_not_spoil_the_settings(typed: str, read: str) -> None:
    wanted = (read, read, "30", "11", "512x768", "unknown", None)
    assert found(encoded(sent_prompt=typed, negative_prompt=typed)) == wanted
