"""Start pictures that take long to decode: their jobs hold no place at a generator meanwhile.

The pictures are ordinary; the test has lowered what a quick one may take.
"""

import os
from collections.abc import Iterator
from uuid import UUID

import pytest

from shared.images import jail
from shared.images.jail import Lane, Lanes, Limits
from shared.polling.worker import Worker
from shared.testing.fake_generator import FakeGenerator
from tests.support.waiting import until
from tests.support.world import World
from tests.unit.images.test_codec import NOISE, saved

PHOTO = saved(NOISE.resize((2400, 1800)), "JPEG")


@pytest.fixture
def lanes(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lanes]:
    """Lanes in which no picture of a user is quick."""
    found = Lanes(Lane(1, Limits()), Lane(1, Limits(cpu_s=0.002)), Lane(1, Limits()))
    monkeypatch.setitem(jail._by_process, os.getpid(), found)
    first = world.poller.worker
    yield found
    for worker in (first, world.poller.worker):
        worker.slow_pictures.close(wait=True)
    found.close()


def submit(world: World, data: bytes = PHOTO) -> UUID:
    """Submit a job that starts from an upload."""
    user_id = world.user()
    key = f"uploads/{user_id}/start.jpg"
    world.sql(
        "INSERT INTO uploads (user_id, key, content_type, size_bytes) VALUES (:id, :key, 'image/jpeg', :size)",
        id=user_id,
        key=key,
        size=len(data),
    )
    world.services.storage.put(key, data, "image/jpeg")
    return world.submit(user_id, source_images=[key])


def stored(world: World, job_id: UUID) -> list[str]:
    return [key for key in world.services.storage.sizes_bytes(f"jobs/{job_id}/") if "/start-" in key]


def wait_for_picture(world: World, job_id: UUID) -> None:
    """Wait until the picture is decoded and the job may start again."""
    until(lambda: stored(world, job_id), "the picture is decoded")
    until(lambda: world.row(job_id).next_step_at is None, "the pause has ended")


def start(world: World, job_id: UUID) -> None:
    assert job_id in world.poller.start()
    world.step(job_id)


def test_a_slow_picture_holds_no_place(world: World, lanes: Lanes, generator: FakeGenerator) -> None:
    job_id = submit(world)
    with lanes.slow.jail():  # others' pictures take long
        start(world, job_id)
        row = world.row(job_id)
        assert (row.state, row.generator, row.attempts) == ("queued", None, 0)
        assert world.timeline(job_id)[-1].code == "decodes_source"
        other = world.submit(world.user())
        assert world.poller.start() == [other]
        world.finish(other)
        assert world.state(job_id) == "queued"
        assert not any("imgs" in request and request["imgs"] for request in generator.requests)
    wait_for_picture(world, job_id)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded", world.timeline(job_id)
    [picture] = generator.requests[-1]["imgs"]
    assert picture.startswith("iVBORw0K")
    assert set(stored(world, job_id)) <= world.garbage()
    world.check_one_set(job_id, 1)
    world.check_books()


def test_a_slow_picture_that_cannot_be_used_fails_its_job(world: World, lanes: Lanes, generator: FakeGenerator) -> None:
    job_id = submit(world, PHOTO[: len(PHOTO) // 2])
    start(world, job_id)
    wait_for_picture(world, job_id)
    start(world, job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed", "picture_broken", 0)
    assert not generator.requests
    world.check_books()


def test_a_picture_whose_worker_died_is_decoded_by_the_next(
    world: World, lanes: Lanes, generator: FakeGenerator
) -> None:
    job_id = submit(world)
    with lanes.slow.jail():
        start(world, job_id)
        world.poller.worker.slow_pictures.close()
        world.poller.worker = Worker(world.services, world.poller.pool)
        world.hurry()
        start(world, job_id)
        assert world.state(job_id) == "queued"
    wait_for_picture(world, job_id)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded", world.timeline(job_id)


def test_a_job_whose_picture_is_never_ready_is_given_up(world: World, lanes: Lanes) -> None:
    job_id = submit(world)
    with lanes.slow.jail():
        start(world, job_id)
        world.sql("UPDATE jobs SET refusals = 98")
        world.hurry()
        start(world, job_id)
        assert world.state(job_id) == "queued"
        world.hurry()
        start(world, job_id)
        assert (world.state(job_id), world.row(job_id).error_code) == ("failed", "decodes_source")
    world.check_books()
