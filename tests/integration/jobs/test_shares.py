"""What a job that ends early gives back of its unit, what an account stores, and the cap on the queue."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.accounts import store as user_store
from shared.jobs import store as job_store
from shared.jobs import submission, submission_store
from shared.jobs.reasons import BY_OPERATOR, GENERATOR_FAILED
from shared.jobs.states import Event, State
from tests.support.world import World


def start(world: World, user: UUID, progress: float | None = None) -> UUID:
    """Return a job that is being made, and so far done."""
    job_id = world.submit(user)
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.GENERATING, Event.STARTED, generator="somewhere")
    world.sql("UPDATE jobs SET progress = :progress WHERE id = :id", id=job_id, progress=progress)
    return job_id


def end(world: World, job_id: UUID, to: State) -> None:
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, to, Event(to.value), reason=GENERATOR_FAILED if to == State.FAILED else None)


def used(world: World, user: UUID) -> tuple[int, float]:
    [row] = world.sql("SELECT quota_used, quota_worked FROM users WHERE id = :id", id=user)
    return row.quota_used, row.quota_worked


def left_today(world: World, user: UUID) -> int:
    with world.services.db.statement() as connection:
        return 200 - user_store.get_counts(connection, user).used_today


@pytest.mark.parametrize("to", [State.CANCELLED, State.FAILED])
def test_what_was_worked_off_is_not_given_back(world: World, to: State) -> None:
    user = world.user()
    end(world, start(world, user, 0.75), to)
    assert used(world, user) == (0, 0.75)
    assert left_today(world, user) == 199
    end(world, start(world, user, 0.25), to)
    assert used(world, user) == (0, 1.0)
    assert left_today(world, user) == 199
    end(world, start(world, user), to)
    assert used(world, user) == (0, 1.0)
    world.check_books()


def test_it_counts_against_the_quota(world: World) -> None:
    user = world.user()
    for _ in range(3):
        end(world, start(world, user, 0.5), State.CANCELLED)
    limits: submission_store.Limits = {"max_queued": 10, "jobs_per_day": 2}
    with world.services.db.statement() as connection:
        assert submission_store.queue(connection, user, world.new_job(), **limits) is None
        assert submission_store.queue_all(connection, user, [world.new_job()], is_group=True, **limits) is None
        assert submission_store.queue(connection, user, world.new_job(), max_queued=10, jobs_per_day=3) is not None


def test_another_day_starts_from_nothing(world: World) -> None:
    user = world.user()
    end(world, start(world, user, 0.5), State.CANCELLED)
    world.sql("UPDATE users SET quota_day = quota_day - 1")
    world.submit(user)
    assert used(world, user) == (1, 0.0)


def test_a_requeued_job_takes_back_what_it_gave(world: World) -> None:
    user = world.user()
    job_id = start(world, user, 0.75)
    end(world, job_id, State.FAILED)
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED, reason=BY_OPERATOR)
    assert used(world, user) == (1, 0.0)
    world.check_books()


def test_a_job_ends_once_whoever_ends_it(world: World) -> None:
    user = world.user()
    job_id = start(world, user, 0.5)

    def try_to_end(to: State) -> bool:
        reason = GENERATOR_FAILED if to == State.FAILED else None
        with world.services.db.begin() as connection:
            move = job_store.Move(job_id, to, Event(to.value), reason)
            return job_id in job_store.move_all(connection, [move])

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(try_to_end, [State.CANCELLED, State.FAILED] * 5)) == 1
    assert used(world, user) == (0, 0.5)


def stored(world: World, user: UUID) -> int:
    [row] = world.sql("SELECT stored_bytes FROM users WHERE id = :id", id=user)
    return int(row.stored_bytes)


def test_what_an_account_stores_is_counted(world: World) -> None:
    user = world.user()
    jobs = [world.submit(user, n=2), world.submit(user)]
    world.finish(*jobs)
    sizes = {job_id: sum(image.size_bytes for image in world.images(job_id)) for job_id in jobs}
    assert all(sizes.values())
    assert stored(world, user) == sum(sizes.values())
    submission.delete(world.services, world.credential(user), jobs[0])
    assert stored(world, user) == sizes[jobs[1]]
    world.sql(
        "INSERT INTO uploads (key, user_id, content_type, size_bytes) VALUES ('uploads/a/b.png', :id, 'image/png', 7)",
        id=user,
    )
    assert stored(world, user) == sizes[jobs[1]] + 7
    world.sql("DELETE FROM uploads")
    with world.services.db.begin() as connection:
        connection.execute(text("DELETE FROM jobs"))
    assert stored(world, user) == 0


def test_a_full_account_queues_nothing(world: World) -> None:
    user = world.user()
    world.sql("UPDATE users SET stored_bytes = 1000")
    with world.services.db.statement() as connection:
        for most, queued in ((1000, False), (1001, True)):
            limits: submission_store.Limits = {"max_queued": 9, "jobs_per_day": 9, "max_user_bytes": most}
            one = submission_store.queue(connection, user, world.new_job(), **limits)
            many = submission_store.queue_all(connection, user, [world.new_job()] * 2, is_group=True, **limits)
            assert [one is not None, many is not None] == [queued, queued]


def test_parallel_submits_exceed_the_cap_by_fewer_than_there_are(world: World) -> None:
    users = [world.user() for _ in range(20)]
    limits: submission_store.Limits = {"max_queued": 9, "jobs_per_day": 9, "max_total": 5}

    def submit(user: UUID) -> bool:
        with world.services.db.statement() as connection:
            return submission_store.queue(connection, user, world.new_job(), **limits) is not None

    with ThreadPoolExecutor(20) as threads:
        queued = sum(threads.map(submit, users))
    at_once = world.services.settings.database_pool
    assert 5 <= queued < 5 + at_once
    assert not submit(users[0])
