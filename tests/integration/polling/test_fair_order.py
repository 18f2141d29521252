"""Dispatch order: fair between users, in order for one user, within the limits."""

import random
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.generators.addresses import GeneratorAddress
from shared.jobs import store as job_store
from shared.jobs.states import Event, State
from shared.polling import dispatch as dispatching
from shared.services import Services
from tests.support.dispatch import Dispatch
from tests.support.poller import Poller
from tests.support.world import World

ANY_DATABASE = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


backlogs = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 2.0, 4.0]), st.lists(st.integers(1, 150), min_size=1, max_size=8)),
    min_size=1,
    max_size=4,
)


@ANY_DATABASE
@given(
    backlogs=backlogs,
    places=st.integers(1, 5),
    max_running=st.integers(1, 3),
    before=st.integers(0, 12),
    steps=st.integers(1, 150),
    choose=st.randoms(use_true_random=False),
)
def test_a_newcomer_waits_for_one_job_of_each_other_user(
    world: World,
    backlogs: list[tuple[float, list[int]]],
    places: int,
    max_running: int,
    before: int,
    steps: int,
    choose: random.Random,
) -> None:
    dispatch = Dispatch(world, places=places, max_running=max_running)
    for weight, costs in backlogs:
        user = world.user(weight=weight)
        for cost in costs:
            dispatch.submit(user, cost)
    dispatch.start()
    for _ in range(before):
        if dispatch.running:
            dispatch.end(choose.choice(dispatch.running))
            dispatch.start()
    already = len(dispatch.started)
    first = dispatch.submit(world.user(), steps)
    dispatch.start_all(choose)
    overtaken_by = dispatch.started[already : dispatch.started.index(first)]
    counts = Counter(dispatch.owners[job_id] for job_id in overtaken_by)
    assert all(count == 1 for count in counts.values()), counts
    in_order = sorted(dispatch.owners)
    for user in set(dispatch.owners.values()):
        own = [job_id for job_id in dispatch.started if dispatch.owners[job_id] == user]
        assert own == [job_id for job_id in in_order if dispatch.owners[job_id] == user]
    world.check_books()


def test_a_user_held_back_by_the_limit_gains_no_credit(world: World) -> None:
    """A's first job holds A's only slot for long, while B finishes many jobs. Then both are equal again."""
    dispatch = Dispatch(world, places=2, max_running=1)
    held, busy = world.user(), world.user()
    for user in (held, busy):
        for _ in range(10):
            dispatch.submit(user, 10)
    dispatch.start()
    for _ in range(8):
        dispatch.end(next(job_id for job_id in dispatch.running if dispatch.owners[job_id] == busy))
        dispatch.start()
    newcomer = world.user()
    first = dispatch.submit(newcomer, 10)
    later = dispatch.submit(held, 10)
    already = len(dispatch.started)
    while first not in dispatch.started:
        dispatch.end(next(job_id for job_id in dispatch.running if dispatch.owners[job_id] == held))
        dispatch.start()
    assert [dispatch.owners[job_id] for job_id in dispatch.started[already:]] == [held, newcomer]
    dispatch.start_all(random.Random(1))
    assert [job_id for job_id in dispatch.started if dispatch.owners[job_id] == held][-1] == later


def test_weight_is_a_share(world: World) -> None:
    dispatch = Dispatch(world, places=1, max_running=1)
    light, heavy = world.user(weight=1), world.user(weight=2)
    for user in (light, heavy):
        for _ in range(30):
            dispatch.submit(user, 10)
    dispatch.start()
    for _ in range(29):
        dispatch.end(dispatch.running[0])
        dispatch.start()
    shares = Counter(dispatch.owners[job_id] for job_id in dispatch.started)
    assert abs(shares[heavy] - 20) <= 1
    assert abs(shares[light] - 10) <= 1


def test_a_long_absence_gains_no_credit(world: World) -> None:
    dispatch = Dispatch(world, places=1, max_running=1)
    busy, away = world.user(), world.user()
    for _ in range(10):
        dispatch.submit(busy, 10)
    dispatch.start()
    for _ in range(5):
        dispatch.end(dispatch.running[0])
        dispatch.start()
    for _ in range(5):
        dispatch.submit(away, 10)
    dispatch.start_all(random.Random(1))
    order = [dispatch.owners[job_id] for job_id in dispatch.started[6:]]
    assert order == [away, busy] * 4 + [away] or order == [busy, away] * 4 + [away]


def in_flight(world: World) -> tuple[int, int]:
    """Return the highest numbers of running jobs at one generator and of one user."""
    most = "SELECT coalesce(max(c), 0) AS most FROM (SELECT count(*) AS c FROM jobs WHERE state = 'generating'"
    [at_generator] = world.sql(most + " GROUP BY generator) AS g")
    [of_user] = world.sql(most + " GROUP BY user_id) AS u")
    return at_generator.most, of_user.most


def test_eight_dispatchers_keep_the_limits(world: World) -> None:
    dispatch = Dispatch(world, places=5, max_running=2)
    for _ in range(4):
        user = world.user()
        for steps in range(1, 11):
            dispatch.submit(user, steps)
    stop, seen, started = threading.Event(), [], []

    def watch() -> None:
        while not stop.is_set():
            seen.append(in_flight(world))

    def run(_: int) -> None:
        for _ in range(60):
            mine = dispatch.poller.start()
            started.extend(mine)
            for job_id in mine:
                with world.services.db.begin() as connection:
                    job_store.move(connection, job_id, State.SUCCEEDED, Event.SUCCEEDED)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(run, range(8)))
    stop.set()
    watcher.join(30)
    assert len(started) == len(set(started)) == 40
    assert max(at_generator for at_generator, _ in seen) <= 5
    assert max(of_user for _, of_user in seen) <= 2
    world.check_books()


def start_once(services: Services, address: GeneratorAddress) -> list[str]:
    poller = Poller(services, (address,))
    try:
        return [str(job_id) for job_id in poller.start()]
    finally:
        poller.close()


def test_dispatchers_in_processes_keep_the_limits(world: World) -> None:
    dispatch = Dispatch(world, places=5, max_running=2)
    for _ in range(4):
        user = world.user()
        for _ in range(5):
            dispatch.submit(user, 10)
    services = Services(dispatch.poller.services.settings)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        calls = [processes.submit(start_once, services, dispatch.poller.addresses[0]) for _ in range(8)]
        started = [job_id for call in calls for job_id in call.result(60)]
    assert len(started) == len(set(started)) == 5
    assert in_flight(world) == (5, 2)
    world.check_books()


@pytest.mark.parametrize("room", [0, 1])
def test_nothing_starts_without_a_free_slot(world: World, room: int) -> None:
    dispatch = Dispatch(world, places=1, max_running=5)
    user = world.user()
    for _ in range(3):
        dispatch.submit(user, 10)
    if room == 0:
        world.sql("UPDATE generators SET failures = 1, retry_at = clock_timestamp() + interval '1 minute'")
    assert len(dispatch.start()) == room
    assert dispatch.start() == []


def test_a_long_backlog_is_moved_up_in_slices_that_a_kill_may_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's jobs keep their order, and none starts before all have moved; others start meanwhile."""
    dispatch = Dispatch(world, places=3, max_running=1)
    held, busy = world.user(), world.user()
    mine = [dispatch.submit(held, 10) for _ in range(8)]
    for _ in range(8):
        dispatch.submit(busy, 10)
    dispatch.start()
    for _ in range(4):
        dispatch.end(next(job for job in dispatch.running if dispatch.owners[job] == busy))
        dispatch.start()
    monkeypatch.setattr(dispatching, "MOVED_AT_ONCE", 2)
    with monkeypatch.context() as patch:
        patch.setattr(dispatching, "move_up", lambda _: None)  # as if the process died here
        dispatch.end(mine[0])
        assert dispatch.start() == [mine[1]]
        dispatch.end(mine[1])
        later = dispatch.submit(held, 10)
        dispatch.end(next(job for job in dispatch.running if dispatch.owners[job] == busy))
        [other] = dispatch.start()
        assert dispatch.owners[other] == busy
    before = {row.id: row.turn for row in world.sql("SELECT id, turn FROM jobs WHERE state = 'queued'")}
    dispatching.move_up(world.services)
    after = {row.id: row.turn for row in world.sql("SELECT id, turn FROM jobs WHERE state = 'queued'")}
    [distance] = {round(after[job] - before[job], 6) for job in mine[2:]}
    together = "SELECT count(*) AS jobs FROM jobs WHERE user_id = :id AND state = 'queued' GROUP BY xmin::text"
    assert max(row.jobs for row in world.sql(together, id=held)) == 2, "a transaction moves a slice"
    assert distance > 0
    assert after[later] == before[later] > max(after[job] for job in mine[2:])
    dispatch.start_all(random.Random(0))
    assert [job for job in dispatch.started if dispatch.owners[job] == held] == [*mine, later]
    world.check_books()
