"""Claims: one worker at a time; a dead one is replaced, a frozen one writes nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.generators import connect
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator, Progress, Stop, never_stop
from shared.generators.img_generator import ImgGenerator
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.records import StoredImage
from shared.jobs.states import Event, State
from shared.polling import claims as claim_store
from shared.polling import dispatch, lease, lease_store
from shared.polling.claims import ClaimedJob, Release
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.poller import Poller
from tests.support.waiting import until
from tests.support.world import World


def claim(world: World, job_id: UUID) -> ClaimedJob | None:
    with world.services.db.statement() as connection:
        return claim_store.claim(connection, job_id)


def claimed(world: World, job_id: UUID) -> ClaimedJob:
    world.hurry()
    found = claim(world, job_id)
    assert found is not None
    return found


def renewals(world: World) -> list[datetime]:
    return [row.until for row in world.sql("SELECT until FROM leases")]


def test_only_one_of_many_claims_succeeds(world: World) -> None:
    job_id = world.send()
    world.hurry()
    barrier = threading.Barrier(8)

    def take(_: int) -> ClaimedJob | None:
        barrier.wait(30)
        return claim(world, job_id)

    with ThreadPoolExecutor(8) as threads:
        assert len([found for found in threads.map(take, range(8)) if found]) == 1


def test_only_commits_that_can_be_made_again_do_not_wait_for_the_disk(world: World) -> None:
    show = text("SHOW synchronous_commit")
    world.send()
    world.hurry()
    with world.services.db.begin() as connection:
        usual = connection.execute(show).scalar_one()
        assert claim_store.claim_due(connection, claim_store.new_tokens(1))
        assert connection.execute(show).scalar_one() == "off"
    with world.services.db.begin() as connection:
        dispatch.lock_clock(connection)
        assert connection.execute(show).scalar_one() == "off"
    with world.services.db.begin() as connection:
        assert connection.execute(show).scalar_one() == usual != "off"


def test_a_step_that_is_not_due_is_not_claimed(world: World) -> None:
    job_id = world.send()
    world.sql("UPDATE jobs SET next_step_at = clock_timestamp() + interval '1 minute'")
    assert world.poller.advance(job_id) is None
    assert claim(world, job_id) is None


def test_only_a_generating_job_is_claimed(world: World) -> None:
    queued = world.submit(world.user())
    assert claim(world, queued) is None
    world.finish(queued)
    world.sql("UPDATE jobs SET next_step_at = clock_timestamp() - interval '1 s'")
    assert claim(world, queued) is None


def test_a_dead_workers_job_is_found_and_continued(world: World) -> None:
    job_id = world.send()
    dead = claimed(world, job_id)
    assert job_id not in world.poller.sweep()
    world.expire_lease(job_id)
    assert job_id in world.poller.sweep()
    world.poller.advance(job_id)
    assert world.state(job_id) == "succeeded"
    assert world.events(job_id) == ["accepted", "started", "sent", "recovered", "succeeded"]
    assert world.row(job_id).crashes == 1
    assert f"jobs/{job_id}/{dead.attempt_token}/" in world.garbage()


def test_a_job_that_kills_its_worker_three_times_fails(world: World) -> None:
    job_id = world.send()
    for _ in range(3):
        claimed(world, job_id)
        world.expire_lease(job_id)
    measured: list[tuple[str, str, float]] = []
    Poller(world.services, world.poller.addresses, measure=lambda *step: measured.append(step)).advance(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.crashes) == ("failed", "crashed_worker", 3)
    assert measured == [], "no step was done"
    assert world.events(job_id)[-1] == "failed"
    world.check_books()
    assert world.sql("SELECT quota_used FROM users") == [(0,)]


def test_a_frozen_worker_writes_nothing(world: World) -> None:
    job_id = world.send()
    frozen = claimed(world, job_id)
    world.expire_lease(job_id)
    alive = claimed(world, job_id)
    before = world.sql("SELECT * FROM jobs"), world.timeline(job_id)
    with world.services.db.begin() as connection:
        assert not lease_store.renew(connection, [frozen])
        for to in (State.QUEUED, State.FAILED, State.CANCELLED, State.SUCCEEDED):
            with pytest.raises(job_store.Lost):
                job_store.move(
                    connection, job_id, to, Event.FAILED, attempt_token=frozen.attempt_token, reason=GENERATOR_FAILED
                )
        assert claim_store.release(connection, [(frozen, Release(1, progress=0.9, event=Event.PROCESSING))]) == {}
        assert lease_store.renew(connection, [alive]) == {alive.attempt_token: False}
    world.sql("UPDATE jobs SET lease_until = :lease", lease=before[0][0].lease_until)
    assert (world.sql("SELECT * FROM jobs"), world.timeline(job_id)) == before


def test_a_released_claim_is_not_renewed(world: World) -> None:
    job_id = world.send()
    held = claimed(world, job_id)
    with world.services.db.begin() as connection:
        assert claim_store.release(connection, [(held, Release(5))]) == {job_id: False}
        assert not lease_store.renew(connection, [held])
    assert world.row(job_id).lease_until is None


def test_images_of_a_lost_claim_roll_back(world: World) -> None:
    job_id = world.send()
    claimed(world, job_id)
    stale = claimed_again = None
    stale = world.row(job_id).attempt_token
    world.expire_lease(job_id)
    claimed_again = claimed(world, job_id)
    image = StoredImage(0, "a", "b", 64, 64, 10, 1, None)

    def commit(token: UUID) -> None:
        with world.services.db.begin() as connection:
            claim_store.insert_images(connection, {job_id: [image]})
            job_store.move(connection, job_id, State.SUCCEEDED, Event.SUCCEEDED, attempt_token=token)

    with pytest.raises(job_store.Lost):
        commit(stale)
    assert world.images(job_id) == []
    commit(claimed_again.attempt_token)
    assert len(world.images(job_id)) == 1


class Waiting(ImgGenerator):
    """A generator whose status call lasts until the test releases it."""

    def __init__(self, address: GeneratorAddress) -> None:
        super().__init__(address)
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop, preview: bool = False) -> Progress:
        self.asked.set()
        assert self.go_on.wait(30)
        return super().status(remote_id, wait_s=wait_s, stop=stop, preview=preview)


def test_a_long_step_keeps_its_claim(world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_RENEWAL_S", 0.02)
    slow = Waiting(generator.address)
    generator.plan = Plan(polls=1)
    job_id = world.send()

    def connect_slowly(address: GeneratorAddress) -> Generator:
        return slow

    other = Poller(world.services, (generator.address,), connect=connect_slowly)
    world.hurry()
    thread = threading.Thread(target=other.advance, args=(job_id,))
    thread.start()
    assert slow.asked.wait(30)
    row = world.row(job_id)
    until(lambda: renewals(world) != [], "the first renewal")
    [first] = renewals(world)
    until(lambda: renewals(world) > [first], "the next one")
    assert world.row(job_id) == row, "the wide row is not written"
    assert claim(world, job_id) is None
    slow.go_on.set()
    thread.join(30)
    slow.close()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "lease"], "the end of renewals")
    assert world.row(job_id).lease_until is None
    world.finish(job_id)


def test_a_worker_frozen_during_a_step_stops_without_writing(world: World, generator: FakeGenerator) -> None:
    slow = Waiting(generator.address)
    job_id = world.send()
    frozen = Poller(world.services, (generator.address,), connect=lambda address: slow)
    world.hurry()
    answers: list[float | None] = []
    thread = threading.Thread(target=lambda: answers.append(frozen.advance(job_id)))
    thread.start()
    assert slow.asked.wait(30)
    world.expire_lease(job_id)
    world.poller.advance(job_id)
    assert world.state(job_id) == "succeeded"
    slow.go_on.set()
    thread.join(30)
    slow.close()
    assert answers == [None]
    world.check_one_set(job_id, 1)
    world.check_books()


def test_a_client_is_created_once_for_each_generator(world: World, generator: FakeGenerator) -> None:
    made: list[GeneratorAddress] = []

    def count(address: GeneratorAddress) -> Generator:
        made.append(address)
        return connect(address)

    poller = Poller(world.services, (generator.address,), connect=count)
    world.finish(world.submit(world.user()), world.submit(world.user()), poller=poller)
    assert made == [generator.address]
    poller.close_clients()
