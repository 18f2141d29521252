"""A generator whose model is loading: its jobs wait, say so, and lose nothing."""

from dataclasses import replace
from uuid import UUID

import pytest

from shared.admin.generators import list_generators
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.world import World

CODE = "generator_loading"
MESSAGE = "The generator is loading its model, which takes about 40 s."


@pytest.fixture(autouse=True)
def _asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client of a test ask again although the sweep before it has just asked."""
    monkeypatch.setattr("shared.generators.img_generator.FRESH_S", 0)


def load(generator: FakeGenerator, seconds: float | None = 40) -> None:
    generator.extensions = ALL_EXTENSIONS
    generator.loading_s = seconds


def health(world: World) -> list[tuple[int, float | None]]:
    return [(row.failures, row.loading_s) for row in world.sql("SELECT failures, loading_s FROM generators")]


def waits(world: World, job_id: UUID) -> list[tuple[str | None, str | None]]:
    return [(line.code, line.detail) for line in world.timeline(job_id) if line.event == "waiting"]


def meet(world: World, job_id: UUID) -> None:
    """Let the job be the one that finds its generator loading."""
    assert job_id in world.poller.start()
    world.step(job_id)


def test_a_job_waits_until_the_model_is_loaded(world: World, generator: FakeGenerator) -> None:
    load(generator)
    job_id = world.submit(world.user())
    meet(world, job_id)
    for _ in range(5):
        world.hurry()
        assert world.poller.sweep() == []
    row = world.row(job_id)
    assert (row.state, row.attempts, row.refusals) == ("queued", 0, 0)
    assert health(world) == [(0, 40.0)]
    assert waits(world, job_id) == [(CODE, MESSAGE)], "once, and not for each look"
    assert generator.counts["initiated"] == 0
    load(generator, None)
    world.finish(job_id)
    assert health(world) == [(0, None)]
    assert world.row(job_id).attempts == 1
    events = world.events(job_id)
    assert events[:4] == ["accepted", "waiting", "started", "sent"], "it started twice, the second time after the wait"
    assert "retrying" not in events
    world.check_books()


def test_every_job_behind_it_says_so_without_a_write(world: World, generator: FakeGenerator) -> None:
    load(generator)
    meet(world, world.submit(world.user()))
    others = [world.submit(world.user()) for _ in range(3)]
    query = "SELECT id, xmin::text, version FROM jobs ORDER BY id"
    before = world.sql(query)
    for _ in range(3):
        world.hurry()
        world.poller.sweep()
    assert world.sql(query) == before
    assert [waits(world, job_id) for job_id in others] == [[(CODE, MESSAGE)]] * 3


def test_a_generator_that_forgot_a_job_because_it_was_restarted_is_loading(
    world: World, generator: FakeGenerator
) -> None:
    generator.extensions = ALL_EXTENSIONS
    generator.plan = Plan(polls=5)
    job_id = world.send()
    generator.restart()
    load(generator, 0)
    world.step(job_id)
    assert health(world) == [(0, 0.0)]
    world.hurry()
    assert world.poller.sweep() == []
    assert waits(world, job_id) == [(CODE, "The generator is loading its model.")]
    load(generator, None)
    world.finish(job_id)
    assert world.row(job_id).attempts == 2


def test_another_generator_takes_the_jobs_meanwhile(world: World, generator: FakeGenerator) -> None:
    load(generator)
    meet(world, world.submit(world.user()))
    with FakeGenerator(extensions=ALL_EXTENSIONS) as other:
        world.poller.addresses = (generator.address, other.address)
        job_id = world.submit(world.user())
        world.finish(job_id)
        assert other.counts["initiated"] == 2, "the job that met the loading one is painted there, too"
    assert generator.counts["initiated"] == 0


def test_one_that_goes_away_while_it_loads_is_down(world: World, generator: FakeGenerator) -> None:
    load(generator)
    job_id = world.submit(world.user())
    meet(world, job_id)
    generator.down = True
    world.hurry()
    world.poller.sweep()
    assert health(world) == [(1, None)]
    assert [code for code, _ in waits(world, job_id)] == [CODE, "no_healthy_generator"]
    generator.down = False
    world.hurry()
    world.poller.sweep()
    assert health(world) == [(0, 40.0)], "the probe finds it loading again"


def test_operators_see_that_it_loads(world: World, generator: FakeGenerator) -> None:
    [before] = list_generators(world.services)
    load(generator)
    meet(world, world.submit(world.user()))
    [after] = list_generators(world.services)
    assert after.retry_at is not None
    assert after == replace(before, is_loading=True, retry_at=after.retry_at)
