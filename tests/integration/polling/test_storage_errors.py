"""A storage that fails now and then: what was fetched is kept until it is stored, and is stored once."""

from collections.abc import Iterator

import pytest

from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.fault_proxy import CLEAR, FaultProxy, Way
from tests.support.poller import Poller
from tests.support.world import World, with_settings

JOBS = 12


@pytest.fixture
def way_to_storage(services: Services) -> Iterator[FaultProxy]:
    port = int(services.settings.s3_endpoint.rsplit(":", 1)[1])
    proxy = FaultProxy(port, http=True)
    yield proxy
    proxy.close()


@pytest.fixture
def poller_behind(services: Services, generator: FakeGenerator, way_to_storage: FaultProxy) -> Iterator[Poller]:
    behind = with_settings(services, s3_endpoint=f"http://127.0.0.1:{way_to_storage.port}")
    poller = Poller(behind, (generator.address,))
    yield poller
    poller.close_clients()
    behind.db.close()


@pytest.mark.parametrize("way", [Way(status=503, every=2), Way(of="PUT", loses_reply=True, every=2)])
def test_an_error_now_and_then_costs_no_step(
    world: World, generator: FakeGenerator, way_to_storage: FaultProxy, poller_behind: Poller, way: Way
) -> None:
    jobs = [world.submit(world.user()) for _ in range(JOBS)]
    way_to_storage.way = way
    world.finish(*jobs, poller=poller_behind)
    assert way_to_storage.met >= JOBS
    for job_id in jobs:
        assert (world.state(job_id), "waiting" in world.events(job_id)) == ("succeeded", False)
        assert len(world.images(job_id)) == 1
    assert generator.counts["results"] == JOBS


def test_what_was_fetched_is_kept_until_it_is_stored(
    world: World, generator: FakeGenerator, way_to_storage: FaultProxy, poller_behind: Poller
) -> None:
    job_id = world.send()
    way_to_storage.way = Way(of="PUT", status=503)
    while not way_to_storage.met:
        assert world.step(job_id, poller_behind) is not None
    assert world.row(job_id).waiting is not None
    way_to_storage.way = CLEAR
    world.finish(job_id, poller=poller_behind)
    assert world.state(job_id) == "succeeded"
    assert generator.counts["results"] == 1
