"""Exactly one stored set of pictures per job, after a kill at any line."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from PIL import Image
from sqlalchemy import Connection

from shared.clients.storage import CACHE_CONTROL, Storage
from shared.core.db import Database
from shared.core.errors import Unavailable
from shared.images.recipe import read_recipe
from shared.jobs import store as job_store
from shared.polling import claims as claim_store
from shared.polling import durations
from shared.testing.fake_generator import FakeGenerator
from tests.integration.polling.test_steps import NOWHERE, poller_for
from tests.support.world import World, with_settings


class Killed(BaseException):
    """Raised where a worker is killed."""


def kill_after(count: int, function: Any) -> Callable[..., Any]:
    """Return the function, changed to kill its caller after its `count`th call."""
    calls = 0

    def dying(*args: Any, **named: Any) -> Any:
        nonlocal calls
        answer = function(*args, **named)
        calls += 1
        if calls == count:
            raise Killed
        return answer

    return dying


LINES: list[tuple[Any, str, int]] = [
    *((Storage, "put", count) for count in range(1, 5)),
    (job_store, "move_all", 1),
    (claim_store, "insert_images", 1),
]


@pytest.mark.parametrize(("owner", "name", "count"), LINES)
def test_killed_before_the_commit(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, count: int
) -> None:
    job_id = world.send(n=2)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, kill_after(count, getattr(owner, name)))
        with pytest.raises(Killed):
            world.step(job_id)
    assert world.images(job_id) == []
    assert world.state(job_id) == "generating"
    world.expire_lease(job_id)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded"
    assert world.events(job_id).count("recovered") == 1
    world.check_one_set(job_id, 2)
    world.check_books()
    losers = len(world.services.storage.sizes_bytes(f"jobs/{job_id}/")) - 4
    assert losers == min(count if name == "put" else 4, 4)
    assert world.poller.collect() == 0, "not due yet"
    world.sql("UPDATE garbage SET due_at = clock_timestamp()")
    assert world.poller.collect() == losers
    assert world.garbage() == set()
    world.check_one_set(job_id, 2)


def test_killed_after_the_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = world.send(n=2)
    begin = Database.begin

    @contextmanager
    def die_after(self: Database) -> Iterator[Connection]:
        with begin(self) as connection:
            yield connection
        raise Killed

    with monkeypatch.context() as patch:
        world.hurry()
        patch.setattr(Database, "begin", die_after)
        with pytest.raises(Killed):
            world.poller.advance(job_id)
    assert world.state(job_id) == "succeeded"
    assert world.poller.sweep() == []
    world.check_one_set(job_id, 2)
    assert world.garbage() == set()


def test_killed_before_the_pace_is_recorded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = world.send()
    with monkeypatch.context() as patch:
        patch.setattr(durations, "record", kill_after(1, durations.record))
        with pytest.raises(Killed):
            world.step(job_id)
    assert world.state(job_id) == "succeeded"
    assert world.poller.sweep() == []
    world.check_one_set(job_id, 1)


def test_a_database_lost_at_the_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = world.send()
    with monkeypatch.context() as patch:

        def gone(*_: Any) -> None:
            raise Unavailable("The database cannot be reached.")

        patch.setattr(claim_store, "insert_images", gone)
        with pytest.raises(Unavailable):
            world.step(job_id)
    world.expire_lease(job_id)
    world.finish(job_id)
    world.check_one_set(job_id, 1)


@pytest.mark.parametrize("count", range(1, 5))
def test_a_storage_lost_between_two_objects(world: World, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    job_id = world.send(n=2)
    put, calls = Storage.put, []

    def fail(self: Storage, key: str, data: bytes, content_type: str) -> None:
        calls.append(key)
        if len(calls) == count:
            raise Unavailable("The storage cannot be reached.")
        put(self, key, data, content_type)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "put", fail)
        assert world.step(job_id) is not None
    world.finish(job_id)
    assert world.row(job_id).crashes == 0
    world.check_one_set(job_id, 2)
    assert len(world.services.storage.sizes_bytes(f"jobs/{job_id}/")) == 4 + count - 1


def test_a_corrupted_object_is_not_committed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = world.send()
    put = Storage.put
    with monkeypatch.context() as patch:
        patch.setattr(Storage, "put", lambda self, key, data, kind: put(self, key, data[:-1], kind))
        assert world.step(job_id) is not None
    assert world.images(job_id) == []
    world.finish(job_id)
    world.check_one_set(job_id, 1)


def test_what_is_stored(world: World, generator: FakeGenerator) -> None:
    user = world.user()
    job_id = world.submit(
        user, prompt="a lighthouse, Ночь", negative_prompt="fog", width=1024, height=64, n=2, seed=2**32 - 1
    )
    world.finish(job_id)
    storage, now = world.services.storage, world.row(job_id).created_at
    for k, image in enumerate(world.images(job_id)):
        answer = requests.get(storage.presigned_url(image.key, now), timeout=10)
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Cache-Control"] == CACHE_CONTROL
        assert len(answer.content) == image.size_bytes
        with Image.open(io.BytesIO(answer.content)) as png:
            png.load()
            assert (png.format, png.size) == ("PNG", (image.width, image.height) == (1024, 64) and (1024, 64))
            assert "Negative prompt: fog" in png.info["parameters"]
        recipe = read_recipe(answer.content)
        assert recipe is not None
        assert (recipe["prompt"], recipe["negative_prompt"]) == ("a lighthouse, Ночь", "fog")
        assert recipe["seed"] == image.seed == (2**32 - 1 + k) % 2**32
        private = {"source_images", "from_job", "from_image", "notify", "webhook_url", "likeness", "likeness_weight"}
        wanted = {name: value for name, value in world.row(job_id).settings.items() if name not in private}
        assert recipe["settings"] == wanted
        assert (recipe["index"], recipe["job_id"]) == (k, str(job_id))
        assert (recipe["generator"], recipe["source_images"]) == ("img_generator", 0)
        assert generator.address.name.encode() not in answer.content
        thumbnail = requests.get(storage.presigned_url(image.thumbnail_key, now), timeout=10)
        assert thumbnail.headers["Content-Type"] == "image/webp"
        assert thumbnail.headers["Cache-Control"] == CACHE_CONTROL
        with Image.open(io.BytesIO(thumbnail.content)) as webp:
            assert (webp.format, webp.size) == ("WEBP", (512, 32))


def test_collecting_waits_for_the_storage(world: World, generator: FakeGenerator) -> None:
    job_id = world.submit(world.user())
    world.finish(job_id)
    with world.services.db.begin() as connection:
        job_store.delete(connection, job_id)
    without = with_settings(world.services, s3_endpoint=NOWHERE)
    with poller_for(without, generator) as poller, pytest.raises(Unavailable):
        poller.collect()
    assert world.garbage() == {f"jobs/{job_id}/"}
    assert world.poller.collect() == 2
