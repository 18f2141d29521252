"""Jobs at a synchronous generator, with real database, storage and HTTP: the user's view, and every failure."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.images.codec import decode_picture
from shared.images.recipe import read_recipe
from shared.polling import lease
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from shared.testing.fake_glide import FakeGlide, colour
from tests.integration.jobs.test_cancel import Owner
from tests.support.poller import Poller
from tests.support.waiting import until
from tests.support.world import World, with_settings

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def glide() -> Iterator[FakeGlide]:
    with FakeGlide() as fake:
        yield fake


@contextmanager
def poller_for(services: Services, *addresses: GeneratorAddress) -> Iterator[Poller]:
    poller = Poller(services, addresses)
    poller.sweep()
    yield poller
    poller.close_clients()


@pytest.fixture
def poller(services: Services, glide: FakeGlide) -> Iterator[Poller]:
    with poller_for(services, glide.address) as poller:
        yield poller


def answering(glide: FakeGlide, status: int, body: Any) -> None:
    """Let every request get this answer from now on."""
    glide.answer = lambda method, path, fields: (status, body)  # type: ignore[method-assign]


def test_it_works(world: World, glide: FakeGlide) -> None:
    glide.columns = 2
    job_id = world.submit(world.user(), n=4, negative_prompt="fog", seed=7, scale=5.0, width=128, height=128)
    assert world.poller.start() == [job_id]
    assert world.step(job_id) == 0, "the next step is due immediately"
    assert (world.row(job_id).attempts, glide.counts["received"]) == (1, 0)
    assert world.step(job_id) is None
    assert [tuple(line) for line in world.timeline(job_id)] == [
        ("accepted", None, None),
        ("started", None, None),
        ("sent", None, None),
        (
            "adapted",
            "This generator ignores the seed, the number of steps and the negative prompt: it does not support them.",
            "not_followed",
        ),
        ("processing", None, None),
        ("succeeded", None, None),
    ]
    [order] = glide.requests
    assert (order["size"], order["batch_size"], order["guidance_scale"]) == ("128", "4", "2.0")
    assert (world.row(job_id).progress, world.row(job_id).attempts) == (1, 1)
    world.check_one_set(job_id, 4)
    world.check_books()


def test_the_recipe_lists_ignored_fields(world: World) -> None:
    job_id = world.submit(world.user(), n=2, negative_prompt="fog", seed=7)
    world.finish(job_id)
    images = world.images(job_id)
    assert [image.seed for image in images] == [None, None]
    for index, image in enumerate(images):
        png = world.services.storage.get(image.key, 10**6)
        recipe = read_recipe(png)
        assert recipe is not None
        assert (recipe["seed"], recipe["index"]) == (None, index)
        assert recipe["not_followed"] == ["seed", "steps", "negative_prompt"]
        assert recipe["settings"]["seed"] == 7, "the requested value is listed, too"
        parameters = png[png.index(b"parameters\0") : png.index(b"IDAT")]
        assert b"CFG scale: 7.5" in parameters
        assert recipe["generator"] == "glide"
        assert not any(word in parameters for word in (b"Seed", b"Steps", b"Negative prompt", b"fog"))


def test_pictures_keep_the_order_of_the_sheet(world: World, glide: FakeGlide) -> None:
    glide.columns = 3
    job_id = world.submit(world.user(), n=6)
    world.finish(job_id)
    data = [world.services.storage.get(image.key, 10**6) for image in world.images(job_id)]
    found = [decode_picture(png, expected_size=(64, 64)).getpixel((5, 5)) for png in data]
    assert found == [colour(index) for index in range(6)]


def test_a_generator_that_follows_the_seed_reports_it(world: World, services: Services, glide: FakeGlide) -> None:
    with FakeGenerator() as other, poller_for(services, other.address) as poller:
        job_id = world.submit(world.user(), seed=7, n=2)
        world.finish(job_id, poller=poller)
    assert [image.seed for image in world.images(job_id)] == [7, 8]
    assert "adapted" not in world.events(job_id)


def test_an_unreachable_server_costs_no_attempt(world: World, services: Services, glide: FakeGlide) -> None:
    job_id = world.submit(world.user())
    with poller_for(services, GeneratorAddress("glide", NOWHERE)) as nobody:
        world.run(lambda: world.events(job_id).count("waiting") == 2, poller=nobody)
    row = world.row(job_id)
    assert (row.state, row.attempts, row.remote_id) == ("queued", 0, None)
    with poller_for(services, glide.address) as poller:
        world.finish(job_id, poller=poller)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 1)
    world.check_one_set(job_id, 1)
    world.check_books()


def test_a_server_that_goes_down_during_the_call_and_recovers(world: World, glide: FakeGlide) -> None:
    job_id = world.send()
    glide.down = True
    assert world.step(job_id) is None
    assert (world.state(job_id), world.row(job_id).attempts) == ("queued", 1)
    for _ in range(5):
        world.hurry()
        world.poller.sweep()
    assert world.state(job_id) == "queued", "its probe fails, so no job is sent to it"
    glide.down = False
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 2)
    assert world.events(job_id).count("adapted") == 2, "once for each time it was sent"


@pytest.mark.parametrize(
    ("status", "body", "code", "attempts"),
    [
        (200, b"<html>", "generator_bad_json", 3),
        (200, {"image": "QUJD"}, "generator_bad_sheet", 1),
        (404, {}, None, 0),
        (429, {}, None, 0),
        (422, {"detail": "size"}, "generator_refused", 1),
        (414, {}, "generator_refused", 1),
    ],
)
def test_an_answer_that_is_not_a_picture(
    world: World, glide: FakeGlide, status: int, body: Any, code: str | None, attempts: int
) -> None:
    job_id = world.submit(world.user(), n=2)
    answering(glide, status, body)
    if code is None:
        world.run(lambda: world.events(job_id).count("waiting") >= 2)
    else:
        world.finish(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed" if code else "queued", code, attempts)
    assert world.images(job_id) == []
    world.check_one_set(job_id, 0)
    world.check_books()


def test_a_server_that_fails_one_request_is_tried_three_times(world: World, glide: FakeGlide) -> None:
    usual = glide.answer
    glide.answer = lambda method, path, fields: (500, {}) if fields else usual(method, path, fields)  # type: ignore[method-assign]
    job_id = world.submit(world.user())
    world.finish(job_id)
    assert (world.row(job_id).error_code, world.row(job_id).attempts) == ("generator_down", 3)
    assert glide.counts["received"] == 3


def test_a_worker_killed_during_the_call(world: World, glide: FakeGlide) -> None:
    job_id = world.send()
    world.hurry()
    killed = world.poller.claim(job_id)
    assert killed is not None
    assert world.poller.advance(job_id) is None, "another worker holds it"
    world.expire_lease(job_id)
    assert world.poller.advance(job_id) is None
    assert world.state(job_id) == "succeeded"
    assert world.events(job_id).count("recovered") == 1
    assert (world.row(job_id).attempts, glide.counts["received"]) == (1, 1)
    assert world.poller.work(killed) is None, "a frozen worker that resumes writes nothing"
    world.check_one_set(job_id, 1)
    world.check_books()


def test_a_running_call_is_shown_and_a_cancel_ends_it(
    world: World, glide: FakeGlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_RENEWAL_S", 0.02)
    owner = Owner(world)
    job_id = world.send(owner.id)
    glide.hold()
    with ThreadPoolExecutor(1) as threads:
        step = threads.submit(world.step, job_id)
        until(lambda: glide.in_flight == 1, "the call", 60, 0.02)
        assert world.events(job_id)[-1] == "processing"
        assert (world.row(job_id).progress, world.row(job_id).state) == (0, "generating")
        assert owner.cancel(job_id) == "generating"
        assert step.result(30) == 0, "the next step is due immediately"
    until(lambda: glide.counts["abandoned"] == 1, "the server hears of it", 60, 0.02)
    assert world.poller.advance(job_id) is None
    assert world.state(job_id) == "cancelled"
    assert world.events(job_id)[-3:] == ["processing", "cancel_requested", "cancelled"]
    assert world.images(job_id) == []
    assert world.sql("SELECT quota_used FROM users WHERE id = :id", id=owner.id) == [(0,)]
    world.check_books()


def test_a_stopped_worker_releases_its_job(world: World, services: Services, glide: FakeGlide) -> None:
    job_id = world.send()
    glide.hold()
    with ThreadPoolExecutor(1) as threads:
        step = threads.submit(world.step, job_id)
        until(lambda: glide.in_flight == 1, "the call", 60, 0.02)
        world.poller.stop()
        assert step.result(30) == 0
    glide.release()
    assert (world.state(job_id), world.row(job_id).lease_until) == ("generating", None)
    with poller_for(services, glide.address) as other:
        assert world.step(job_id, other) is None
    assert world.state(job_id) == "succeeded"
    assert (world.row(job_id).attempts, world.row(job_id).crashes) == (1, 0)
    assert world.events(job_id)[-4:] == ["processing", "waiting", "processing", "succeeded"]
    world.check_one_set(job_id, 1)


def test_a_worker_that_has_lost_its_job_ends_the_call(
    world: World, glide: FakeGlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_RENEWAL_S", 0.02)
    job_id = world.send()
    glide.hold()
    with ThreadPoolExecutor(1) as threads:
        step = threads.submit(world.step, job_id)
        until(lambda: glide.in_flight == 1, "the call", 60, 0.02)
        world.sql("UPDATE jobs SET attempt_token = gen_random_uuid() WHERE id = :id", id=job_id)
        assert step.result(30) is None
    until(lambda: glide.counts["abandoned"] == 1, "the server hears of it", 60, 0.02)


def test_a_storage_that_is_down_is_noticed_before_anything_is_drawn(
    world: World, services: Services, glide: FakeGlide
) -> None:
    job_id = world.send()
    with poller_for(with_settings(services, s3_endpoint=NOWHERE), glide.address) as poller:
        assert world.step(job_id, poller) is not None
    assert (world.state(job_id), glide.counts["received"]) == ("generating", 0)
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 1)


def test_calls_never_exceed_the_limit(world: World, services: Services) -> None:
    """Six pollers, each in a thread, like six workers: only one thread of a worker claims."""
    with FakeGlide(max_in_flight=2) as glide:
        jobs = [world.submit(world.user()) for _ in range(12)]
        glide.hold()
        done, rounds = threading.Event(), Counter[int]()

        def work(poller: Poller) -> None:
            while not done.is_set():
                for job_id in poller.sweep() or jobs:
                    poller.advance(job_id)
                rounds[threading.get_ident()] += 1

        pollers = [Poller(services, (glide.address,)) for _ in range(6)]
        with ThreadPoolExecutor(len(pollers)) as threads:
            running = [threads.submit(work, poller) for poller in pollers]
            try:
                until(lambda: glide.in_flight == 2, "two calls", 60, 0.02)
                seen = dict(rounds)
                until(lambda: sum(rounds[who] >= seen.get(who, 0) + 3 for who in rounds) >= 4, "four go on", 60, 0.02)
                assert glide.in_flight == 2
                glide.release()
                until(
                    lambda: world.sql("SELECT count(*) FROM jobs WHERE state = 'succeeded'")[0][0] == 12,
                    "all jobs",
                    60,
                    0.02,
                )
            finally:
                done.set()
        assert [call.result(30) for call in running] == [None] * 6
        assert glide.most_in_flight == 2
        assert glide.counts["generated"] == 12
        for poller in pollers:
            poller.close_clients()
    world.check_books()


def test_mixed_protocols_finish_every_job(world: World, services: Services, glide: FakeGlide) -> None:
    glide.max_in_flight = 2
    with FakeGenerator(max_in_flight=1) as other, poller_for(services, glide.address, other.address) as poller:
        bound = [world.submit(world.user(), upscale=2, n=2) for _ in range(4)]
        free = [world.submit(world.user()) for _ in range(6)]
        world.finish(*bound, *free, poller=poller)
        assert len(other.requests) + glide.counts["generated"] == 10
        assert glide.counts["generated"] > 0
    assert {world.state(job_id) for job_id in (*bound, *free)} == {"succeeded"}
    assert {world.row(job_id).generator for job_id in bound} == {other.address.name}
    for job_id in bound:
        world.check_one_set(job_id, 2)
    world.check_books()
