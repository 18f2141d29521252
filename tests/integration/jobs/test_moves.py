"""Guarded transitions: a legal one writes everything, an illegal one nothing; the counters always match."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest

from shared.accounts.auth import Credential
from shared.core.errors import AlreadyFinished, EaselError, NotFound, StillRunning
from shared.jobs import store as job_store
from shared.jobs import submission_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import MOVES, Event, State
from shared.jobs.submission import cancel, delete
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.poller import Poller
from tests.support.world import LIMITS, World


def put(world: World, state: State) -> UUID:
    """Create a job in this state by legal transitions."""
    if state == State.HELD:
        return hold(world)
    job_id = world.submit(world.user())
    paths = {
        State.QUEUED: (),
        State.GENERATING: (State.GENERATING,),
        State.SUCCEEDED: (State.GENERATING, State.SUCCEEDED),
        State.FAILED: (State.GENERATING, State.FAILED),
        State.CANCELLED: (State.CANCELLED,),
    }
    for to in paths[state]:
        move(world, job_id, to)
    return job_id


def hold(world: World) -> UUID:
    """Submit a job that waits for another one, which was deleted."""
    job = replace(world.new_job(), held_by=uuid4())
    with world.services.db.statement() as connection:
        held = submission_store.queue_all(connection, world.user(), [job], is_group=False, **LIMITS)
    assert held is not None
    return held.ids[0]


def move(world: World, job_id: UUID, to: State, **details: Any) -> None:
    events = {State.HELD: Event.WAITING, State.QUEUED: Event.RETRYING, State.GENERATING: Event.STARTED}
    details.setdefault("reason", GENERATOR_FAILED if to == State.FAILED else None)
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, to, events.get(to) or Event(to.value), **details)


def everything(world: World) -> list[Any]:
    return [world.sql(f"SELECT * FROM {table} ORDER BY 1") for table in ("users", "jobs", "job_events")]


@pytest.mark.parametrize("start", State)
@pytest.mark.parametrize("to", State)
def test_a_move_writes_all_or_nothing(world: World, start: State, to: State) -> None:
    job_id = put(world, start)
    before, old = everything(world), world.row(job_id)
    if to not in MOVES[start]:
        with pytest.raises(job_store.Lost):
            move(world, job_id, to)
        assert everything(world) == before
        return
    move(world, job_id, to, reason=GENERATOR_FAILED)
    row = world.row(job_id)
    assert (row.state, row.version) == (to, old.version + 1)
    assert world.timeline(job_id)[-1][1:] == (GENERATOR_FAILED.message, GENERATOR_FAILED.code)
    assert len(world.timeline(job_id)) == len(before[2]) + 1
    assert (row.finished_at is not None) == to.finished
    assert (row.error_code, row.error_message) == (GENERATOR_FAILED if to == State.FAILED else (None, None))
    [user] = world.sql("SELECT queued, running, quota_used FROM users")
    assert user == (
        int(to == State.QUEUED),
        int(to == State.GENERATING),
        int(to not in (State.FAILED, State.CANCELLED)),
    )


def test_yesterdays_refund_changes_nothing_today(world: World) -> None:
    job_id = put(world, State.QUEUED)
    world.sql("UPDATE jobs SET quota_day = quota_day - 1")
    move(world, job_id, State.CANCELLED)
    assert world.sql("SELECT quota_used FROM users") == [(1,)]


def test_an_invalid_token_changes_nothing(world: World) -> None:
    job_id = world.send()
    before = everything(world)
    for to in (State.QUEUED, State.SUCCEEDED, State.FAILED, State.CANCELLED):
        with pytest.raises(job_store.Lost):
            move(world, job_id, to, attempt_token=uuid4())
    assert everything(world) == before


def test_twenty_concurrent_submits_keep_the_limits(world: World) -> None:
    user = world.user()
    job = world.new_job()
    barrier = threading.Barrier(20)

    def submit(_: int) -> bool:
        barrier.wait(30)
        with world.services.db.statement() as connection:
            return submission_store.queue(connection, user, job, max_queued=7, jobs_per_day=100) is not None

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(submit, range(20))) == 7
    world.check_books()
    turns = world.sql("SELECT turn, cost FROM jobs ORDER BY turn")
    for (turn, cost), (next_turn, _) in pairwise(turns):
        assert next_turn == pytest.approx(turn + cost)


class Walk:
    """One thread's random actions on one of three users' jobs. It has its own worker, of which one thread claims."""

    def __init__(self, world: World, credentials: dict[UUID, Credential], seed: int) -> None:
        self.world = world
        self.poller = Poller(world.services, world.poller.addresses)
        self.random = random.Random(seed)
        self.credentials = credentials
        self.deleted: Counter[str] = Counter()

    def run(self, steps: int) -> None:
        moves = [self.submit, self.start, self.advance, self.cancel, self.delete]
        for _ in range(steps):
            self.random.choices(moves, [4, 2, 6, 2, 2])[0]()

    def submit(self) -> None:
        with self.world.services.db.statement() as connection:
            user_id = self.random.choice(list(self.credentials))
            submission_store.queue(connection, user_id, self.world.new_job(), **LIMITS)

    def start(self) -> None:
        self.poller.start()

    def advance(self) -> None:
        job = self._job("state = 'generating'")
        if job:
            self.world.hurry()
            self.poller.advance(job[0])

    def cancel(self) -> None:
        job = self._job("true")
        if job:
            with _Refusing(AlreadyFinished, NotFound):
                cancel(self.world.services, self.credentials[job[1]], job[0])

    def delete(self) -> None:
        job = self._job("finished_at IS NOT NULL")
        if job:
            with _Refusing(StillRunning, NotFound):
                delete(self.world.services, self.credentials[job[1]], job[0])
                self.deleted[job[2]] += 1

    def _job(self, condition: str) -> Any:
        rows = self.world.sql(f"SELECT id, user_id, state FROM jobs WHERE {condition} ORDER BY id")
        return self.random.choice(rows) if rows else None


class _Refusing:
    """Ignores the expected refusals: another thread was first."""

    def __init__(self, *errors: type[EaselError]) -> None:
        self.errors = errors

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, self.errors)


@pytest.mark.parametrize("seed", range(3))
def test_the_counters_are_correct_after_random_moves(world: World, generator: FakeGenerator, seed: int) -> None:
    kinds: list[Literal["finished", "error", "forget"]] = ["finished", "error", "forget"]
    endings = random.Random(seed).choices(kinds, [4, 1, 1], k=1000)
    generator.plans.extend(Plan(polls=index % 2, ending=ending) for index, ending in enumerate(endings))
    credentials = {user_id: world.credential(user_id) for user_id in (world.user() for _ in range(3))}
    walks = [Walk(world, credentials, 10 * seed + number) for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda walk: walk.run(30), walks))
    for walk in walks:
        walk.poller.close_clients()
    deleted = sum((walk.deleted for walk in walks), Counter[str]())
    world.check_books(deleted_succeeded=deleted["succeeded"])
    left = [row.id for row in world.sql("SELECT id FROM jobs WHERE finished_at IS NULL")]
    world.finish(*left, rounds=300)
    world.check_books(deleted_succeeded=deleted["succeeded"])
    for row in world.sql("SELECT id, state FROM jobs"):
        world.check_one_set(row.id, int(row.state == "succeeded"))
