"""What suits the generators' models is what this site shows, asks for and writes into recipes."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

import pytest

from shared.api.presets import GENERAL, Defaults
from shared.api.schemas import JobRequest
from shared.generators.base import Model
from shared.images.recipe import read_recipe
from shared.jobs.options import list_options
from shared.jobs.resolution import find_defaults
from shared.jobs.submission import submit
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.support.world import World

MINI = Model("easel-mini", "0123456789ab", 12, 3.0, 64, 64)
TURBO = Model("turbo", "", 4, 0.0, 512, 512)


@pytest.fixture(autouse=True)
def _asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client of a test ask again although the sweep before it has just asked."""
    monkeypatch.setattr("shared.generators.img_generator.FRESH_S", 0)


def look(world: World) -> None:
    """Let the poller look at the models again."""
    world.sql("UPDATE generators SET look_at = clock_timestamp() - interval '1 s'")
    world.poller.sweep()


def restart_worker(world: World) -> None:
    """Let the poller have new clients, which have asked nothing yet."""
    addresses, world.poller.addresses = world.poller.addresses, ()
    world.poller.close_clients()
    world.poller.pool.forget_removed()
    world.poller.addresses = addresses


def load(generator: FakeGenerator, model: Model | None) -> None:
    generator.extensions = ALL_EXTENSIONS
    generator.model = None if model is None else asdict(model)


@pytest.fixture
def second(world: World, generator: FakeGenerator) -> Iterator[FakeGenerator]:
    with FakeGenerator(extensions=ALL_EXTENSIONS) as fake:
        world.poller.addresses = (generator.address, fake.address)
        yield fake


def fresh(world: World) -> Services:
    """Return services of a process that has read nothing yet."""
    return Services(world.services.settings)


def shown(world: World, name: str) -> dict[str, tuple[Any, ...]]:
    services = fresh(world)
    keys = {"qualities": ("steps", "scale", "upscale"), "aspects": ("width", "height")}[name]
    found = {choice["key"]: tuple(choice[key] for key in keys) for choice in list_options(services)[name]}
    services.db.close()
    return found


def defaults(world: World) -> Defaults:
    services = fresh(world)
    found = find_defaults(services)
    services.db.close()
    return found


def recipe_of(world: World, job_id: UUID) -> dict[str, Any]:
    [image] = world.images(job_id)
    recipe = read_recipe(world.services.storage.get(image.key, 10**6))
    assert recipe is not None
    return recipe


def test_the_presets_are_those_of_the_model(world: World, generator: FakeGenerator) -> None:
    assert shown(world, "qualities")["normal"] == (30, 7.5, 1)
    load(generator, MINI)
    look(world)
    assert shown(world, "qualities") == {
        "draft": (6, 3.0, 1),
        "normal": (12, 3.0, 1),
        "better": (20, 3.0, 1),
        "best": (32, 3.0, 2),
    }
    assert shown(world, "aspects") == {"square": (64, 64), "widescreen": (96, 64), "portrait": (64, 96)}
    services = fresh(world)
    assert list_options(services)["models"] == [asdict(MINI)]
    services.db.close()
    load(generator, None)
    look(world)
    assert defaults(world) == GENERAL


def test_a_submit_that_leaves_them_out_asks_for_what_is_shown(world: World, generator: FakeGenerator) -> None:
    load(generator, MINI)
    look(world)
    credential = world.credential(world.user())
    services = fresh(world)
    job = submit(services, credential, JobRequest(prompt="a lighthouse"), None)
    services.db.close()
    world.finish(UUID(job.id))
    [sent] = generator.requests
    assert {name: sent[name] for name in ("steps", "scale", "width", "height")} == {
        "steps": 12,
        "scale": 3.0,
        "width": 64,
        "height": 64,
    }


def test_a_look_writes_only_what_has_changed(world: World, generator: FakeGenerator) -> None:
    load(generator, MINI)
    look(world)
    generator.down = True
    look(world)
    assert world.sql("SELECT failures, model->>'name' FROM generators") == [(0, "easel-mini")], "a look fails no job"


def test_where_models_differ_each_uses_its_own(world: World, generator: FakeGenerator, second: FakeGenerator) -> None:
    load(generator, MINI)
    load(second, TURBO)
    look(world)
    assert defaults(world) == Defaults(None, None, 512, 512)
    assert shown(world, "qualities")["draft"] == (None, None, 1)
    jobs = [submit_left_out(world) for _ in range(2)]
    world.poller.start()
    world.finish(*jobs)
    used = {fake.url: (fake.requests[0]["steps"], fake.requests[0]["scale"]) for fake in (generator, second)}
    assert used == {generator.url: (12, 3.0), second.url: (4, 0.0)}
    for job_id in jobs:
        settings, recipe = world.row(job_id).settings, recipe_of(world, job_id)
        assert (settings["steps"], settings["scale"]) in used.values()
        assert recipe["settings"]["steps"] == settings["steps"]
        assert recipe["model"] == {12: "easel-mini", 4: "turbo"}[settings["steps"]]


def test_a_worker_that_has_asked_nothing_yet_sends_the_models_values(
    world: World, generator: FakeGenerator, second: FakeGenerator
) -> None:
    """The poller looks at models once a minute, in one process; each has clients, which are new after a restart."""
    load(generator, MINI)
    load(second, TURBO)
    look(world)
    job_id = submit_left_out(world)
    restart_worker(world)
    world.finish(job_id)
    [sent] = [*generator.requests, *second.requests]
    assert (sent["steps"], sent["scale"]) in ((12, 3.0), (4, 0.0))
    assert recipe_of(world, job_id)["settings"]["steps"] == sent["steps"]


def test_a_worker_that_fetches_has_the_model_that_drew(
    world: World, generator: FakeGenerator, second: FakeGenerator
) -> None:
    load(generator, MINI)
    load(second, TURBO)
    look(world)
    job_id = submit_left_out(world)
    world.poller.start()
    world.step(job_id)
    [sent] = [*generator.requests, *second.requests]
    restart_worker(world)
    world.finish(job_id)
    assert recipe_of(world, job_id)["settings"]["steps"] == sent["steps"]
    assert world.row(job_id).settings["scale"] == sent["scale"]


def submit_left_out(world: World) -> UUID:
    job_id = world.submit(world.user())
    left_out = '{"steps": null, "scale": null}'
    query = "UPDATE jobs SET settings = settings || CAST(:left_out AS jsonb) WHERE id = :id"
    world.sql(query, id=job_id, left_out=left_out)
    return job_id


def test_timeline_and_recipe_name_engine_and_model(world: World, generator: FakeGenerator) -> None:
    load(generator, MINI)
    job_id = world.submit(world.user())
    world.finish(job_id)
    assert [line.detail for line in world.timeline(job_id) if line.event == "sent"] == ["fake, easel-mini"]
    recipe = recipe_of(world, job_id)
    assert (recipe["engine"], recipe["model"], recipe["model_revision"]) == ("fake", "easel-mini", "0123456789ab")
    assert world.row(job_id).settings["steps"] == 1, "the request's own value stays"
