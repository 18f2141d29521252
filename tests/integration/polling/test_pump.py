"""The pump: it moves every due job of a process, a bounded number at once, and folds wake-ups."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.core.errors import Unavailable
from shared.jobs import store as job_store
from shared.polling import dispatch, lease
from shared.polling.latency import SLOW_S
from shared.polling.pump import Pump
from shared.polling.worker import Taken
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from shared.testing.fake_glide import FakeGlide
from tests.support.poller import Poller
from tests.support.waiting import until
from tests.support.world import World


@contextmanager
def pumping(poller: Poller, at_once: int, slow_s: float = SLOW_S) -> Iterator[Pump]:
    pump = Pump(poller.worker, at_once, slow_s)
    pump.wake()
    try:
        yield pump
    finally:
        pump.stop()


def finished(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM jobs WHERE state = 'succeeded'")[0][0])


@pytest.mark.parametrize("at_once", [1, 64])
def test_it_moves_every_job_to_its_end(world: World, generator: FakeGenerator, at_once: int) -> None:
    generator.max_in_flight = 8
    world.poller.addresses = (generator.address,)
    generator.plan = Plan(polls=1)
    users = [world.user() for _ in range(3)]
    jobs = [world.submit(users[number % 3]) for number in range(24)]
    world.poller.sweep()
    with pumping(world.poller, at_once):
        until(lambda: finished(world) == 24, "all jobs")
    assert generator.counts["initiated"] == 24
    assert generator.most_in_flight <= 8
    for job_id in jobs:
        world.check_one_set(job_id, 1)
        assert world.events(job_id) == ["accepted", "started", "sent", "processing", "succeeded"]
    world.check_books()


class Counted:
    """Holds status calls until `expected` of them wait at once, or until the test lets go."""

    def __init__(self, fake: FakeGenerator) -> None:
        self.waiting = self.most = 0
        self.go_on = threading.Event()
        self._lock = threading.Lock()
        usual = fake.answer

        def answer(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
            if path != "/check_status":
                return usual(method, path, fields)
            with self._lock:
                self.waiting += 1
                self.most = max(self.most, self.waiting)
            self.go_on.wait(60)
            with self._lock:
                self.waiting -= 1
            return usual(method, path, fields)

        fake.answer = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("at_once", [1, 5])
def test_it_has_so_many_steps_in_hand(world: World, generator: FakeGenerator, at_once: int) -> None:
    generator.max_in_flight = 12
    world.poller.addresses = (generator.address,)
    counted = Counted(generator)
    for _ in range(12):
        world.submit(world.user())
    world.poller.sweep()
    with pumping(world.poller, at_once, float("inf")):
        until(lambda: counted.waiting == at_once, "the steps that it may do at once")
        assert world.sql("SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL") == [(at_once,)]
        counted.go_on.set()
        until(lambda: finished(world) == 12, "all jobs")
    assert counted.most == at_once


def test_a_step_that_takes_long_leaves_room_for_others(world: World, generator: FakeGenerator) -> None:
    with FakeGlide(max_in_flight=3) as glide:
        glide.hold()
        world.poller.addresses = (glide.address,)
        hanging = [world.submit(world.user()) for _ in range(3)]
        world.poller.sweep()
        with pumping(world.poller, 1) as pump:
            until(lambda: glide.in_flight == 3, "three calls that hang")
            world.poller.addresses = (glide.address, generator.address)
            others = [world.submit(world.user(), upscale=2) for _ in range(4)]
            world.poller.sweep()
            pump.wake()
            until(lambda: {world.state(job_id) for job_id in others} == {"succeeded"}, "the others")
            glide.release()
            until(lambda: {world.state(job_id) for job_id in hanging} == {"succeeded"}, "those that hung")
    for job_id in (*hanging, *others):
        world.check_one_set(job_id, 1)


def test_wake_ups_fold_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one look lasts, a hundred wake-ups become one more look."""
    looks: list[int] = []
    looking, go_on = threading.Event(), threading.Event()
    start = dispatch.start

    def slow_start(*arguments: Any) -> Any:
        looks.append(len(looks))
        looking.set()
        assert go_on.wait(30)
        return start(*arguments)

    world.poller.sweep()
    monkeypatch.setattr(dispatch, "start", slow_start)
    with pumping(world.poller, 200) as pump:
        assert looking.wait(30)
        for _ in range(100):
            pump.wake()
        go_on.set()
        job_id = world.submit(world.user())
        pump.wake()
        until(lambda: world.state(job_id) == "succeeded", "the job")
    assert len(looks) <= 6


def test_it_survives_a_database_that_goes_away(
    world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []
    start = dispatch.start

    def failing(*arguments: Any) -> Any:
        if len(failures) < 3:
            failures.append(1)
            raise Unavailable("The database cannot be reached.")
        return start(*arguments)

    world.poller.sweep()
    monkeypatch.setattr(dispatch, "start", failing)
    job_id = world.submit(world.user())
    with pumping(world.poller, 4) as pump:

        def succeeded() -> bool:
            pump.wake()
            return world.state(job_id) == "succeeded"

        until(succeeded, "the job", every_s=0.1)
    assert len(failures) == 3
    world.check_one_set(job_id, 1)


def test_a_stopped_pump_claims_nothing_more(world: World, generator: FakeGenerator) -> None:
    counted = Counted(generator)
    first = world.submit(world.user())
    poller = world.poller
    poller.sweep()
    pump = Pump(poller.worker, 4)
    pump.wake()
    until(lambda: counted.waiting == 1, "a step")
    stopper = threading.Thread(target=pump.stop)
    stopper.start()
    until(poller.worker.stopping.is_set, "it is told")
    second = world.submit(world.user())
    pump.wake()
    counted.go_on.set()
    stopper.join(30)
    assert not stopper.is_alive()
    assert (world.state(first), world.state(second)) == ("succeeded", "queued")
    poller.worker.stopping.clear()


@pytest.fixture
def waiting_generator(world: World, generator: FakeGenerator) -> FakeGenerator:
    """Return a generator whose status calls wait, and whose pictures take a minute."""
    generator.extensions = ALL_EXTENSIONS
    generator.max_in_flight = 6
    generator.plan = Plan(seconds=60)
    world.poller.addresses = (generator.address,)
    world.poller.sweep()
    return generator


def test_a_status_call_that_waits_finds_the_end_at_once(world: World, waiting_generator: FakeGenerator) -> None:
    """More jobs than the process may have steps in hand wait, each with one call."""
    waiting_generator.plan = Plan(seconds=1)
    jobs = [world.submit(world.user()) for _ in range(6)]
    with pumping(world.poller, 1):
        until(lambda: finished(world) == 6, "all jobs")
    assert waiting_generator.counts["statuses"] <= 2 * len(jobs)
    for job_id in jobs:
        world.check_one_set(job_id, 1)


def test_a_cancel_ends_a_call_that_waits(
    world: World, waiting_generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_RENEWAL_S", 0.05)
    job_id = world.submit(world.user())
    with pumping(world.poller, 1):
        until(lambda: world.row(job_id).remote_id and world.row(job_id).lease_until, "a call that waits")
        with world.services.db.begin() as connection:
            assert job_store.request_cancel(connection, job_id)
        until(lambda: world.state(job_id) == "cancelled", "it is cancelled")
    assert waiting_generator.counts["cancelled"] == 1
    world.check_books()


def test_a_stop_ends_calls_that_wait_and_spends_no_attempt(world: World, waiting_generator: FakeGenerator) -> None:
    job_id = world.submit(world.user())
    with pumping(world.poller, 1):
        until(lambda: world.row(job_id).remote_id and world.row(job_id).lease_until, "a call that waits")
    row = world.row(job_id)
    assert (row.state, row.attempts, row.crashes, row.lease_until) == ("generating", 1, 0, None)
    assert world.events(job_id) == ["accepted", "started", "sent"]
    world.poller.worker.stopping.clear()


def test_a_generator_that_turns_out_to_wait_costs_no_place(world: World, generator: FakeGenerator) -> None:
    """The jobs were sent by another process, so this one learns during its first status call that calls can wait."""
    generator.extensions = ALL_EXTENSIONS
    generator.max_in_flight = 6
    generator.plan = Plan(seconds=0.2)
    world.poller.addresses = (generator.address,)
    world.poller.sweep()
    jobs = [world.submit(world.user()) for _ in range(6)]
    for job_id in world.poller.start():
        world.poller.advance(job_id)
    another = Poller(world.services, (generator.address,))
    pump = Pump(another.worker, 2)
    pump.wake()
    until(lambda: finished(world) == len(jobs), "all jobs")
    pump.stop()
    assert (pump._short, pump._in_hand) == (0, {})
    another.close_clients()


def test_a_job_goes_on_that_an_error_has_parted_from_its_step(
    world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim would be renewed for as long as the process lives, while nobody does the step."""
    world.poller.addresses = (generator.address,)
    job_id = world.submit(world.user())
    world.poller.sweep()
    usual, failed = Pump._do_in_thread, threading.Event()

    def fail_once(self: Pump, taken: Taken) -> None:
        if failed.is_set():
            return usual(self, taken)
        failed.set()
        raise MemoryError

    monkeypatch.setattr(Pump, "_do_in_thread", fail_once)
    with pumping(world.poller, 1):
        until(lambda: finished(world) == 1, "the job is done")
    assert failed.is_set()
    assert world.row(job_id).crashes == 0
