"""A storage that answers 503 to every other request, or loses its replies: jobs go on, and nothing is fetched twice."""

import pytest

from bench.faulty_storage import faulty_storage
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.integration.polling.test_pump import pumping
from tests.support.waiting import until
from tests.support.world import World, with_settings

JOBS = 6


@pytest.mark.parametrize(("refuses", "loses_replies"), [(True, False), (True, True)])
def test_each_picture_is_fetched_once(
    world: World, services: Services, generator: FakeGenerator, refuses: bool, loses_replies: bool
) -> None:
    generator.max_in_flight = JOBS
    world.poller.addresses = (generator.address,)
    world.poller.sweep()
    with faulty_storage(services.settings.s3_endpoint, refuses=refuses, loses_replies=loses_replies) as endpoint:
        world.poller.services = with_settings(services, s3_endpoint=endpoint)
        jobs = [world.submit(world.user()) for _ in range(JOBS)]
        with pumping(world.poller, 8):
            until(lambda: all(world.state(job_id) == "succeeded" for job_id in jobs), "all jobs", 60)
        world.poller.services.db.close()
    assert generator.counts["results"] == JOBS
    for job_id in jobs:
        world.check_one_set(job_id, 1)
