"""How long a finished picture takes to its job's end: from the generator's end to the succeeded job, one at a time."""

from collections.abc import Iterator
from itertools import cycle, islice
from statistics import quantiles

from sqlalchemy import text

from bench.ground import Ground
from bench.jobs_through import running_poller, wait_until
from bench.table import Bound, Row
from shared.accounts.store import User
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan

JOBS = 100
SECONDS = (0.2, 0.6, 1.3)
"""How long the engine takes for a picture: as few-step models do on a good GPU, and longer."""
P50_MS, P99_MS = 100.0, 400.0


def hand_over(ground: Ground) -> Iterator[Row]:
    """Measure with status calls that wait for a change, and with a generator that has no extensions."""
    users = [user for user, _ in ground.users(10)]
    for words, extensions in (("waits for changes", ALL_EXTENSIONS), ("has no extensions", frozenset[str]())):
        with FakeGenerator(extensions=extensions) as fake, running_poller(ground, users, fake):
            times_ms = [
                _one(ground, user, fake, seconds)
                for user, seconds in islice(zip(cycle(users), cycle(SECONDS), strict=False), JOBS)
            ]
        percentiles = quantiles(times_ms, n=100)
        for name, found, target in (("50th", percentiles[49], P50_MS), ("99th", percentiles[98], P99_MS)):
            title = f"finished to succeeded, {name} percentile; generator {words}"
            yield Row(title, "ms", found, target, "the target", Bound(1, at_most=True))
    ground.clear_jobs()


def _one(ground: Ground, user: User, fake: FakeGenerator, seconds: float) -> float:
    """Return the milliseconds from the end of one picture to the end of its job."""
    fake.plan = Plan(seconds=seconds)
    job = new_job(JobRequest(prompt="a lighthouse at night", width=512, height=512), None, b"bench")
    with ground.services.db.statement() as connection:
        record = submission_store.queue(connection, user.id, job, max_queued=1000, jobs_per_day=100_000)
    assert record is not None
    ground.services.wake_ups.wake()

    def ended() -> float | None:
        with ground.services.db.statement() as connection:
            query = text("SELECT extract(epoch FROM finished_at)::float FROM jobs WHERE id = :id")
            found: float | None = connection.execute(query, {"id": record.id}).scalar_one()
            return found

    wait_until(lambda: ended() is not None)
    return 1000 * ((ended() or 0) - fake.last_ended_at)
