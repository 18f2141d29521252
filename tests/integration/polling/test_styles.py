"""Jobs with a style for each picture and with the reduction to pixel art, at generators of several protocols."""

import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from shared.api.presets import STYLES, TYPES
from shared.gallery import store as gallery_store
from shared.images.recipe import read_recipe
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from shared.testing.fake_openai import FakeOpenAi
from tests.support.poller import Poller
from tests.support.world import World


@pytest.fixture
def openai(services: Services) -> Iterator[Poller]:
    with FakeOpenAi() as fake:
        poller = Poller(services, (fake.address,))
        poller.sweep()
        yield poller
        poller.close_clients()


def recipes(world: World, job_id: UUID) -> list[dict[str, Any]]:
    found = [read_recipe(world.services.storage.get(image.key, 10**6)) for image in world.images(job_id)]
    return [recipe for recipe in found if recipe is not None]


def check_styles(world: World, job_id: UUID, keys: list[str]) -> None:
    """Check that picture k has the style k, with its words, its strength and its seed."""
    world.check_one_set(job_id, len(keys))
    world.check_books()
    for index, (recipe, key) in enumerate(zip(recipes(world, job_id), keys, strict=True)):
        style = STYLES[key]
        assert (recipe["prompt"], recipe["sent_prompt"]) == ("a fox", f"a fox, {style.words}")
        assert (recipe["negative_prompt"], recipe["sent_negative_prompt"]) == (
            "fog",
            f"fog, {style.negative_words}" if style.negative_words else "fog",
        )
        own = {name: recipe["settings"][name] for name in ("style", "strength")}
        assert own == {"style": key, "strength": style.values.get("strength", 0.75)}
        assert (recipe["index"], recipe["seed"]) == (index, 7 + index)


def test_a_list_of_styles_is_a_picture_in_each(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=2)
    keys = ["banksy", "oil", "van_gogh"]
    job_id = world.submit(world.user(), prompt="a fox", negative_prompt="fog", style=keys, seed=7)
    world.finish(job_id)
    check_styles(world, job_id, keys)
    assert generator.counts["initiated"] == 3
    world.sql("UPDATE jobs SET published_at = clock_timestamp() WHERE id = :id", id=job_id)
    with world.services.db.statement() as connection:
        [item] = gallery_store.list_shown(connection, after=None, limit=2)
    assert item.style == keys


def test_one_style_that_fails_costs_an_attempt_of_all(world: World, generator: FakeGenerator) -> None:
    generator.plans.extend([Plan(), Plan(ending="error")])
    keys = ["oil", "ink"]
    job_id = world.submit(world.user(), prompt="a fox", negative_prompt="fog", style=keys, seed=7)
    world.finish(job_id)
    assert world.row(job_id).attempts == 2
    check_styles(world, job_id, keys)


def test_a_generator_that_draws_at_once_is_asked_for_each_style(world: World, openai: Poller) -> None:
    keys = ["banksy", "oil"]
    job_id = world.submit(world.user(), prompt="a fox", negative_prompt="fog", style=keys, seed=7)
    world.finish(job_id, poller=openai)
    check_styles(world, job_id, keys)


@pytest.mark.parametrize("draws", [False, True])
def test_pixel_art_is_reduced_whatever_the_generator(world: World, openai: Poller, *, draws: bool) -> None:
    pixel_art = {"cells": 32, "colours": 8}
    job_id = world.submit(world.user(), type="pixel_art", pixel_art=pixel_art)
    world.finish(job_id, poller=openai if draws else None)
    [image] = world.images(job_id)
    with Image.open(io.BytesIO(world.services.storage.get(image.key, 10**6))) as picture:
        assert (picture.mode, picture.size) == ("P", (64, 64))
        plain = picture.convert("RGB")
        cells = plain.resize((32, 32), Image.Resampling.NEAREST)
        assert plain.tobytes() == cells.resize((64, 64), Image.Resampling.NEAREST).tobytes()
        assert len(plain.getcolors() or []) <= 8
    [recipe] = recipes(world, job_id)
    assert recipe["settings"]["pixel_art"] == pixel_art
    assert recipe["sent_prompt"].endswith(TYPES["pixel_art"].words)
