"""Long calls: a synchronous generator delays only its own jobs."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import redis

from shared.testing.fake_generator import FakeGenerator
from shared.testing.fake_glide import FakeGlide
from tests.support.processes import program
from tests.support.waiting import until
from tests.support.world import World

UPSCALED = {"upscale": 2}
"""Only img_generator can do that."""


@pytest.fixture
def glide() -> Iterator[FakeGlide]:
    with FakeGlide(max_in_flight=3) as fake:
        yield fake


@pytest.fixture
def settings(environment: dict[str, str], generator: FakeGenerator, glide: FakeGlide) -> dict[str, str]:
    """Return the environment of a poller with one generator of each kind."""
    redis.Redis.from_url(environment["EASEL_BROKER_URL"]).flushall()
    return environment | {"EASEL_GENERATORS": f"{glide.setting},{generator.setting}"}


def test_other_jobs_continue_while_every_call_hangs(
    world: World, settings: dict[str, str], glide: FakeGlide, generator: FakeGenerator, tmp_path: Path
) -> None:
    """More calls hang than the worker has processes."""
    settings["EASEL_GENERATORS"] = glide.setting
    hanging = [world.submit(world.user()) for _ in range(3)]
    glide.hold()
    with program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker:
        until(lambda: glide.in_flight == 3, "three calls")
        assert worker.stop() == 0
    settings["EASEL_GENERATORS"] = f"{glide.setting},{generator.setting}"
    with program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker:
        until(lambda: glide.in_flight == 3, "three calls")
        others = [world.submit(world.user(), **UPSCALED) for _ in range(8)]
        until(lambda: {world.state(job_id) for job_id in others} == {"succeeded"}, "the others")
        assert {world.state(job_id) for job_id in hanging} == {"generating"}
        assert glide.in_flight == 3
        glide.release()
        until(lambda: {world.state(job_id) for job_id in hanging} == {"succeeded"}, "those that hung")
        assert worker.stop() == 0
    assert glide.most_in_flight == 3
    assert {world.row(job_id).attempts for job_id in (*hanging, *others)} == {1}
    for job_id in hanging:
        world.check_one_set(job_id, 1)
    world.check_books()


def test_a_call_outlives_its_lease(world: World, settings: dict[str, str], glide: FakeGlide, tmp_path: Path) -> None:
    """The thread renews the claim: meanwhile no sweep gives the job to another worker."""
    settings["EASEL_GENERATORS"] = glide.setting
    job_id = world.submit(world.user())
    glide.hold()
    with program(settings, tmp_path / "worker.log", "worker") as worker:
        until(lambda: glide.in_flight == 1, "the call")
        leases: set[datetime] = set()

        def renewed() -> bool:
            leases.update(row.until for row in world.sql("SELECT until FROM leases"))
            return len(leases) >= 3

        until(renewed, "the lease is renewed")
        glide.release()
        until(lambda: world.state(job_id) == "succeeded", "the job")
        assert worker.stop() == 0
    assert (glide.counts["received"], world.row(job_id).crashes) == (1, 0)
    world.check_one_set(job_id, 1)


def test_a_child_killed_during_the_call(
    world: World, settings: dict[str, str], glide: FakeGlide, tmp_path: Path
) -> None:
    settings["EASEL_GENERATORS"] = glide.setting
    job_id = world.submit(world.user())
    glide.hold()
    with program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker:
        until(lambda: glide.in_flight == 1, "the call")
        [child] = worker.children
        os.kill(child, signal.SIGKILL)
        world.expire_lease(job_id)  # before another child can claim it
        until(lambda: glide.counts["abandoned"] == 1, "the server hears of it")
        glide.release()
        until(lambda: worker.children not in ([], [child]), "another child")
        until(lambda: world.state(job_id) == "succeeded", "the job")
        assert worker.stop() == 0
    assert world.events(job_id).count("recovered") == 1
    assert (world.row(job_id).attempts, world.row(job_id).crashes) == (1, 1)
    world.check_one_set(job_id, 1)
    world.check_books()
