"""Cancelling, deleting and account deletion, at every moment of a job's life."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any
from uuid import UUID

import pytest

from shared.accounts import store as user_store
from shared.clients.storage import Storage
from shared.core.errors import StillRunning
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import (
    GenerationRequest,
    Progress,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.img_generator import ImgGenerator
from shared.jobs import store as job_store
from shared.jobs import submission
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.poller import Poller
from tests.support.world import World


class Owner:
    """A user with actions on jobs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = world.user()
        self.credential = world.credential(self.id)

    def cancel(self, job_id: UUID) -> str:
        return submission.cancel(self.world.services, self.credential, job_id).state.value

    def delete(self, job_id: UUID) -> None:
        submission.delete(self.world.services, self.credential, job_id)

    def leave(self) -> None:
        with self.world.services.db.begin() as connection:
            user_store.close(connection, self.id)
            user_store.delete_some(connection, self.id)


@pytest.fixture
def owner(world: World) -> Owner:
    return Owner(world)


def refunded(world: World) -> bool:
    world.check_books()
    return bool(world.sql("SELECT quota_used FROM users") == [(0,)])


def test_cancel_while_queued(world: World, owner: Owner) -> None:
    job_id = world.submit(owner.id)
    assert owner.cancel(job_id) == "cancelled"
    assert world.poller.start() == []
    assert world.events(job_id) == ["accepted", "cancelled"]
    assert refunded(world)


def test_cancel_before_the_request_is_sent(world: World, owner: Owner, generator: FakeGenerator) -> None:
    job_id = world.submit(owner.id)
    world.poller.start()
    assert owner.cancel(job_id) == "generating"
    assert world.step(job_id) is None
    assert world.state(job_id) == "cancelled"
    assert generator.counts["initiated"] == 0
    assert refunded(world)


def test_cancel_in_flight_reaches_the_generator(world: World, owner: Owner, generator: FakeGenerator) -> None:
    generator.extensions, generator.plan = ALL_EXTENSIONS, Plan(polls=50)
    job_id = world.send(owner.id)
    owner.cancel(job_id)
    assert world.poller.advance(job_id) is None, "it is due immediately"
    assert world.state(job_id) == "cancelled"
    assert world.events(job_id)[-2:] == ["cancel_requested", "cancelled"]
    assert generator.counts["cancelled"] == 1
    assert refunded(world)


def test_a_cancel_does_not_wait_for_the_broker(world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wake-up is held on its way until the answer is there."""
    job_id = world.send(owner.id)
    asked, answered = threading.Event(), threading.Event()

    def send(*_sent: object, **_options: object) -> None:
        asked.set()
        assert answered.wait(60)

    monkeypatch.setattr(world.services.wake_ups._app, "send_task", send)
    with ThreadPoolExecutor(1) as threads:
        cancelling = threads.submit(owner.cancel, job_id)
        done, _ = wait([cancelling], 30)
        answered.set()
    assert done
    assert asked.wait(10)


def test_cancel_with_a_removed_generator(world: World, owner: Owner) -> None:
    job_id = world.send(owner.id)
    owner.cancel(job_id)
    world.step(job_id, Poller(world.services, ()))
    assert world.state(job_id) == "cancelled"


class Interrupting(ImgGenerator):
    """A generator client that runs a function during a call."""

    def __init__(self, address: GeneratorAddress, call: str, happening: Any) -> None:
        super().__init__(address)
        self.call, self.happening = call, happening

    def start(self, order: GenerationRequest) -> str:
        self._happen("start")
        return super().start(order)

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop, preview: bool = False) -> Progress:
        self._happen("status")
        return super().status(remote_id, wait_s=wait_s, stop=stop, preview=preview)

    def result(self, remote_id: str, order: GenerationRequest, stop: Stop = never_stop, room: Room = no_room) -> Result:
        self._happen("result")
        return super().result(remote_id, order, stop, room)

    def _happen(self, call: str) -> None:
        if call == self.call:
            self.happening()


def interrupted(world: World, generator: FakeGenerator, call: str, happening: Any) -> Poller:
    return Poller(world.services, (generator.address,), connect=lambda address: Interrupting(address, call, happening))


@pytest.mark.parametrize(
    ("call", "ending"),
    [
        ("start", "finished"),
        ("status", "finished"),
        ("status", "error"),
        ("status", "forget"),
        ("result", "finished"),
    ],
)
def test_cancel_during_a_step(world: World, owner: Owner, generator: FakeGenerator, call: str, ending: Any) -> None:
    generator.plan = Plan(ending=ending)
    job_id = world.submit(owner.id)
    poller = interrupted(world, generator, call, lambda: owner.cancel(job_id))
    poller.start()
    for _ in range(3):
        if world.state(job_id) == "generating":
            world.step(job_id, poller)
    assert world.state(job_id) == "cancelled"
    assert world.images(job_id) == []
    world.check_one_set(job_id, 0)
    assert refunded(world)
    poller.close()


def test_cancel_between_storing_and_the_commit(world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = world.send(owner.id)
    put = Storage.put

    def put_then_cancel(self: Storage, key: str, data: bytes, content_type: str) -> str:
        etag = put(self, key, data, content_type)
        if key.endswith(".webp"):  # the last object
            owner.cancel(job_id)
        return etag

    monkeypatch.setattr(Storage, "put", put_then_cancel)
    world.step(job_id)
    monkeypatch.undo()
    assert world.state(job_id) == "cancelled"
    assert len(world.services.storage.sizes_bytes(f"jobs/{job_id}/")) == 2
    assert world.poller.collect() == 2
    assert world.services.storage.sizes_bytes(f"jobs/{job_id}/") == {}
    assert refunded(world)


def test_only_a_finished_job_is_deleted(world: World, owner: Owner) -> None:
    job_id = world.submit(owner.id)
    with pytest.raises(StillRunning):
        owner.delete(job_id)
    world.finish(job_id)
    owner.delete(job_id)
    assert world.sql("SELECT id FROM jobs") == []
    assert world.poller.collect() == 2
    assert world.services.storage.sizes_bytes(f"jobs/{job_id}/") == {}
    assert world.sql("SELECT quota_used FROM users") == [(1,)]


def test_a_job_deleted_during_a_step_is_dropped(world: World, owner: Owner, generator: FakeGenerator) -> None:
    def vanish() -> None:
        with world.services.db.begin() as connection:
            job_store.delete(connection, job_id)

    job_id = world.send(owner.id)
    poller = interrupted(world, generator, "result", vanish)
    assert world.step(job_id, poller) is None
    assert world.sql("SELECT id FROM jobs UNION ALL SELECT id FROM images") == []
    world.check_one_set(job_id, 0)
    poller.close()


@pytest.mark.parametrize("call", ["start", "status", "result"])
def test_an_account_deleted_during_a_step(world: World, owner: Owner, generator: FakeGenerator, call: str) -> None:
    job_id = world.submit(owner.id)
    poller = interrupted(world, generator, call, owner.leave)
    poller.start()
    for _ in range(2):
        world.step(job_id, poller)
    assert world.sql("SELECT id FROM users UNION ALL SELECT id FROM jobs UNION ALL SELECT id FROM images") == []
    world.check_one_set(job_id, 0)
    world.sql("UPDATE garbage SET due_at = clock_timestamp()")
    world.poller.collect()
    assert world.services.storage.sizes_bytes(f"jobs/{job_id}/") == {}
    poller.close()
