"""What users see of the queue, and what the poller cleans up."""

import io
import json
from typing import Any, cast
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import text

from shared.core import garbage
from shared.core.errors import Unavailable
from shared.images.recipe import read_recipe
from shared.jobs import store as job_store
from shared.jobs.states import State
from shared.jobs.views import Pictures, job_json
from shared.polling import outcomes
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.world import World, delete_prefix


def view(world: World, job_id: UUID) -> dict[str, Any]:
    with world.services.db.statement() as connection:
        row = job_store.find_view(connection, job_id, world.row(job_id).user_id)
    assert row is not None
    return cast(dict[str, Any], json.loads(job_json(row, Pictures(world.services))))


def test_positions_and_waits_count_down(world: World, generator: FakeGenerator) -> None:
    generator.max_in_flight = 1
    world.poller.addresses = (generator.address,)
    world.poller.sweep()
    jobs = [world.submit(world.user(), steps=100, width=1024, height=1024) for _ in range(5)]
    assert [view(world, job_id)["queue_position"] for job_id in jobs] == [1, 2, 3, 4, 5]
    waits = [view(world, job_id)["eta_seconds"] for job_id in jobs]
    assert waits == sorted(waits)
    assert waits[0] >= 1
    last = [view(world, jobs[-1])]
    for _ in range(4):
        [started] = world.poller.start()
        last.append(view(world, jobs[-1]))
        while world.state(started) == State.GENERATING:
            world.step(started)
    assert [seen["queue_position"] for seen in last] == [5, 4, 3, 2, 1]
    etas = [seen["eta_seconds"] for seen in last]
    assert etas == sorted(etas, reverse=True)
    assert etas[-1] > 0
    world.finish(*jobs)
    done = view(world, jobs[0])
    assert (done["queue_position"], done["eta_seconds"], done["progress"]) == (None, None, 1)


def test_without_generators_the_reason_is_shown(world: World) -> None:
    job_id = world.submit(world.user())
    world.poller.addresses = ()
    world.poller.sweep()
    world.poller.sweep()
    assert [tuple(row) for row in world.timeline(job_id)] == [
        ("accepted", None, None),
        ("waiting", "No generator is configured.", "no_generator"),
    ]


def test_due_steps_are_found_and_others_are_not(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=9)
    job_id = world.send()
    world.sql("UPDATE jobs SET next_step_at = clock_timestamp() + interval '1 minute'")
    assert world.poller.sweep() == []
    world.hurry()
    assert world.poller.sweep() == [job_id]


def picture(**options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (96, 64), (200, 120, 40)).save(buffer, **options)
    return buffer.getvalue()


def upload(world: World, user: UUID, data: bytes, name: str) -> str:
    key = f"uploads/{user}/{name}"
    world.services.storage.put(key, data, "image/png")
    query = "INSERT INTO uploads (user_id, key, content_type, size_bytes) VALUES (:user, :key, 'image/png', :size)"
    world.sql(query, user=user, key=key, size=len(data))
    return key


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"strength": 0.5}, [(64, 64), (64, 64)]),
        ({"strength": 0.5, "n": 1}, [(64, 64)]),
        ({"strength": -0.5, "prompt": "", "upscale": 2}, [(192, 128), (192, 128)]),
        ({"strength": -0.5, "prompt": "", "describe": True}, [(96, 64), (96, 64)]),
        ({"strength": -2, "prompt": "", "describe": True}, [(96, 64), (96, 64)]),
        ({"strength": -2, "prompt": "", "upscale": 2}, [(192, 128), (192, 128)]),
    ],
)
def test_start_pictures_reach_the_generator(
    world: World, generator: FakeGenerator, request_: dict[str, Any], expected: list[tuple[int, int]]
) -> None:
    user = world.user()
    keys = [upload(world, user, picture(format="JPEG"), "a"), upload(world, user, picture(format="WEBP"), "b")]
    job_id = world.submit(user, source_images=keys, **request_)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded", world.timeline(job_id)
    [order] = generator.requests
    assert order["strength"] == request_["strength"]
    assert [source[:8] for source in order["imgs"]] == ["iVBORw0K"] * 2, "a PNG in base64"
    images = world.images(job_id)
    assert [(image.width, image.height) for image in images] == expected
    assert [image.description is not None for image in images] == [bool(request_.get("describe"))] * len(images)
    world.check_one_set(job_id, len(expected))


def test_a_published_recipe_names_neither_the_owner_nor_the_generators_address(
    world: World, generator: FakeGenerator
) -> None:
    generator.extensions = frozenset({"key"})  # without any it answers no question about itself
    user = world.user()
    keys = [upload(world, user, picture(format="JPEG"), "a")]
    job_id = world.submit(user, prompt="a cat", type="pixel_art", source_images=keys, strength=0.5)
    world.finish(job_id)
    [image] = world.images(job_id)
    png = world.services.storage.get(image.key, 10**6)
    recipe = read_recipe(png)
    assert recipe is not None
    assert (recipe["prompt"], recipe["sent_prompt"]) == ("a cat", generator.requests[0]["prompt"])
    assert (recipe["generator"], recipe["engine"]) == ("img_generator", "fake")
    assert (recipe["source_images"], recipe["settings"]["strength"]) == (1, 0.5)
    assert str(user).encode() not in png
    assert generator.address.name.encode() not in png


@pytest.mark.parametrize(("data", "code"), [(b"no picture", "picture_wrong_format"), (None, "source_missing")])
def test_an_unusable_start_picture_fails_its_job(world: World, data: bytes | None, code: str) -> None:
    user = world.user()
    key = upload(world, user, data or b"1", "a")
    job_id = world.submit(user, source_images=[key])
    if data is None:
        delete_prefix(world.services.storage, key)
    world.finish(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed", code, 0)
    world.check_books()


def test_unused_uploads_are_deleted_after_a_day(world: World) -> None:
    user = world.user()
    used, unused, fresh = (upload(world, user, picture(format="PNG"), name) for name in ("used", "unused", "fresh"))
    world.submit(user, source_images=[used])
    world.sql("UPDATE uploads SET created_at = now() - interval '25 hours' WHERE key <> :key", key=fresh)
    assert world.poller.collect() == 1
    assert set(world.services.storage.sizes_bytes(f"uploads/{user}/")) == {used, fresh}
    assert {row.key for row in world.sql("SELECT key FROM uploads")} == {used, fresh}
    assert unused not in world.garbage()


def test_expired_tokens_are_deleted(world: World) -> None:
    with world.services.db.begin() as connection:
        for number, lifetime in enumerate(("'-1 s'", "'1 day'", "NULL")):
            connection.execute(
                text(
                    "INSERT INTO tokens (user_id, hash, kind, expires_at)"
                    f" VALUES (:user, :hash, 'api', now() + CAST({lifetime} AS interval))"
                ),
                {"user": world.user(), "hash": bytes([number])},
            )
    world.poller.collect()
    assert [bytes(row.hash) for row in world.sql("SELECT hash FROM tokens ORDER BY hash")] == [b"\1", b"\2"]


def test_garbage_that_is_due_again_is_kept_until_the_later_time(world: World) -> None:
    with world.services.db.begin() as connection:
        garbage.discard(connection, "jobs/a/", in_s=3600)
        garbage.discard(connection, "jobs/a/")
    assert world.poller.collect() == 0
    assert world.garbage() == {"jobs/a/"}


def test_a_step_that_cannot_be_recorded_releases_its_claim(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = world.submit(world.user())
    world.poller.start()

    def no_database(*_written: Any, **_options: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(outcomes, "_write_batch", no_database)
        with pytest.raises(Unavailable):
            world.poller.advance(job_id)
    [row] = world.sql("SELECT lease_until, crashes, state FROM jobs")
    assert tuple(row) == (None, 0, "generating")
    world.finish(job_id)
    [row] = world.sql("SELECT state, crashes FROM jobs")
    assert tuple(row) == ("succeeded", 0)
