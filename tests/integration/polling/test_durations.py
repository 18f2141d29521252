"""Estimates of waits, from how long the last jobs of each generator took."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.jobs import store as job_store
from shared.polling import durations
from tests.support.world import World

THUMBNAIL = {"width": 64, "height": 64, "steps": 1}
ORDINARY = {"width": 512, "height": 512, "steps": 30}
BEST = ORDINARY | {"steps": 80, "upscale": 2, "n": 2}


def took(world: World, seconds: float, **request: int) -> UUID:
    """Let a job succeed that was at the generator for so long."""
    [generator] = world.sql("SELECT name FROM generators WHERE name <> 'other'")
    job_id = world.submit(world.user(), **request)
    world.sql(
        "UPDATE jobs SET state = 'succeeded', progress = 1, attempts = 1, generator = :name,"
        " started_at = now() - make_interval(secs => :seconds), finished_at = now() WHERE id = :id",
        name=generator.name,
        seconds=seconds,
        id=job_id,
    )
    with world.services.db.statement() as connection:
        durations.record(connection, [job_id])
    return job_id


def eta_s(world: World, user_id: UUID, job_id: UUID) -> int:
    """Return the estimate for a job, which is the same alone and in a list."""
    with world.services.db.statement() as connection:
        job = job_store.find_view(connection, job_id, user_id)
        listed = next(
            found
            for found in job_store.list_views(connection, user_id, state=None, before=None, limit=50)
            if found.id == str(job_id)
        )
    assert job is not None
    assert listed.outlook.cost_ahead == pytest.approx(job.outlook.cost_ahead)
    eta = job.outlook.eta_s(job.cost, job.progress)
    assert eta == listed.outlook.eta_s(listed.cost, listed.progress)
    assert eta is not None
    return eta


def test_twelve_thumbnails_do_not_change_the_estimate_of_ordinary_pictures(world: World) -> None:
    for _ in range(3):
        took(world, 2.0, **ORDINARY)
    for _ in range(12):
        took(world, 0.4, **THUMBNAIL)
    user_id = world.user()
    ordinary = world.submit(user_id, **ORDINARY)
    assert 1 <= eta_s(world, user_id, ordinary) <= 4
    world.sql("DELETE FROM jobs WHERE id = :id", id=ordinary)
    assert 4 <= eta_s(world, user_id, world.submit(user_id, **BEST)) <= 14


def test_the_work_ahead_counts_each_job_by_its_size(world: World) -> None:
    world.sql("UPDATE generators SET fixed_s = 2, seconds_per_cost = 1, max_in_flight = 2")
    user_id = world.user()
    large = world.submit(user_id, **ORDINARY)
    small = world.submit(user_id, **THUMBNAIL)
    own, ahead = 2 + 0.01, 2 + world.row(large).cost
    assert eta_s(world, user_id, small) == -(-(ahead / 2 + own) // 1)


def test_a_running_job_is_estimated_by_its_own_generator(world: World) -> None:
    user_id = world.user()
    job_id = world.submit(user_id, **ORDINARY)
    world.sql(
        "INSERT INTO generators (name, protocol, max_in_flight, fixed_s) VALUES ('slow', 'img_generator', 1, 500)"
    )
    world.sql("UPDATE jobs SET state = 'generating', started_at = now(), generator = 'slow' WHERE id = :id", id=job_id)
    assert eta_s(world, user_id, job_id) >= 500


def test_only_undisturbed_jobs_are_measured(world: World) -> None:
    job_id = took(world, 100.0, **ORDINARY)
    query = "SELECT fixed_s, seconds_per_cost, pace_weight FROM generators"
    [known] = world.sql(query)
    assert known.fixed_s + known.seconds_per_cost * world.row(job_id).cost == pytest.approx(100, rel=0.1)
    for disturbed in ("attempts = 2", "attempts = 1, refusals = 1", "state = 'failed', error_code = 'x'"):
        world.sql(f"UPDATE jobs SET {disturbed}")
        with world.services.db.statement() as connection:
            durations.record(connection, [job_id])
        assert world.sql(query) == [known]


def test_generators_are_locked_one_at_a_time(world: World) -> None:
    """Workers that lock several, each in another order, would wait for each other."""
    world.sql("INSERT INTO generators (name, protocol, max_in_flight) VALUES ('other', 'img_generator', 1)")
    jobs = [took(world, 2.0, **ORDINARY), took(world, 2.0, **ORDINARY)]
    world.sql("UPDATE jobs SET generator = 'other' WHERE id = :id", id=jobs[1])
    locked = text("SELECT FROM generators WHERE name = :name FOR UPDATE NOWAIT")

    def record(order: list[UUID]) -> None:
        with world.services.db.statement() as connection:
            durations.record(connection, order)

    for first, second in (
        (generators := [row.name for row in world.sql("SELECT name FROM generators")]),
        generators[::-1],
    ):
        with ThreadPoolExecutor(1) as threads, world.services.db.begin() as connection:
            connection.execute(locked, {"name": first})
            recording = threads.submit(record, jobs)
            world.until_one_waits()
            connection.execute(locked, {"name": second})
            connection.rollback()
            recording.result()


def test_a_status_reads_no_more_than_before(world: World) -> None:
    """The model is two columns of the few generators: no finished job is read."""
    user_id = world.user()
    job_id = world.submit(user_id, **ORDINARY)
    world.sql(
        "INSERT INTO jobs (user_id, state, progress, finished_at, prompt, settings, cost, turn, quota_day)"
        " SELECT user_id, 'succeeded', 1, now(), prompt, settings, cost, turn, quota_day"
        " FROM jobs, generate_series(1, 2000)"
    )
    world.sql("ANALYZE jobs")
    read = "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables WHERE relname = 'jobs'"
    with world.services.db.begin() as connection:
        before = connection.exec_driver_sql(read).scalar_one()
        assert job_store.find_view(connection, job_id, user_id) is not None
        assert connection.exec_driver_sql(read).scalar_one() - before < 10
