"""A picture of the diffusion engine made again from its PNG, through the whole site."""

import subprocess
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
from tests.support.paths import ROOT
from tests.support.reference_generator import reference_generator
from tests.support.world import LIMITS, World

PYTHON = ROOT / ".venv-diffusion" / "bin" / "python"

SAVE = "import sys, pathlib, tiny_models; tiny_models.save(pathlib.Path(sys.argv[1]))"


@pytest.fixture
def diffusion(tmp_path: Path) -> Iterator[str]:
    if not (PYTHON.parent.parent / "stamp").exists():
        pytest.skip("the diffusion engine is not installed; `make diffusion` does that")
    model = tmp_path / "tiny"
    tests = ROOT / "generator" / "tests"
    subprocess.run([str(PYTHON), "-W", "ignore", "-c", SAVE, str(model)], check=True, cwd=tests, capture_output=True)
    own = {"EASEL_MODEL": str(model), "XDG_CACHE_HOME": str(tmp_path), "OMP_WAIT_POLICY": "PASSIVE"}
    with reference_generator("--engine", "diffusion", python=str(PYTHON), **own) as url:
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
