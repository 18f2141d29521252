"""`easel errors`: what failed, of every kind, by code."""

from cli.exit_codes import ExitCode
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.notify import delivery_errors
from shared.polling import generator_errors, periodic
from tests.support.easel_command import Easel, objects
from tests.support.world import World


def fail(world: World) -> None:
    job_id = world.submit(world.user())
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.GENERATING, Event.STARTED)
        job_store.move(connection, job_id, State.FAILED, Event.FAILED, reason=GENERATOR_FAILED)


def test_it_works(easel: Easel, world: World) -> None:
    assert easel("errors") == (ExitCode.DONE, ["Nothing failed in the last 7 days."])
    fail(world)
    fail(world)
    with world.services.db.begin() as connection:
        delivery_errors.record(connection, "mail", "mail_delayed")
        delivery_errors.record(connection, "mail", "mail_delayed")
        delivery_errors.record(connection, "webhook", "webhook_not_public", given_up=1)
        generator_errors.record(connection, {("one", "generator_timeout"): 2, ("one", "generator_down"): 1})
        generator_errors.record(connection, {("one", "generator_timeout"): 1, ("two", "generator_timeout"): 1})
    world.sql("DELETE FROM generators")
    world.sql(
        "INSERT INTO generators (name, max_in_flight, failures, last_error) VALUES"
        " ('one', 1, 0, NULL), ('two', 1, 1, 'It is slow.')"
    )
    rows = [(row["kind"], row["code"], row["failures"], row["given_up"]) for row in objects(easel, "errors")]
    assert rows == [
        ("generator", "generator_timeout", 3, 0),
        ("generator", "generator_down", 1, 0),
        ("generator", "generator_timeout", 1, 0),
        ("job", GENERATOR_FAILED.code, 2, 2),
        ("mail", "mail_delayed", 2, 0),
        ("webhook", "webhook_not_public", 1, 1),
    ]
    code, lines = easel("errors")
    assert (code, len(lines)) == (ExitCode.DONE, 7)
    assert lines[0].split() == ["KIND", "CODE", "FAILURES", "GIVEN", "UP", "LAST", "DETAIL"]
    assert lines[1].endswith("one")
    assert lines[3].endswith("two (failing now: It is slow.)")


def test_older_errors_are_left_out(easel: Easel, world: World) -> None:
    fail(world)
    with world.services.db.begin() as connection:
        delivery_errors.record(connection, "mail", "mail_refused", given_up=1)
        generator_errors.record(connection, {("one", "generator_down"): 1})
    world.sql("UPDATE jobs SET finished_at = finished_at - interval '8 days'")
    world.sql("UPDATE delivery_errors SET day = day - 8")
    world.sql("UPDATE generator_errors SET day = day - 8")
    assert objects(easel, "errors") == []
    assert [row["kind"] for row in objects(easel, "errors", "--days", "10")] == ["generator", "job", "mail"]
    world.sql("UPDATE delivery_errors SET day = day - 90")
    world.sql("UPDATE generator_errors SET day = day - 90")
    periodic.collect(world.services)
    assert world.sql("SELECT FROM delivery_errors") == world.sql("SELECT FROM generator_errors") == []


def test_wrong_days_are_refused(easel: Easel) -> None:
    assert easel("errors", "--days", "91")[0] == ExitCode.USAGE_ERROR
