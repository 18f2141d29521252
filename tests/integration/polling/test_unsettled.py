"""Claims and outcomes that the database does not take: no worker has died, and nothing that was stored is forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection

from shared.core.db import Database
from shared.core.errors import Unavailable
from shared.jobs.store import Lost
from shared.polling import lease
from shared.polling.worker import Taken
from tests.support.poller import Poller
from tests.support.refused_writes import refused_writes
from tests.support.waiting import until
from tests.support.world import World

RENEWALS = "INSERT OR UPDATE ON leases FOR EACH ROW"
END_OF_A_CLAIM = "UPDATE ON jobs FOR EACH ROW WHEN (old.lease_until IS NOT NULL AND new.lease_until IS NULL)"


def claim(world: World, job_id: UUID) -> Taken:
    world.hurry()
    taken = world.poller.claim(job_id)
    assert taken is not None
    return taken


@pytest.mark.parametrize("sqlstate", ["53100", "25006", "40001", "57P03", "XX000"])
def test_a_claim_is_kept_until_its_end_is_written(world: World, monkeypatch: pytest.MonkeyPatch, sqlstate: str) -> None:
    """As on a full disk: small changes still find room, and those that end steps do not."""
    monkeypatch.setattr(lease, "LEASE_RENEWAL_S", 0.02)
    job_id = world.send(n=2)
    taken = claim(world, job_id)
    token = taken.claim.attempt_token
    worker = world.poller.worker
    with refused_writes(world.services.db, sqlstate, END_OF_A_CLAIM):
        [ended] = worker.write([worker.do(taken)])
        assert isinstance(ended.result, Unavailable)
        world.expire_lease(job_id)
        renewed = "SELECT FROM leases WHERE attempt_token = :token AND until > clock_timestamp()"
        until(lambda: bool(world.sql(renewed, token=token)), "the lease is renewed", 60, 0.02)
        assert world.poller.claim(job_id) is None, "no other worker takes it"
    until(lambda: world.row(job_id).lease_until is None, "the claim ends", 60, 0.02)
    assert f"jobs/{job_id}/{token}/" in world.garbage()
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).crashes) == ("succeeded", 0)
    world.check_one_set(job_id, 2)
    world.check_books()


def test_what_a_forgotten_claim_has_stored_is_garbage(world: World) -> None:
    """Claims are committed lazily: a server that falls within a second forgets them."""
    job_id = world.send(n=2)
    [before] = world.sql("SELECT attempt_token, lease_until, crashes FROM jobs")
    taken = claim(world, job_id)
    done = world.poller.worker.do(taken)
    world.sql("UPDATE jobs SET attempt_token = :attempt_token, lease_until = NULL", attempt_token=before.attempt_token)
    [ended] = world.poller.worker.write([done])
    assert isinstance(ended.result, Lost)
    world.finish(job_id)
    assert world.row(job_id).crashes == 0
    assert len(world.services.storage.sizes_bytes(f"jobs/{job_id}/")) == 8
    world.check_one_set(job_id, 2)


def test_an_outcome_whose_commit_was_not_answered_keeps_its_pictures(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = world.send(n=2)
    taken = claim(world, job_id)
    done = world.poller.worker.do(taken)
    begin = Database.begin
    lost: list[Database] = []

    @contextmanager
    def unanswered(self: Database) -> Iterator[Connection]:
        with begin(self) as connection:
            yield connection
        if not lost:
            lost.append(self)
            raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(Database, "begin", unanswered)
        [ended] = world.poller.worker.write([done])
    assert isinstance(ended.result, Unavailable)
    assert (world.state(job_id), world.garbage()) == ("succeeded", {f"jobs/{job_id}/preview/"})
    world.check_one_set(job_id, 2)


def test_a_preview_of_an_unwritten_step_is_garbage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = world.send()
    taken = claim(world, job_id)
    done = world.poller.worker.do(taken)
    with monkeypatch.context() as patch:

        def refuse(*_: Any, **__: Any) -> None:
            raise Unavailable

        patch.setattr("shared.polling.outcomes._write_batch", refuse)
        world.poller.worker.write([done])
    assert f"jobs/{job_id}/preview/" in world.garbage()


def test_a_worker_that_could_not_renew_its_claim_has_not_crashed(world: World) -> None:
    job_id = world.send()
    worker, other = world.poller.worker, Poller(world.services, world.poller.addresses)
    taken = claim(world, job_id)
    with refused_writes(world.services.db, "53100", RENEWALS):
        world.expire_lease(job_id)
        taken_over = other.claim(job_id)
    assert taken_over is not None
    assert world.row(job_id).crashes == 1
    [ended] = worker.write([worker.do(taken)])
    assert isinstance(ended.result, Lost)
    assert world.row(job_id).crashes == 0
    other.work(taken_over)
    assert world.state(job_id) == "succeeded"
    other.close_clients()


@pytest.mark.parametrize("taken_over", [False, True])
def test_a_claim_whose_answer_was_lost_is_given_back(
    world: World, monkeypatch: pytest.MonkeyPatch, *, taken_over: bool
) -> None:
    job_id = world.send()
    world.hurry()
    statement = Database.statement

    @contextmanager
    def unanswered(self: Database) -> Iterator[Connection]:
        with statement(self) as connection:
            yield connection
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(Database, "statement", unanswered)
        with pytest.raises(Unavailable):
            world.poller.claim(job_id)
    assert world.row(job_id).lease_until is not None
    other = Poller(world.services, world.poller.addresses)
    if taken_over:
        world.expire_lease(job_id)
        other_claim = other.claim(job_id)
        assert other_claim is not None
        assert world.poller.claim(job_id) is None
        other.work(other_claim)
    else:
        assert other.claim(job_id) is None, "the claim is still held"
        world.step(job_id)
    assert (world.state(job_id), world.row(job_id).crashes) == ("succeeded", 0)
    other.close_clients()
