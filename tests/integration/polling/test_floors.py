"""Scans of the queue begin where it lives, although an old transaction keeps what is dead."""

import pytest
from sqlalchemy import Connection, text

from shared.polling import claims, dispatch
from shared.polling.floors import Floors
from shared.testing.fake_generator import FakeGenerator
from tests.support.waiting import until
from tests.support.world import World

PASSED = 300


def pass_through(world: World, jobs: int) -> None:
    """Let so many jobs of many users start, be claimed, and end."""
    for _ in range(jobs // 50):
        for _ in range(50):
            world.submit(world.user())
        started = world.poller.start()
        assert len(started) == 50
        for taken in world.poller.worker.claim_due(50):
            world.poller.work(taken)
        world.sql(
            "UPDATE jobs SET state = 'cancelled', finished_at = now(), next_step_at = NULL WHERE state = 'generating'"
        )
        world.sql("UPDATE users SET running = 0")


def entries(connection: Connection, index: str) -> int:
    """Return how many entries of this index this transaction has read so far."""
    query = text("SELECT pg_stat_get_xact_tuples_returned(CAST(:index AS regclass))")
    return int(connection.execute(query, {"index": index}).scalar_one())


def test_passed_jobs_are_not_passed_over_again(world: World, generator: FakeGenerator) -> None:
    generator.max_in_flight = 50
    world.poller.addresses = (generator.address,)
    world.poller.report()
    world.poller.sweep()
    floors = Floors()
    with world.services.db.begin() as old:
        old.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        old.execute(text("SELECT count(*) FROM jobs"))
        pass_through(world, PASSED)
        waiting = world.submit(world.user())
        world.sql("ANALYZE jobs, users")
        [kind] = {row.protocols for row in world.sql("SELECT DISTINCT protocols FROM jobs WHERE state = 'queued'")}

        def read(floor: dispatch.Place) -> int:
            with world.services.db.begin() as connection:
                connection.execute(text("SET LOCAL enable_seqscan = off"))
                connection.execute(text("SET LOCAL enable_bitmapscan = off"))
                before = entries(connection, "ix_jobs_queue_of")
                found = dispatch.list_next(connection, max_running=1, kinds=[kind], limit=10, floor=floor)
                assert [job.id for job in found] == [waiting]
                return entries(connection, "ix_jobs_queue_of") - before

        def read_from_floor() -> int:
            floors.expire()
            floors.refresh(world.services.db)
            return read(floors.place)

        until(lambda: read_from_floor() < PASSED / 10, "the end of the second that is left for others")
        assert read(dispatch.FIRST) >= PASSED, "the old transaction keeps the entries"


def test_a_job_that_waits_is_never_below_the_floors(world: World, generator: FakeGenerator) -> None:
    floors = Floors()
    floors.refresh(world.services.db)
    job_id = world.send()
    world.hurry()
    floors.expire()
    floors.refresh(world.services.db)
    with world.services.db.begin() as connection:
        assert [claim.id for claim in claims.claim_due(connection, claims.new_tokens(9), floors.due_at)] == [job_id]
    # Its worker dies, and others have meanwhile looked: the lease keeps it out of their sight.
    floors.expire()
    floors.refresh(world.services.db)
    world.expire_lease(job_id)
    floors.expire()
    floors.refresh(world.services.db)
    with world.services.db.begin() as connection:
        [claim] = claims.claim_due(connection, claims.new_tokens(9), floors.due_at)
        assert claim.crashed


def test_a_job_that_is_retried_is_found(
    world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.polling.floors.KEPT_S", 3600.0)  # a busy machine may rest for a second
    first = world.submit(world.user())
    world.sql("UPDATE queue_clock SET turn = 1000")
    world.sql("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = :id", id=first)
    floors = Floors()
    floors.refresh(world.services.db)
    assert floors.place[0] == 1000
    world.sql("UPDATE jobs SET state = 'queued', finished_at = NULL WHERE id = :id", id=first)
    floors.refresh(world.services.db)
    assert floors.place[0] == 1000, "a look is kept for a while"
    floors.expire()
    floors.refresh(world.services.db)
    assert floors.place[0] < 1000
