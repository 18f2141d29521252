"""Timelines: lines that repeat are one with a count, and there are never more than 200 of them."""

import json
from typing import Any
from uuid import UUID

import pytest

from shared.jobs import store as job_store
from shared.jobs.reasons import Reason
from shared.jobs.states import Event
from shared.polling import claims, storage_failures
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.integration.polling.test_refusals import refuse
from tests.support.world import AnyRow, World

MOST_LINES = 200


def stored(world: World, job_id: UUID) -> list[AnyRow]:
    query = "SELECT event, code, count AS times FROM job_events WHERE job_id = :id ORDER BY id"
    return world.sql(query, id=job_id)


def shown(world: World, job_id: UUID, user_id: UUID) -> list[dict[str, Any]]:
    """Return the timeline of the API's answer."""
    with world.services.db.statement() as connection:
        view = job_store.find_view(connection, job_id, user_id)
    assert view is not None
    lines: list[dict[str, Any]] = json.loads(view.timeline or "")
    return lines


def wait(world: World, job_id: UUID, code: str, detail: str = "It does not work.") -> None:
    """Write a line as a step does."""
    with world.services.db.begin() as connection:
        claims.append_event(connection, job_id, Event.WAITING, Reason(code, detail))


def test_a_job_that_is_refused_again_and_again(world: World, generator: FakeGenerator) -> None:
    generator.extensions = ALL_EXTENSIONS
    refused = refuse(generator, 302)
    user_id = world.user()
    job_id = world.submit(user_id)
    world.finish(job_id, rounds=100)
    times = len(refused)
    assert [(row.event, row.times) for row in stored(world, job_id)] == [
        ("accepted", 1),
        ("waiting", times - 1),
        ("started", times),
        ("failed", 1),
    ]
    accepted, waiting, started, failed = shown(world, job_id, user_id)
    assert {"count", "first_at"}.isdisjoint(accepted | failed), "as ever"
    assert (waiting["count"], started["count"]) == (times - 1, times)
    assert accepted["at"] <= started["first_at"] < waiting["first_at"] < waiting["at"] < started["at"] <= failed["at"]


def test_what_has_happened_in_between_begins_another_run(world: World) -> None:
    job_id = world.send()
    for code in ("generator_busy", "generator_down", "generator_busy"):
        wait(world, job_id, code)
    with world.services.db.begin() as connection:
        claims.append_event(connection, job_id, Event.RECOVERED, Reason("worker_died", "It died."))
    wait(world, job_id, "generator_busy")
    assert [(row.event, row.code, row.times) for row in stored(world, job_id)] == [
        ("accepted", None, 1),
        ("started", None, 1),
        ("sent", None, 1),
        ("waiting", "generator_down", 1),
        ("waiting", "generator_busy", 2),
        ("recovered", "worker_died", 1),
        ("waiting", "generator_busy", 1),
    ]


def test_for_how_long_the_storage_fails_is_known_from_folded_lines(world: World) -> None:
    job_id = world.send()

    def failing_s() -> float:
        with world.services.db.statement() as connection:
            return storage_failures.failing_s(connection, job_id) or 0

    wait(world, job_id, "storage_unavailable", "One.")
    world.sql("UPDATE job_events SET at = at - interval '1 hour' WHERE code = 'storage_unavailable'")
    for detail in ("Two.", "One.", "Two."):
        wait(world, job_id, "storage_unavailable", detail)
    assert len(stored(world, job_id)) == 5
    assert failing_s() > 3600
    wait(world, job_id, "generator_busy")
    wait(world, job_id, "storage_unavailable", "One.")
    assert failing_s() < 600, "something else was in the way meanwhile"


@pytest.mark.parametrize("older_version", [False, True])
def test_there_are_never_more_than_200_lines(world: World, older_version: bool) -> None:
    user_id = world.user()
    job_id = world.submit(user_id)
    query = """
        INSERT INTO job_events (job_id, event, detail, code)
        SELECT :id, 'waiting', 'Again in ' || n || ' s.', 'code_' || n % 3 FROM generate_series(1, 3000) AS n
    """
    if older_version:
        world.sql(f"ALTER TABLE job_events DISABLE TRIGGER fold_events; {query}", id=job_id)
        world.sql("ALTER TABLE job_events ENABLE TRIGGER fold_events")
    else:
        world.sql(query, id=job_id)
        assert sum(row.times for row in stored(world, job_id)) == 3001
    timeline = shown(world, job_id, user_id)
    assert len(timeline) <= MOST_LINES
    assert (timeline[0]["event"], timeline[-1]["detail"]) == ("accepted", "Again in 3000 s.")
    for code in ("code_0", "code_4"):
        wait(world, job_id, code, "Once more.")
    lines = stored(world, job_id)
    assert len(lines) <= MOST_LINES
    assert (lines[0].event, lines[-1].code, lines[-1].times) == ("accepted", "code_4", 1)
    assert lines[-2].times > 1, "another sentence of the same code"
