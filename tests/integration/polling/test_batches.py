"""Batches: the outcomes of many steps in one transaction, each fenced by its own claim."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from shared.core import locks
from shared.core.db import Database, DatabaseFault
from shared.core.errors import Unavailable
from shared.jobs import store as job_store
from shared.jobs.records import StoredImage
from shared.jobs.states import Event, State
from shared.polling import claims as claim_store
from shared.polling import outcomes
from shared.polling.outcomes import Written
from shared.polling.worker import Ended, Taken
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.poller import Poller
from tests.support.world import World


@pytest.fixture(params=[1, 64])
def at_once(request: pytest.FixtureRequest) -> int:
    """Return how many outcomes are written in one batch."""
    return int(request.param)


def take(world: World, count: int, **request: Any) -> list[Taken]:
    """Submit jobs, two of each user, send them, and claim them for their next step."""
    users = [world.user() for _ in range((count + 1) // 2)]
    jobs = [world.submit(users[number // 2], **request) for number in range(count)]
    assert set(world.poller.start()) == set(jobs)
    for job_id in jobs:
        world.poller.advance(job_id)
    world.hurry()
    taken = world.poller.worker.claim_due(64)
    assert {claimed.claim.id for claimed in taken} == set(jobs)
    return taken


def write(world: World, taken: Sequence[Taken], at_once: int) -> list[Ended]:
    """Do the steps side by side, and write their outcomes in batches."""
    worker = world.poller.worker
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(worker.do, taken))
    return [ended for first in range(0, len(done), at_once) for ended in worker.write(done[first : first + at_once])]


@pytest.fixture(autouse=True)
def room(generator: FakeGenerator, world: World) -> None:
    generator.max_in_flight = 64
    world.poller.addresses = (generator.address,)
    world.poller.sweep()


def test_a_lost_claim_loses_only_its_own_outcome(world: World, at_once: int) -> None:
    taken = take(world, 9)
    lost = [claimed.claim for claimed in taken[1::4]]
    for claim in lost:
        world.expire_lease(claim.id)
        assert world.poller.claim(claim.id) is not None, "another worker has it now"
    ended = write(world, taken, at_once)
    failed = [end.done.taken.claim.id for end in ended if isinstance(end.result, job_store.Lost)]
    assert failed == [claim.id for claim in lost]
    for claimed in taken:
        gone = claimed.claim in lost
        assert world.state(claimed.claim.id) == ("generating" if gone else "succeeded")
        assert len(world.images(claimed.claim.id)) == (0 if gone else 1)
    for claim in lost:
        world.expire_lease(claim.id)
    world.finish(*(claim.id for claim in lost))
    for claimed in taken:
        world.check_one_set(claimed.claim.id, 1)
    world.check_books()


def test_a_statement_that_fails_for_one_job_fails_it_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    taken = take(world, 7)
    poisoned = taken[3].claim.id
    insert = claim_store.insert_images

    def refuse(connection: Connection, images: Mapping[UUID, Sequence[StoredImage]]) -> None:
        if poisoned in images:
            raise DatabaseFault("a value that this column cannot hold")
        insert(connection, images)

    with monkeypatch.context() as patch:
        patch.setattr(claim_store, "insert_images", refuse)
        ended = write(world, taken, at_once)
    assert [isinstance(end.result, Written) for end in ended] == [claimed.claim.id != poisoned for claimed in taken]
    states = {claimed.claim.id: world.state(claimed.claim.id) for claimed in taken}
    assert states.pop(poisoned) == "generating"
    assert set(states.values()) == {"succeeded"}
    world.expire_lease(poisoned)
    world.finish(poisoned)
    for claimed in taken:
        world.check_one_set(claimed.claim.id, 1)
    world.check_books()


def test_an_unavailable_database_is_not_asked_for_every_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = take(world, 12)
    tries: list[int] = []

    def unreachable(_db: Database, decided: Sequence[object], **_options: object) -> list[outcomes.Result]:
        tries.append(len(decided))
        raise Unavailable("The database cannot be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "_write_batch", unreachable)
        ended = write(world, taken, 64)
    assert tries == [12, 1], "the batch, and one job of it"
    assert {type(end.result) for end in ended} == {Unavailable}
    assert world.sql("SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL") == [(0,)], "the claims are released"
    jobs = [claimed.claim.id for claimed in taken]
    world.finish(*jobs)
    for job_id in jobs:
        world.check_one_set(job_id, 1)
        assert world.row(job_id).crashes == 0


def test_a_cancel_while_the_steps_run_cancels_its_job_only(world: World, at_once: int) -> None:
    taken = take(world, 6)
    cancelled = taken[2].claim.id
    with world.services.db.begin() as connection:
        assert job_store.request_cancel(connection, cancelled)
    ended = write(world, taken, at_once)
    names = [end.result.name for end in ended if isinstance(end.result, Written)]
    assert names == ["cancelled" if claimed.claim.id == cancelled else "succeeded" for claimed in taken]
    assert world.images(cancelled) == []
    world.check_books()


def test_different_outcomes_share_a_batch(world: World, generator: FakeGenerator, at_once: int) -> None:
    endings = [Plan(), Plan(ending="error"), Plan(polls=5), Plan(ending="forget"), Plan()]
    generator.plans.extend(endings)
    taken = sorted(take(world, 5), key=lambda claimed: int(claimed.claim.remote_id or 0))
    ended = write(world, taken, at_once)
    names = [end.result.name for end in ended if isinstance(end.result, Written)]
    assert names == ["succeeded", "requeued", "goes_on", "requeued", "succeeded"]
    assert [end.next_step_s is None for end in ended] == [True, True, False, True, True]
    jobs = [claimed.claim.id for claimed in taken]
    world.finish(*jobs)
    for job_id in jobs:
        world.check_one_set(job_id, 1)
    world.check_books()


def test_batches_of_the_same_users_do_not_block_each_other(world: World, generator: FakeGenerator) -> None:
    """Workers write, a dispatcher starts and users submit at once; each locks several users' rows."""
    users = [world.user() for _ in range(6)]
    for _ in range(8):
        for user in users:
            world.submit(user)
    others = [Poller(world.services, (generator.address,)) for _ in range(3)]

    def run(poller: Poller) -> list[outcomes.Result | Exception | None]:
        results: list[outcomes.Result | Exception | None] = []
        for _ in range(60):
            poller.start()
            taken = poller.worker.claim_due(7)
            results += [ended.result for ended in poller.worker.write([poller.worker.do(each) for each in taken])]
            world.submit(users[len(results) % len(users)])
        return results

    with ThreadPoolExecutor(3) as threads:
        results = [result for found in threads.map(run, others) for result in found]
    assert [result for result in results if not isinstance(result, Written)] == []
    world.check_books()
    for poller in others:
        poller.close_clients()


def test_a_cancelled_job_in_a_batch_makes_it_lock_no_user_out_of_order(world: World) -> None:
    """Another statement that locks the same users, such as a dispatcher's, would wait for it, and it for that."""
    older, _, newer = sorted(take(world, 3), key=lambda claimed: owner(world, claimed))
    with world.services.db.begin() as connection:
        assert job_store.request_cancel(connection, older.claim.id)
    with ThreadPoolExecutor(1) as threads, world.services.db.begin() as other:
        locks.lock_users(other, [owner(world, older)])
        writing = threads.submit(write, world, [newer, older], 64)
        world.until_one_waits()
        query = text("SELECT FROM users WHERE id = :id FOR UPDATE NOWAIT")
        other.execute(query, {"id": owner(world, newer)})
        other.rollback()
        names = [end.result.name for end in writing.result() if isinstance(end.result, Written)]
    assert names == ["succeeded", "cancelled"]
    world.check_books()


def owner(world: World, claimed: Taken) -> UUID:
    """Return the id of the claimed job's user. Users' rows are locked in the order of their ids."""
    user_id: UUID = world.row(claimed.claim.id).user_id
    return user_id


def test_many_jobs_move_by_one_statement(world: World) -> None:
    users = [world.user() for _ in range(2)]
    jobs = [world.submit(users[number % 2]) for number in range(6)]
    moves = [job_store.Move(job_id, State.GENERATING, Event.STARTED, generator="a") for job_id in jobs]
    with world.services.db.begin() as connection:
        assert set(job_store.move_all(connection, moves[:4])) == set(jobs[:4])
        assert set(job_store.move_all(connection, moves)) == set(jobs[4:]), "the others are not queued any more"
        ends = [
            job_store.Move(jobs[0], State.CANCELLED, Event.CANCELLED),
            job_store.Move(jobs[1], State.SUCCEEDED, Event.SUCCEEDED),
            job_store.Move(jobs[2], State.QUEUED, Event.RETRYING, attempts=1),
        ]
        job_store.move_all(connection, ends)
        assert job_store.move_all(connection, []) == {}
    assert [world.state(job_id) for job_id in jobs] == ["cancelled", "succeeded", "queued", *["generating"] * 3]
    world.check_books()
