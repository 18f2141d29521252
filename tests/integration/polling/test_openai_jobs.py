"""Jobs at a server with OpenAI's Images API, with real database, storage and HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.images.codec import decode_picture
from shared.images.recipe import read_recipe
from shared.services import Services
from shared.testing.fake_glide import FakeGlide
from shared.testing.fake_openai import FakeOpenAi, colour
from tests.support.poller import Poller
from tests.support.world import World

IGNORED = ["seed", "steps", "scale", "negative_prompt"]


@pytest.fixture
def server() -> Iterator[FakeOpenAi]:
    with FakeOpenAi() as fake:
        yield fake


@contextmanager
def poller_for(services: Services, *addresses: GeneratorAddress) -> Iterator[Poller]:
    poller = Poller(services, addresses)
    poller.sweep()
    yield poller
    poller.close_clients()


def adapted(world: World, job_id: UUID) -> list[str]:
    return [line.detail for line in world.timeline(job_id) if line.event == "adapted"]


def test_it_works(world: World, services: Services, server: FakeOpenAi) -> None:
    with poller_for(services, server.address) as poller:
        job_id = world.submit(world.user(), n=2, negative_prompt="fog", seed=7)
        world.finish(job_id, poller=poller)
    images = world.images(job_id)
    assert [image.seed for image in images] == [7, 8]
    pictures = [services.storage.get(image.key, 10**6) for image in images]
    assert [decode_picture(png, expected_size=(64, 64)).getpixel((5, 5)) for png in pictures] == [colour(7), colour(8)]
    recipe = read_recipe(pictures[1])
    assert recipe is not None
    assert (recipe["generator"], recipe["engine"]) == ("openai", "vLLM-Omni: fake/diffusion")
    assert recipe["not_followed"] == []
    assert adapted(world, job_id) == []
    world.check_one_set(job_id, 2)
    world.check_books()


def test_what_is_not_followed_is_in_timeline_and_recipe(world: World, services: Services, server: FakeOpenAi) -> None:
    server.owner = "openai"
    with poller_for(services, server.address) as poller:
        job_id = world.submit(world.user(), n=2, negative_prompt="fog", seed=7)
        world.finish(job_id, poller=poller)
    assert adapted(world, job_id) == [
        "This generator ignores the seed, the number of steps, the scale and the negative prompt: it does not support"
        " them."
    ]
    for image in world.images(job_id):
        assert image.seed is None
        recipe = read_recipe(services.storage.get(image.key, 10**6))
        assert recipe is not None
        assert recipe["not_followed"] == IGNORED


def test_the_rest_of_a_job_may_be_done_by_another_process(world: World, services: Services, server: FakeOpenAi) -> None:
    """The process that draws asks the server again what it follows, because only the other one was told."""
    server.owner = "sglang"
    with poller_for(services, server.address) as first, poller_for(services, server.address) as second:
        job_id = world.submit(world.user(), seed=7)
        assert first.start() == [job_id]
        first.advance(job_id)
        world.finish(job_id, poller=second)
    assert [image.seed for image in world.images(job_id)] == [7]
    assert server.counts["models"] == 2


def test_jobs_go_first_to_servers_that_follow_more(world: World, services: Services, server: FakeOpenAi) -> None:
    with FakeOpenAi(owner="openai", max_in_flight=1) as plain, FakeGlide(max_in_flight=1) as glide:
        server.max_in_flight = 1
        addresses = (glide.address, plain.address, server.address)
        with poller_for(services, *addresses) as poller:
            # A server is known from the first job on that it got.
            for _ in range(2):
                jobs = [world.submit(world.user(), width=64, height=64) for _ in addresses]
                assert set(poller.start()) == set(jobs)
                for job_id in jobs:
                    world.finish(job_id, poller=poller)
            last = world.submit(world.user(), width=64, height=64)
            poller.start()
            assert world.row(last).generator == server.address.name
            world.finish(last, poller=poller)


@pytest.mark.parametrize("errors", ["error", "text", "detail", "problem", "plain"])
def test_a_refusal_ends_the_job_with_its_reason(
    world: World, services: Services, server: FakeOpenAi, errors: str
) -> None:
    server.errors = errors  # type: ignore[assignment]
    server.refuses = frozenset({"size"})
    with poller_for(services, server.address) as poller:
        job_id = world.submit(world.user())
        world.finish(job_id, poller=poller)
    assert world.state(job_id) == "failed"
    last = world.timeline(job_id)[-1]
    assert last.code == "generator_refused"
    assert "It names: size." in last.detail
