"""Previews of pictures that are being made: stored, shown while the job runs, and never a result."""

import base64
import io
import json
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import text

from shared.clients.storage import Storage
from shared.core.errors import Unavailable
from shared.jobs import store as job_store
from shared.jobs.views import Pictures, job_json
from shared.polling import claims as claim_store
from shared.polling.checking import Checker
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.world import World


@pytest.fixture
def showing(world: World, generator: FakeGenerator) -> FakeGenerator:
    """Let the generator make previews, a new one with each status call."""
    generator.extensions = ALL_EXTENSIONS
    generator.plan = Plan(polls=20)
    world.poller.sweep()
    return generator


def shown(world: World, job_id: UUID) -> dict[str, Any]:
    """Return the job as its owner sees it."""
    with world.services.db.statement() as connection:
        job = job_store.find_view(connection, job_id, world.row(job_id).user_id)
    assert job is not None
    seen: dict[str, Any] = json.loads(job_json(job, Pictures(world.services)))
    return seen


def step_later(world: World, job_id: UUID) -> None:
    """Do a step as if the last preview was made two seconds ago."""
    world.sql("UPDATE jobs SET preview_at = preview_at - interval '2 s' WHERE id = :id", id=job_id)
    world.step(job_id)


def previews(world: World, job_id: UUID) -> dict[str, int]:
    return world.services.storage.sizes_bytes(f"jobs/{job_id}/preview/")


def test_where_pictures_are_checked_there_are_none(world: World, showing: FakeGenerator) -> None:
    world.poller.worker.checker = checker = Checker("tests.support.checkers:Reddish", "hold")
    try:
        job_id = world.send()
        for _ in range(4):
            step_later(world, job_id)
        assert previews(world, job_id) == {}
    finally:
        checker.close()


def test_the_newest_preview_is_shown_while_the_job_runs(world: World, showing: FakeGenerator) -> None:
    job_id = world.send()
    assert shown(world, job_id)["preview_url"] is None
    seen = []
    for _ in range(4):  # the first call finds the job in the queue
        version = world.row(job_id).version
        step_later(world, job_id)
        if url := shown(world, job_id)["preview_url"]:
            seen.append(url)
            assert world.row(job_id).version > version, "who watches is told of it"
    assert len(set(seen)) == 3
    assert len(previews(world, job_id)) == 3
    picture = Image.open(io.BytesIO(world.services.storage.get(world.row(job_id).preview_key, 100_000)))
    assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert world.row(job_id).preview_key in seen[-1]

    showing.finish(1)
    world.finish(job_id)
    ended = shown(world, job_id)
    assert (ended["state"], ended["preview_url"], len(ended["images"])) == ("succeeded", None, 1)
    world.check_one_set(job_id, 1)


def test_previews_are_deleted_an_hour_after_the_last_one(world: World, showing: FakeGenerator) -> None:
    job_id = world.send()
    for _ in range(3):
        step_later(world, job_id)
    [row] = world.sql("SELECT prefix, due_at - clock_timestamp() AS left FROM garbage")
    assert row.prefix == f"jobs/{job_id}/preview/"
    assert 3500 < row.left.total_seconds() <= 3600
    world.sql("UPDATE garbage SET due_at = clock_timestamp()")
    assert world.poller.collect() == 2
    assert previews(world, job_id) == {}


def test_the_preview_of_a_lost_step_is_deleted_too(world: World, generator: FakeGenerator) -> None:
    job_id = world.send()
    for _ in range(2):
        world.sql("UPDATE jobs SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until IS NOT NULL")
        world.hurry()
        with world.services.db.statement() as connection:
            claim = claim_store.claim(connection, job_id)  # its worker stores a preview and dies
        assert claim is not None
        world.services.storage.put(claim.preview_key, b"a preview", "image/webp")
    [row] = world.sql("SELECT due_at - clock_timestamp() AS left FROM garbage WHERE prefix LIKE '%/preview/'")
    assert 3500 < row.left.total_seconds() <= 3600
    world.sql("UPDATE garbage SET due_at = clock_timestamp()")
    world.poller.collect()
    assert previews(world, job_id) == {}


def test_a_job_has_at_most_one_preview_a_second(world: World, showing: FakeGenerator) -> None:
    job_id = world.send()
    for _ in range(5):
        world.sql("UPDATE jobs SET preview_at = clock_timestamp() + interval '1 min' WHERE preview_at IS NOT NULL")
        world.step(job_id)
    assert len(previews(world, job_id)) == 1


def test_a_generator_is_asked_only_where_it_has_previews(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=5)
    asked: list[dict[str, Any]] = []
    usual = generator.answer

    def listening(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        asked.append(fields)
        return usual(method, path, fields)

    generator.answer = listening  # type: ignore[method-assign]
    job_id = world.send()
    world.step(job_id)
    assert all("preview" not in fields for fields in asked)
    assert len(asked) >= 2


def picture(size: tuple[int, int], kind: str) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    "preview", [17, "", "*", "AAAA", picture((4096, 8), "WEBP"), picture((8, 8), "GIF"), picture((64, 64), "WEBP")[:60]]
)
def test_a_useless_preview_costs_nothing(world: World, showing: FakeGenerator, preview: object) -> None:
    job_id = world.send()
    showing.answer = lambda method, path, fields: (200, {"status": "processing: 30%", "preview": preview})  # type: ignore[method-assign]
    world.step(job_id)
    assert (world.row(job_id).progress, world.row(job_id).preview_key) == (0.3, None)
    assert world.events(job_id)[-1] == "processing"
    assert previews(world, job_id) == {}


def test_a_preview_that_cannot_be_stored_costs_nothing(
    world: World, showing: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = world.send()

    def refuse(self: Storage, key: str, data: bytes, content_type: str) -> str:
        raise Unavailable("The storage is full.")

    monkeypatch.setattr(Storage, "put", refuse)
    for _ in range(3):
        world.step(job_id)
    row = world.row(job_id)
    assert (row.state, row.waiting, row.preview_key, row.attempts) == ("generating", None, None, 1)


def test_a_preview_of_a_lost_claim_is_not_shown(world: World, showing: FakeGenerator) -> None:
    job_id = world.send()
    world.step(job_id)
    world.hurry()
    claim = world.poller.claim(job_id)
    assert claim is not None
    with world.services.db.begin() as connection:
        connection.execute(text("UPDATE jobs SET attempt_token = gen_random_uuid()"))
    world.poller.work(claim)
    assert world.row(job_id).preview_key is None
