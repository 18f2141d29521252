"""Jobs at servers with the API of AUTOMATIC1111 and at hordes, with real database, storage and HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from shared.images.recipe import read_recipe
from shared.polling import lease
from shared.services import Services
from shared.testing.fake_horde import FakeHorde
from shared.testing.fake_sdapi import FakeSdapi
from tests.integration.jobs.test_cancel import Owner
from tests.support.poller import Poller
from tests.support.waiting import until
from tests.support.world import World


@pytest.fixture
def sdapi() -> Iterator[FakeSdapi]:
    with FakeSdapi() as fake:
        yield fake


@pytest.fixture
def horde() -> Iterator[FakeHorde]:
    with FakeHorde(polls=1) as fake:
        yield fake


@pytest.fixture
def poller(services: Services, sdapi: FakeSdapi) -> Iterator[Poller]:
    poller = Poller(services, (sdapi.address,))
    poller.sweep()
    yield poller
    poller.close_clients()


@pytest.fixture
def horde_poller(services: Services, poller: Poller, horde: FakeHorde) -> Poller:
    poller.addresses = (horde.address,)
    poller.sweep()
    return poller


def recipes(world: World, job_id: Any) -> list[dict[str, Any]]:
    found = [read_recipe(world.services.storage.get(image.key, 10**6)) for image in world.images(job_id)]
    return [recipe for recipe in found if recipe is not None]


def test_a_job_at_a_server_of_automatic1111(world: World) -> None:
    job_id = world.submit(world.user(), n=2, seed=7, upscale=2, describe=True, cpu=True)
    world.finish(job_id)
    images = world.images(job_id)
    assert [(image.seed, image.width, image.height) for image in images] == [(7, 128, 128), (8, 128, 128)]
    assert {image.description for image in images} == {"a plain picture of 64 by 64 pixels"}
    for recipe in recipes(world, job_id):
        assert (recipe["generator"], recipe["engine"], recipe["sampler"]) == ("sdapi", "fake", "Euler a")
        assert recipe["not_followed"] == ["cpu"]
    assert "This generator ignores the choice of the processor: it does not support it." in [
        line.detail for line in world.timeline(job_id)
    ]
    world.check_one_set(job_id, 2)
    world.check_books()


def test_a_cancelled_picture_is_interrupted(world: World, sdapi: FakeSdapi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_RENEWAL_S", 0.02)
    owner = Owner(world)
    job_id = world.send(owner.id)
    sdapi.hold()
    with ThreadPoolExecutor(1) as threads:
        step = threads.submit(world.step, job_id)
        until(lambda: sdapi.current_task is not None, "the picture is drawn", 60, 0.02)
        assert owner.cancel(job_id) == "generating"
        assert step.result(30) == 0
    until(lambda: sdapi.in_flight == 0, "the server is free", 60, 0.02)
    assert sdapi.counts["interrupted"] == 1
    assert world.poller.advance(job_id) is None
    assert world.state(job_id) == "cancelled"
    world.check_books()


def test_a_busy_server_costs_no_attempt(world: World, sdapi: FakeSdapi) -> None:
    usual = sdapi.answer
    busy = {"detail": {"msg": "Server is busy; please try again later.", "type": "service_unavailable"}}
    sdapi.answer = lambda method, path, fields: (  # type: ignore[method-assign]
        (503, busy) if path.endswith("txt2img") else usual(method, path, fields)
    )
    job_id = world.submit(world.user())
    world.run(lambda: "waiting" in world.events(job_id))
    assert (world.state(job_id), world.row(job_id).attempts) == ("queued", 0)
    sdapi.answer = usual  # type: ignore[method-assign]
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 1)


@pytest.mark.parametrize("links", [False, True])
def test_a_job_at_a_horde(world: World, horde_poller: Poller, horde: FakeHorde, links: bool) -> None:
    horde.links = links
    job_id = world.submit(world.user(), n=2, seed=7, aspect="widescreen", width=None, height=None)
    world.finish(job_id, poller=horde_poller)
    images = world.images(job_id)
    assert [(image.seed, image.width, image.height) for image in images] == [(None, 768, 432)] * 2
    for recipe in recipes(world, job_id):
        assert (recipe["generator"], recipe["engine"]) == ("horde", "stable_diffusion")
        assert recipe["not_followed"] == ["seed"]
    assert horde.in_flight == 0
    world.check_one_set(job_id, 2)
    world.check_books()


@pytest.mark.parametrize(
    ("changes", "code", "words", "attempts"),
    [
        ({"price": 24.5}, "generator_no_kudos", "24.5 kudos in advance", 0),
        ({"possible": False}, "generator_impossible", "Given up after 3 attempts. No worker of this horde", 3),
        ({"censored": 1}, "generator_censored", "withheld 1 of the pictures", 1),
        ({"faulted": True}, "generator_failed", "Given up after 3 attempts.", 3),
    ],
)
def test_what_a_horde_does_not_make_is_told_in_words(
    world: World, horde_poller: Poller, horde: FakeHorde, changes: dict[str, Any], code: str, words: str, attempts: int
) -> None:
    for name, value in changes.items():
        setattr(horde, name, value)
    job_id = world.submit(world.user())
    world.finish(job_id, poller=horde_poller)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed", code, attempts)
    assert words in world.timeline(job_id)[-1].detail
    world.check_books()


def test_a_request_that_expired_is_sent_again(world: World, horde_poller: Poller, horde: FakeHorde) -> None:
    job_id = world.submit(world.user())
    horde.polls = 1000
    world.run(lambda: horde.counts["checks"] > 1, poller=horde_poller)
    horde.restart()
    horde.polls = 0
    world.finish(job_id, poller=horde_poller)
    assert (world.state(job_id), horde.counts["initiated"]) == ("succeeded", 2)


def test_a_cancelled_request_is_taken_back(world: World, horde_poller: Poller, horde: FakeHorde) -> None:
    horde.polls = 1000
    owner = Owner(world)
    job_id = world.submit(owner.id)
    world.run(lambda: horde.counts["checks"] > 0, poller=horde_poller)
    owner.cancel(job_id)
    world.run(lambda: world.state(job_id) == "cancelled", poller=horde_poller)
    assert (horde.counts["cancelled"], horde.in_flight) == (1, 0)


def test_generators_of_several_dialects_share_the_queue(
    world: World, services: Services, sdapi: FakeSdapi, horde: FakeHorde
) -> None:
    with ExitStack() as cleaning:
        poller = Poller(services, (sdapi.address, horde.address))
        cleaning.callback(poller.close_clients)
        poller.sweep()
        jobs = [world.submit(world.user()) for _ in range(8)]
        world.finish(*jobs, poller=poller)
    assert {world.state(job_id) for job_id in jobs} == {"succeeded"}
    assert sdapi.counts["drawn"] + horde.counts["results"] == 8
    assert sdapi.counts["drawn"] > 0
    world.check_books()
