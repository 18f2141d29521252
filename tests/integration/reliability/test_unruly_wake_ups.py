"""Wake-ups are lost, come twice and come late: all jobs end, each once. `make soak` does the same with 2,000 jobs."""

from contextlib import closing
from pathlib import Path

from shared.testing.fake_generator import FakeGenerator
from tests.support.audit import Ledger, audit
from tests.support.processes import program
from tests.support.unruly import Unruly
from tests.support.waiting import until
from tests.support.world import World

JOBS, USERS = 100, 5


def test_the_order_of_wake_ups_does_not_matter(world: World, environment: dict[str, str], tmp_path: Path) -> None:
    ledger, users = Ledger(), [world.user() for _ in range(USERS)]
    with (
        FakeGenerator(max_in_flight=16, extensions=("key",)) as fake,
        closing(Unruly(world.services.wake_ups, seed=7)) as wake_ups,
        program(environment | {"EASEL_GENERATORS": fake.setting}, tmp_path / "worker.log", "worker") as worker,
    ):
        for number in range(JOBS):
            user = users[number % USERS]
            ledger.note_submit(user, None, world.submit(user))
            wake_ups.wake()
        ended = "SELECT count(*) FROM jobs WHERE state = 'succeeded'"
        until(lambda: world.sql(ended) == [(JOBS,)], "all jobs have succeeded", 120)
        assert fake.counts["initiated"] == JOBS
        assert worker.stop() == 0
    assert audit(world.services, ledger) == []
