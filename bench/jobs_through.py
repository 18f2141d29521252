"""Jobs per second through the poller, beside a Celery task that sleeps, with two worker processes each.

The generator answers immediately, so the service around it is measured. A rival build is measured with its own
workers, one build at a time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text

from bench import sleeping
from bench.ground import OURS, Build, Ground
from bench.table import Bound, Row, in_turns
from local.site import worker_answers
from shared.accounts.store import User
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job
from shared.testing.fake_generator import FakeGenerator

ROUNDS = 3
RIVAL_ROUNDS = 5
OUR_JOBS = 400
THEIR_JOBS = 16
USERS = 100
IN_FLIGHT = 64
SIDES_PX = (64, 512)
END_LIMIT_S = 300.0
LOOK_S = 0.1


def poller(ground: Ground) -> Iterator[Row]:
    """Measure from queueing all jobs at once until the last one has its picture stored and its row written."""
    users = [user for user, _ in ground.users(USERS)]
    if ground.rival is not None:
        yield from _beside_rival(ground, ground.rival, users)
        return
    with ground.services.db.begin() as connection:
        connection.execute(text(sleeping.MAKE_TABLE))
    with FakeGenerator(max_in_flight=IN_FLIGHT) as fake, _workers(ground, users, fake):
        for side_px in SIDES_PX:
            figures = in_turns(through_poller(ground, users, side_px), _through_sleeping(ground, side_px), ROUNDS)
            name = f"poller, {side_px}x{side_px} pictures"
            yield Row(name, "jobs/s", *figures, "Celery task that sleeps and polls", Bound(20))
    ground.clear_jobs()


def _beside_rival(ground: Ground, rival: Build, users: list[User]) -> Iterator[Row]:
    with FakeGenerator(max_in_flight=IN_FLIGHT) as fake:

        def measure(build: Build, side_px: int) -> float:
            with running_poller(ground, users, fake, build):
                return through_poller(ground, users, side_px)()

        for side_px in SIDES_PX:
            figures = in_turns(
                lambda side_px=side_px: measure(OURS, side_px),  # type: ignore[misc]
                lambda side_px=side_px: measure(rival, side_px),  # type: ignore[misc]
                RIVAL_ROUNDS,
            )
            yield Row.beside_rival(f"poller, {side_px}x{side_px} pictures", "jobs/s", figures)
    ground.clear_jobs()


@contextmanager
def running_poller(ground: Ground, users: list[User], fake: FakeGenerator, build: Build = OURS) -> Iterator[None]:
    """Run the worker of a build; it has finished some jobs when the block starts."""
    env = {"EASEL_GENERATORS": fake.setting}
    parts = [ground.python("worker", "poller", "worker", "--concurrency", str(sleeping.WORKERS), env=env, build=build)]
    if (build.root / "poller" / "patient_scheduler.py").exists():  # earlier builds sweep only with a beat
        parts.append(ground.python("beat", "poller", "beat", env=env, build=build))
    with ground.processes(*parts):
        wait_until(lambda: worker_answers(ground.services.settings.broker_url))
        through_poller(ground, users, SIDES_PX[0], count=4)()
        yield


@contextmanager
def _workers(ground: Ground, users: list[User], fake: FakeGenerator) -> Iterator[None]:
    """Run the poller and the sleeping task's worker, both warmed up."""
    env = {"EASEL_GENERATORS": fake.setting}
    with (
        ground.processes(ground.python("sleeping", "bench.sleeping", env=env)),
        running_poller(ground, users, fake),
    ):
        _through_sleeping(ground, SIDES_PX[0], count=4)()
        yield


def through_poller(ground: Ground, users: list[User], side_px: int, count: int = OUR_JOBS) -> Callable[[], float]:
    """Return a measurement of jobs per second: from queueing all of them until the last one is stored."""

    def measure() -> float:
        ground.clear_jobs()
        request = JobRequest(prompt="a lighthouse at night", width=side_px, height=side_px)
        with ground.services.db.begin() as connection:
            for place in range(count):
                job = new_job(request, None, b"bench")
                submission_store.queue(
                    connection, users[place % len(users)].id, job, max_queued=count, jobs_per_day=count
                )
        ground.services.wake_ups.wake()
        return _rate(ground, "jobs", count)

    return measure


def _through_sleeping(ground: Ground, side_px: int, count: int = THEIR_JOBS) -> Callable[[], float]:
    app = sleeping.create_app(ground.services.settings)

    def measure() -> float:
        with ground.services.db.begin() as connection:
            connection.execute(text("TRUNCATE paintings"))
            query = text("INSERT INTO paintings (id) SELECT uuidv7() FROM generate_series(1, :count) RETURNING id")
            made = [str(painting_id) for painting_id in connection.execute(query, {"count": count}).scalars()]
        for painting_id in made:
            app.send_task(sleeping.PAINT, [painting_id, side_px])
        return _rate(ground, "paintings", count)

    return measure


def _rate(ground: Ground, table: str, count: int) -> float:
    """Wait until every row is finished; return rows per second from the first creation to the last end."""
    wait_until(lambda: _ask(ground, f"SELECT count(finished_at) FROM {table}") == count)
    if table == "jobs" and (failed := _ask(ground, "SELECT count(*) FROM jobs WHERE state <> 'succeeded'")):
        raise RuntimeError(f"{failed:.0f} jobs did not succeed")
    return count / _ask(ground, f"SELECT extract(epoch FROM max(finished_at) - max(created_at)) FROM {table}")


def _ask(ground: Ground, question: str) -> float:
    with ground.services.db.statement() as connection:
        return float(connection.execute(text(question)).scalar_one())


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until it is true. Raises RuntimeError after five minutes."""
    end = time.monotonic() + END_LIMIT_S
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"the jobs did not finish within {END_LIMIT_S:.0f} s")
        time.sleep(LOOK_S)
