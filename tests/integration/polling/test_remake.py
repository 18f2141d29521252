"""A picture of the diffusion engine made again from its PNG, through the whole site."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.api.schemas import JobRequest
from shared.generators.addresses import GeneratorAddress
from shared.images import codec
from shared.images.recipe import read_recipe
from shared.jobs import resolution, submission_store
from tests.support.diffusion_engine import diffusion_engine
from tests.support.world import LIMITS, World


@pytest.fixture
def diffusion(tmp_path: Path) -> Iterator[str]:
    with diffusion_engine(tmp_path) as url:
        yield url


def paint(world: World, request: JobRequest) -> tuple[bytes, dict[str, Any]]:
    """Return the pixels of the picture that the request makes, and its recipe."""
    job = resolution.new_job(request, None, b"", (), resolution.find_defaults(world.services))
    with world.services.db.begin() as connection:
        row = submission_store.queue(connection, world.user(), job, **LIMITS)
    assert row is not None
    world.finish(UUID(row.id), rounds=6000)
    [image] = world.images(UUID(row.id))
    png = world.services.storage.get(image.key, 10**7)
    recipe = read_recipe(png)
    assert recipe is not None
    return codec.decode_picture(png, expected_size=(64, 64)).tobytes(), recipe


def test_the_recipe_gives_equal_pixels(world: World, diffusion: str) -> None:
    world.poller.addresses = (GeneratorAddress("img_generator", diffusion),)
    world.poller.sweep()
    asked = JobRequest(prompt="a (red) house by the sea", negative_prompt="fog", width=64, height=64, style="oil")
    pixels, recipe = paint(world, asked)
    assert (recipe["engine"], recipe["model"], len(recipe["model_revision"])) == ("diffusion", "tiny", 12)
    assert recipe["settings"]["steps"] == 30, "the model's own"
    again = JobRequest(prompt=recipe["prompt"], **recipe["settings"] | {"seed": recipe["seed"]})
    repeated, same = paint(world, again)
    assert repeated == pixels
    assert same["model_revision"] == recipe["model_revision"]
    other, _ = paint(world, again.model_copy(update={"seed": recipe["seed"] ^ 1}))
    assert other != pixels
