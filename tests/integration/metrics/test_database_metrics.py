"""The metrics of the database equal its counts after every change of jobs and after database failures."""

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from local.ports import free_port
from poller.app import list_rounds
from shared.generators.abilities import all_kinds
from shared.jobs.submission import delete
from shared.metrics import prometheus
from shared.metrics import store as metrics_store
from shared.metrics.prometheus import Requests, serve
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.scraping import Scrape, check_equal_to_the_database, served
from tests.support.world import World, with_settings


def test_an_empty_database_reports_zeros(world: World) -> None:
    with served(world.services) as port:
        seen = Scrape(port)
    check_equal_to_the_database(seen, world.services)
    assert seen.value("easel_database_up") == 1
    assert seen.by("easel_queued_jobs", "protocols") == dict.fromkeys(all_kinds(), 0)
    assert seen.by("easel_jobs_finished_total", "outcome").keys() == {"succeeded", "failed", "cancelled"}
    assert seen.value("easel_oldest_queued_job_age_seconds") == 0


def test_jobs_of_every_outcome(world: World, generator: FakeGenerator) -> None:
    with served(world.services) as port:
        users = [world.user() for _ in range(3)]
        good = [world.submit(user, n=2) for user in users]
        world.finish(*good)
        generator.plan = Plan(ending="error")
        bad = world.submit(users[0])
        world.finish(bad)
        generator.plan = Plan(polls=10_000)
        crashed = world.send(users[1])
        world.hurry()
        for _ in range(3):
            assert world.poller.claim(crashed) is not None
            world.expire_lease(crashed)
            check_equal_to_the_database(Scrape(port), world.services)
        world.poller.advance(crashed)
        assert world.row(crashed).error_code == "crashed_worker"
        running = world.send(users[2])
        for user in users:
            world.submit(user)
        generator.down = True
        world.poller.advance(running)
        world.hurry()
        world.poller.advance(running)
        seen = Scrape(port)
    check_equal_to_the_database(seen, world.services)
    assert seen.by("easel_jobs_finished_total", "outcome") == {"succeeded": 3, "failed": 2, "cancelled": 0}
    assert seen.by("easel_job_failures_total", "error_code") == {"generator_failed": 1, "crashed_worker": 1}
    assert seen.value("easel_job_crashes_total") == 3
    assert seen.value("easel_generating_jobs") == 1
    assert seen.value("easel_queued_jobs") == 3
    assert seen.value("easel_generator_up") == 0
    assert seen.value("easel_oldest_queued_job_age_seconds") > 0
    assert seen.value("easel_stored_pictures_total") == 6


def test_deleting_lowers_gauges_and_not_counters(world: World) -> None:
    owner, other = world.user(), world.user()
    jobs = [world.submit(user) for user in (owner, owner, other)]
    world.finish(*jobs)
    credential = world.credential(owner)
    with served(world.services) as port:
        before = Scrape(port)
        delete(world.services, credential, jobs[0])
        world.sql("DELETE FROM users WHERE id = :id", id=other)
        after = Scrape(port)
    assert (before.value("easel_pictures"), after.value("easel_pictures")) == (3, 1)
    assert after.value("easel_picture_bytes") == world.images(jobs[1])[0].size_bytes
    assert (before.value("easel_users"), after.value("easel_users")) == (2, 1)
    for name in ("easel_stored_pictures_total", "easel_stored_picture_bytes_total", "easel_job_attempts_total"):
        assert after.value(name) == before.value(name) > 0
    finished = "easel_jobs_finished_total"
    assert after.value(finished) == before.value(finished) == 3


def test_counts_continue_after_a_restart(world: World) -> None:
    world.finish(world.submit(world.user()))
    with served(world.services) as port:
        assert Scrape(port).value("easel_jobs_finished_total") == 1
    world.finish(world.submit(world.user()))
    with served(world.services) as port:
        seen = Scrape(port)
    assert seen.value("easel_jobs_finished_total") == 2
    check_equal_to_the_database(seen, world.services)


def test_durations_are_counted_by_the_buckets_of_the_metric(world: World) -> None:
    """The triggers contain the bounds, too: one job a little below each bound, and one above all."""
    user = world.user()
    for seconds in (*(bound - 0.5 for bound in metrics_store.JOB_BOUNDS_S), 100_000):
        world.sql(
            "UPDATE jobs SET state = 'succeeded', progress = 1, finished_at = created_at + make_interval(secs => :s)"
            " WHERE id = :id",
            s=seconds,
            id=world.submit(user),
        )
    with served(world.services) as port:
        seen = Scrape(port)
    buckets = seen.by("easel_job_duration_seconds_bucket", "le")
    bounds = [*map(str, metrics_store.JOB_BOUNDS_S), "+Inf"]
    assert buckets == {bound: place for place, bound in enumerate(bounds, start=1)}
    check_equal_to_the_database(seen, world.services)


def test_folding_counters_changes_no_count(world: World) -> None:
    """Several threads fold concurrently while others write."""
    world.sql(f"INSERT INTO tallies (name, label, count, amount) SELECT 'attempts', '', 1, 0 {many(2000)}")

    def fold(_: int) -> None:
        with world.services.db.statement() as connection:
            metrics_store.compact(connection)

    def write(_: int) -> None:
        world.sql(f"INSERT INTO tallies (name, label, count, amount) SELECT 'attempts', '', 1, 0 {many(700)}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: (fold if number % 2 else write)(number), range(8)))
    fold(0)
    [row] = world.sql("SELECT sum(count) AS counted, count(*) AS kept FROM tallies WHERE name = 'attempts'")
    assert row.counted == 2000 + 4 * 700
    assert row.kept <= metrics_store.COMPACT_AT


def many(rows: int) -> str:
    return f"FROM generate_series(1, {rows})"


def test_a_failure_is_in_one_report(world: World, generator: FakeGenerator, caplog: pytest.LogCaptureFixture) -> None:
    generator.plan = Plan(ending="error")
    world.finish(world.submit(world.user()), world.submit(world.user()))
    world.submit(world.user())
    caplog.set_level(logging.INFO)
    world.poller.report()
    world.poller.report()
    lines = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "queue"]
    assert [line["failed"] for line in lines] == [2, 0]
    assert [line["queued"] for line in lines] == [1, 1]
    assert all(line.keys() == {"queued", "oldest_queued_s", "generating", "failed"} for line in lines)
    assert all(line["oldest_queued_s"] >= 0 and line["generating"] == 0 for line in lines)


def test_a_report_is_made_each_minute(world: World, caplog: pytest.LogCaptureFixture) -> None:
    [report] = [entry for entry in list_rounds(world.poller.worker, lambda: None) if entry.name == "report"]
    assert report.every_s == 60
    caplog.set_level(logging.INFO)
    report.work()
    assert [record.getMessage() for record in caplog.records] == ["queue"]


def test_without_the_database_the_other_metrics_are_served(services: Services) -> None:
    requests = Requests()
    requests.measure("submit", "POST", 202, 0.01)
    away = with_settings(services, database_url=f"postgresql+psycopg2://easel:hidden@127.0.0.1:{free_port()}/easel")
    with served(away, requests) as port:
        seen = Scrape(port)
    assert seen.value("easel_database_up") == 0
    assert seen.value("easel_http_requests_total", function="submit") == 1
    assert seen.names == {
        "easel_database_up",
        "easel_http_requests_total",
        "easel_http_request_duration_seconds",
    }


def test_a_database_that_hangs_is_not_waited_for(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts connections and never answers. For any number of scrapes, only one query waits."""
    monkeypatch.setattr(prometheus, "DATABASE_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hanging = with_settings(services, database_url=f"postgresql+psycopg2://easel@127.0.0.1:{port}/easel")
        with served(hanging) as port:
            assert [Scrape(port).value("easel_database_up") for _ in range(3)] == [0, 0, 0]
            readings = [thread for thread in threading.enumerate() if thread.name == "metrics"]
            assert len(readings) == 1
    readings[0].join(30)
    assert not readings[0].is_alive()


def test_a_database_that_comes_back_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(world.services) as port:
        world.sql("ALTER TABLE tallies RENAME TO elsewhere")
        try:
            assert Scrape(port).value("easel_database_up") == 0
        finally:
            world.sql("ALTER TABLE elsewhere RENAME TO tallies")
        assert Scrape(port).value("easel_database_up") == 1


def test_a_metrics_port_in_use_is_reported_in_one_line(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert serve(with_settings(services, metrics_port=port).settings, Requests()) is None
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"no metrics are served: port {port} of 127.0.0.1 is not available (Address already in use)")
    assert "EASEL_METRICS_PORT" in line


def test_what_waits_is_counted_up_to_a_limit(world: World) -> None:
    world.sql(
        "INSERT INTO garbage (prefix) SELECT 'jobs/' || place FROM generate_series(1, :many) AS place",
        many=metrics_store.MOST + 1,
    )
    with world.services.db.begin() as connection:
        found = {count.name: count.number for count in metrics_store.read(connection)}
    assert found["garbage"] == metrics_store.MOST
    assert found["mails"] == found["reports"] == 0


def test_the_queue_is_counted_without_being_read(world: World) -> None:
    user_id, many = world.user(), 5000
    oldest = world.submit(user_id)
    world.sql(
        "INSERT INTO jobs (user_id, prompt, settings, cost, turn, quota_day, protocols)"
        " SELECT user_id, prompt, settings, cost, place, quota_day, protocols"
        " FROM jobs, generate_series(1, :many) AS place",
        many=many,
    )
    world.sql("ANALYZE jobs")
    query = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs'")
    with world.services.db.begin() as connection:
        before = connection.execute(query).scalar_one()
        [queued] = [count for count in metrics_store.read(connection) if count.name == "queued"]
        report = metrics_store.report(connection)
        read = connection.execute(query).scalar_one() - before
    assert queued.number == report.queued == many + 1
    [found] = world.sql("SELECT created_at FROM jobs WHERE id = :id", id=oldest)
    [now] = world.sql("SELECT clock_timestamp() AS at")
    assert 0 <= report.oldest_queued_s <= (now.at - found.created_at).total_seconds() + 0.1
    assert read < 20
