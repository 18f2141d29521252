"""A generator, or a storage, that is slow costs only its own jobs."""

import threading
from typing import Any
from uuid import UUID

import pytest

from shared.clients.storage import Storage
from shared.polling import latency
from shared.polling.generators import register
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.integration.polling.test_pump import Counted, finished, pumping
from tests.support.poller import Poller
from tests.support.waiting import until
from tests.support.world import World


def jobs_at(world: World, generator: FakeGenerator, count: int) -> list[UUID]:
    """Start jobs at this generator."""
    world.poller.addresses = (generator.address,)
    world.poller.sweep()
    jobs = [world.submit(world.user()) for _ in range(count)]
    assert set(world.poller.start()) == set(jobs)
    return jobs


def test_calls_that_hang_leave_room_for_the_jobs_of_another_generator(world: World, generator: FakeGenerator) -> None:
    generator.max_in_flight = 8
    hanging = Counted(generator)
    with FakeGenerator(max_in_flight=4) as well:
        stuck, others = jobs_at(world, generator, 8), jobs_at(world, well, 4)
        world.poller.addresses = (generator.address, well.address)
        with pumping(world.poller, 2):
            until(lambda: finished(world) == 4, "the jobs of the generator that is well")
            assert {world.state(job_id) for job_id in others} == {"succeeded"}
            assert {world.state(job_id) for job_id in stuck} == {"generating"}
            hanging.go_on.set()
            until(lambda: finished(world) == 12, "all jobs")
        world.poller.close_clients()
    world.check_books()


def test_stores_that_hang_leave_room_for_other_steps(
    world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator.max_in_flight = 9
    put, go_on = Storage.put, threading.Event()
    jobs = jobs_at(world, generator, 9)
    quick = str(jobs[-1])

    def hang(storage: Storage, key: str, data: bytes, content_type: str) -> str:
        if quick not in key:
            go_on.wait(60)
        return put(storage, key, data, content_type)

    monkeypatch.setattr(Storage, "put", hang)
    with pumping(world.poller, 2):
        until(lambda: world.state(jobs[-1]) == "succeeded", "the job whose objects are stored")
        assert finished(world) == 1
        go_on.set()
        until(lambda: finished(world) == 9, "all jobs")


def test_a_process_has_a_share_of_one_generators_jobs_in_hand(world: World, generator: FakeGenerator) -> None:
    generator.max_in_flight = 2
    with FakeGenerator(max_in_flight=2) as other:
        jobs_at(world, generator, 2)
        others = jobs_at(world, other, 2)
        claimed = world.poller.worker.claim_due(9, without=[generator.address.name])
        assert {taken.claim.id for taken in claimed} == set(others)
        world.poller.worker.write([world.poller.worker.do(taken) for taken in claimed])
        world.poller.close_clients()


def test_a_slow_generator_gets_no_jobs_that_another_one_can_make(
    world: World, services: Services, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator.max_in_flight = 1
    slow = generator.address.name
    with FakeGenerator(max_in_flight=1) as other:
        poller = Poller(services, (generator.address, other.address))
        poller.sweep()
        poller.pool.latency.record(slow, 9.0)
        jobs = [world.submit(world.user()) for _ in range(3)]
        poller.sweep()
        assert [world.row(job_id).generator for job_id in jobs] == [other.address.name, None, None]
        monkeypatch.setattr(latency, "FORGOTTEN_S", -1.0)
        poller.sweep()
        assert [world.row(job_id).generator for job_id in jobs[1:]] == [slow, None], "it is tried again"
        monkeypatch.undo()
        generator.max_in_flight = 2
        poller.addresses = (generator.address,)
        poller.sweep()
        assert world.row(jobs[2]).generator == slow, "there is no other one"
        poller.close_clients()


def test_health_calls_that_hang_do_not_hold_up_the_sweep(
    world: World, services: Services, generator: FakeGenerator
) -> None:
    go_on, asked = threading.Event(), threading.Barrier(4)
    with FakeGenerator() as one, FakeGenerator() as two, FakeGenerator() as three:
        failed = (one, two, three)
        for fake in failed:
            hang(fake, asked, go_on)
        poller = Poller(services, (generator.address, *(fake.address for fake in failed)))
        world.sql("UPDATE generators SET look_at = now() + interval '1 day'")
        with services.db.begin() as connection:
            register(connection, poller.pool.list_addresses())
        world.sql(
            "UPDATE generators SET failures = 1, last_error = 'x', retry_at = now() WHERE name <> :name",
            name=generator.address.name,
        )
        job_id = world.submit(world.user())
        poller.sweep()
        assert world.state(job_id) == "generating"
        assert world.sql("SELECT count(*) FROM generators WHERE failures > 0") == [(3,)]
        asked.wait(30)  # all three were asked at the same time
        go_on.set()

        def are_well() -> bool:
            poller.sweep()
            return world.sql("SELECT sum(failures) FROM generators") == [(0,)]

        until(are_well, "all are well")
        poller.close_clients()


def hang(fake: FakeGenerator, asked: threading.Barrier, go_on: threading.Event) -> None:
    """Answer health calls only when the test lets go."""
    usual = fake.answer

    def answer(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        if path == "/health" and not go_on.is_set():
            asked.wait(30)
            go_on.wait(30)
        return usual(method, path, fields)

    fake.answer = answer  # type: ignore[method-assign]
