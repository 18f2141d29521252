"""Limits of generators that are known before a job is queued."""

import base64
import secrets
from typing import Any

import pytest

from generator.request import GenerationRequest
from shared.api.schemas import DescriptionOptions, JobRequest
from shared.generators.addresses import PROTOCOLS
from shared.jobs.resolution import new_job


def kinds(**fields: Any) -> set[str]:
    """Return the protocols that support the request."""
    job = new_job(JobRequest(**({"prompt": "x"} | fields)), None, secrets.token_bytes(1))
    return set(job.protocols.split(",")) - {""}


def test_a_prompt_is_measured_with_the_words_of_its_style() -> None:
    parts = " | ".join("x" * 9 for _ in range(160))
    assert len(parts) < 2000
    assert kinds(prompt=parts) == set(PROTOCOLS)
    assert kinds(prompt=parts, style="unreal") == set()
    assert kinds(prompt="x" * 2000, style="unreal") == set(PROTOCOLS)


@pytest.mark.parametrize(
    ("fields", "supported"),
    [
        ({"n": 8, "width": 2048, "height": 2048, "upscale": 2}, True),
        ({"n": 8, "width": 2048, "height": 2048, "upscale": 3}, False),
        ({"n": 2, "width": 2048, "height": 2048, "upscale": 4}, True),
        ({"n": 3, "width": 2048, "height": 2048, "upscale": 4}, False),
    ],
)
def test_all_pictures_together_have_a_limit_of_pixels(fields: dict[str, Any], supported: bool) -> None:
    assert ("img_generator" in kinds(**fields)) is supported


@pytest.mark.parametrize(
    ("name", "sent_as"),
    [
        ("width", "width"),
        ("height", "height"),
        ("steps", "steps"),
        ("scale", "scale"),
        ("upscale", "ups"),
        ("n", "n"),
        ("seed", "seed"),
        ("strength", "strength"),
        ("description.blip_max_len", "blip_max_len"),
        ("description.clip_max_len", "clip_max_len"),
    ],
)
def test_what_the_api_takes_the_generator_takes(name: str, sent_as: str) -> None:
    model, _, field = name.rpartition(".")
    schema = (DescriptionOptions if model else JobRequest).model_json_schema()["properties"][field]
    number = next((kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"), schema)
    picture = base64.b64encode(b"any").decode()
    for value in (number["minimum"], number["maximum"]):
        GenerationRequest.model_validate({"prompt": "x", "imgs": [picture], sent_as: value})
