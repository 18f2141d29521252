"""Why queued jobs wait: kept once for each kind of job, and shown in each job's timeline."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from shared.admin import jobs as admin_jobs
from shared.generators.abilities import all_kinds, protocols_of, supported_protocols
from shared.jobs import store as job_store
from shared.jobs import watch_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.jobs.store import Move
from shared.polling import wait_reasons
from tests.support.dispatch import Dispatch
from tests.support.orders import order
from tests.support.world import AnyRow, World

UPSCALED = {"upscale": 2}
"""Of the protocols of these tests only img_generator can do that."""

ANY_KIND = supported_protocols(order())
UPSCALED_KIND = supported_protocols(order(**UPSCALED))

CODE = "no_healthy_generator"

CANCEL = """
WITH moved AS (
    UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp() WHERE id = ANY(:ids) RETURNING id
) INSERT INTO job_events (job_id, event) SELECT id, 'cancelled' FROM moved
"""


def hold_up(world: World, error: str) -> None:
    """Let the generators be down with this error."""
    world.sql(
        "UPDATE generators SET failures = 1, last_error = :error, retry_at = clock_timestamp() + interval '1 hour'",
        error=error,
    )
    wait_reasons.update(world.services)


def go_on(world: World) -> None:
    """Let the generators be healthy."""
    world.sql("UPDATE generators SET failures = 0, last_error = NULL, retry_at = NULL")
    wait_reasons.update(world.services)


def move(world: World, job_id: UUID, to: State, event: Event) -> None:
    with world.services.db.begin() as connection:
        reason = GENERATOR_FAILED if to == State.FAILED else None
        job_store.move(connection, job_id, to, event, reason=reason)


def lines(world: World, job_id: UUID) -> list[AnyRow]:
    """Return the job's timeline with its times."""
    return world.sql(
        """
        SELECT l.at, l.event, l.detail FROM jobs j, job_timeline(j.id, j.state, j.protocols) t,
            json_to_recordset(t.entries) AS l (at timestamptz, event text, detail text) WHERE j.id = :id
        """,
        id=job_id,
    )


def told(world: World, job_id: UUID) -> list[str]:
    """Return the events of the job's timeline, and for each wait the error of the generators."""
    prefix = "No generator can take jobs now: "
    return [
        line.detail.removeprefix(prefix) if line.event == "waiting" else line.event for line in lines(world, job_id)
    ]


def periods(world: World, kind: str = ANY_KIND) -> list[AnyRow]:
    return world.sql("SELECT * FROM wait_reasons WHERE protocols = :kind ORDER BY id", kind=kind)


def age(world: World, by: timedelta) -> None:
    """Let everything in the database be older."""
    world.sql("UPDATE wait_reasons SET began_at = began_at - :by, ended_at = ended_at - :by", by=by)
    world.sql("UPDATE job_events SET at = at - :by", by=by)
    world.sql("UPDATE jobs SET created_at = created_at - :by", by=by)


def in_milliseconds(time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def rows_of_jobs(world: World) -> tuple[list[AnyRow], list[AnyRow]]:
    """Return the versions of all jobs' rows, with what has locked them, and their events."""
    return (
        world.sql("SELECT id, ctid::text, xmin::text, xmax::text, version, waiting FROM jobs ORDER BY id"),
        world.sql("SELECT id, ctid::text, xmin::text FROM job_events ORDER BY id"),
    )


def test_reasons_that_come_and_go_write_no_rows_of_jobs(world: World) -> None:
    jobs = [world.submit(world.user()) for _ in range(3)]
    before = rows_of_jobs(world)
    for error in ("one", "one", "two", "two"):
        hold_up(world, error)
    go_on(world)
    assert rows_of_jobs(world) == before
    assert [told(world, job_id) for job_id in jobs] == [["accepted", "one", "two"]] * 3
    codes = [row.code for row in world.timeline(jobs[0])]
    assert codes == [None, CODE, CODE]


def test_an_unchanged_reason_writes_nothing(world: World) -> None:
    hold_up(world, "one")
    query = "SELECT ctid::text, xmin::text FROM wait_reasons ORDER BY id"
    before = world.sql(query)
    hold_up(world, "one")
    assert world.sql(query) == before


def test_lines_are_in_order_with_the_times_of_their_periods(world: World) -> None:
    job_id = world.submit(world.user())
    for error in ("one", "two"):
        hold_up(world, error)
    go_on(world)
    accepted, *waits = lines(world, job_id)
    assert [line.at for line in waits] == [in_milliseconds(period.began_at) for period in periods(world)]
    assert accepted.at <= waits[0].at <= waits[1].at
    assert [period.ended_at is None for period in periods(world)] == [False, False]
    world.finish(job_id)
    kept = lines(world, job_id)
    assert kept[:3] == [accepted, *waits], "as it was shown while the job was queued"
    assert [line.event for line in kept[3:]][:1] == ["started"]
    assert [line.at for line in kept] == sorted(line.at for line in kept)


def test_a_reason_that_is_back_soon_continues_its_period(world: World) -> None:
    job_id = world.submit(world.user())
    hold_up(world, "one")
    go_on(world)
    age(world, timedelta(seconds=50))
    [before] = periods(world)
    hold_up(world, "one")
    [after] = periods(world)
    assert (after.id, after.began_at, after.ended_at) == (before.id, before.began_at, None)
    assert told(world, job_id) == ["accepted", "one"]


def test_a_reason_that_is_back_later_is_a_new_line(world: World) -> None:
    job_id = world.submit(world.user())
    hold_up(world, "one")
    go_on(world)
    age(world, timedelta(seconds=70))
    hold_up(world, "one")
    assert len(periods(world)) == 2
    assert told(world, job_id) == ["accepted", "one", "one"]


def test_a_reason_that_is_back_after_another_one_is_a_new_line(world: World) -> None:
    job_id = world.submit(world.user())
    for error in ("one", "two", "one"):
        hold_up(world, error)
    assert told(world, job_id) == ["accepted", "one", "two", "one"]


def test_a_job_submitted_during_an_outage_waits_from_its_submit(world: World) -> None:
    hold_up(world, "before")
    hold_up(world, "one")
    job_id = world.submit(world.user())
    hold_up(world, "two")
    accepted, first, second = lines(world, job_id)
    assert told(world, job_id) == ["accepted", "one", "two"]
    assert first.at == accepted.at
    assert second.at > first.at


def test_a_job_submitted_after_an_outage_has_no_line(world: World) -> None:
    hold_up(world, "one")
    go_on(world)
    job_id = world.submit(world.user())
    assert told(world, job_id) == ["accepted"]
    move(world, job_id, State.GENERATING, Event.STARTED)
    assert told(world, job_id) == ["accepted", "started"]


@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.parametrize(
    ("to", "event"),
    [(State.GENERATING, Event.STARTED), (State.CANCELLED, Event.CANCELLED), (State.FAILED, Event.FAILED)],
)
def test_a_job_that_leaves_the_queue_keeps_its_lines(world: World, to: State, event: Event, is_over: bool) -> None:
    job_id = world.submit(world.user())
    hold_up(world, "one")
    if is_over:
        go_on(world)
    before = lines(world, job_id)
    move(world, job_id, to, event)
    assert lines(world, job_id)[:-1] == before
    hold_up(world, "later")
    world.sql("DELETE FROM wait_reasons")
    assert told(world, job_id) == ["accepted", "one", event.value]
    stored = world.sql("SELECT event FROM job_events WHERE job_id = :id ORDER BY id", id=job_id)
    assert [row.event for row in stored] == ["accepted", "waiting", event.value]


def test_a_job_that_is_put_back_waits_from_then_on(world: World) -> None:
    job_id = world.submit(world.user())
    hold_up(world, "one")
    move(world, job_id, State.FAILED, Event.FAILED)
    admin_jobs.requeue(world.services, job_id)
    found = lines(world, job_id)
    assert told(world, job_id) == ["accepted", "one", "failed", "requeued", "one"]
    assert found[-1].at == found[-2].at
    go_on(world)
    move(world, job_id, State.GENERATING, Event.STARTED)
    assert told(world, job_id) == ["accepted", "one", "failed", "requeued", "one", "started"]
    move(world, job_id, State.QUEUED, Event.RETRYING)
    assert told(world, job_id)[-2:] == ["started", "retrying"], "the period was over before the job was back"


def test_one_kind_is_held_up_while_another_is_not(world: World) -> None:
    dispatch = Dispatch(world, places=1, glide=1, max_running=1)
    bound, free = dispatch.submit(world.user(), 10, **UPSCALED), dispatch.submit(world.user(), 10)
    broken = "UPDATE generators SET failures = 1, last_error = :error WHERE protocol = :protocol"
    world.sql(broken, protocol="img_generator", error="one")
    wait_reasons.update(world.services)
    assert (told(world, bound), told(world, free)) == (["accepted", "one"], ["accepted"])
    world.sql(broken, protocol="glide", error="two")
    wait_reasons.update(world.services)
    assert len(told(world, free)) == 2
    world.sql("UPDATE generators SET failures = 0 WHERE protocol = 'img_generator'")
    wait_reasons.update(world.services)
    open_kinds = {row.protocols for row in world.sql("SELECT protocols FROM wait_reasons WHERE ended_at IS NULL")}
    assert open_kinds == {kind for kind in all_kinds() if "img_generator" not in protocols_of(kind)}
    assert told(world, bound) == ["accepted", "one"]


def test_of_several_errors_the_first_generators_is_shown(world: World) -> None:
    Dispatch(world, places=1, glide=1, max_running=1)
    job_id = world.submit(world.user())
    first, second = [row.name for row in world.sql("SELECT name FROM generators ORDER BY name")]
    hold_up(world, "any")
    for failures in (1, 3, 1, 3):
        set_error = "UPDATE generators SET failures = :failures, last_error = :name WHERE name = :name"
        world.sql(set_error, failures=2, name=first)
        world.sql(set_error, failures=failures, name=second)
        wait_reasons.update(world.services)
    assert told(world, job_id) == ["accepted", "any", first]


def test_only_the_newest_lines_are_shown_and_kept(world: World) -> None:
    job_id = world.submit(world.user())
    for number in range(wait_reasons.SHOWN + 3):
        hold_up(world, str(number))
    shown = [str(number) for number in range(3, wait_reasons.SHOWN + 3)]
    assert told(world, job_id) == ["accepted", *shown]
    age(world, timedelta(minutes=2))
    world.poller.collect()
    assert len(periods(world)) == wait_reasons.SHOWN
    assert told(world, job_id) == ["accepted", *shown]
    move(world, job_id, State.GENERATING, Event.STARTED)
    assert told(world, job_id) == ["accepted", *shown, "started"]


def test_periods_that_no_queued_job_needs_are_deleted(world: World) -> None:
    job_id = world.submit(world.user())
    hold_up(world, "one")
    go_on(world)
    of_other_kind = len(periods(world, UPSCALED_KIND))
    assert of_other_kind == 1
    world.poller.collect()
    assert len(periods(world, UPSCALED_KIND)) == 1, "it may still be continued"
    age(world, timedelta(minutes=2))
    newer = world.submit(world.user())
    world.poller.collect()
    assert (len(periods(world)), len(periods(world, UPSCALED_KIND))) == (1, 0)
    assert told(world, job_id) == ["accepted", "one"]
    move(world, job_id, State.GENERATING, Event.STARTED)
    world.poller.collect()
    assert periods(world) == []
    assert (told(world, job_id), told(world, newer)) == (["accepted", "one", "started"], ["accepted"])


def test_an_open_period_is_never_deleted(world: World) -> None:
    hold_up(world, "one")
    age(world, timedelta(days=30))
    world.poller.collect()
    assert [period.ended_at for period in periods(world)] == [None]


@pytest.mark.parametrize("by_statement", [True, False])
def test_jobs_that_are_moved_together_keep_their_own_lines(world: World, by_statement: bool) -> None:
    old = world.submit(world.user())
    hold_up(world, "one")
    middle = world.submit(world.user())
    hold_up(world, "two")
    go_on(world)
    new = world.submit(world.user())
    together = [new, old, middle]
    if by_statement:
        world.sql(CANCEL, ids=together)
    else:
        with world.services.db.begin() as connection:
            moves = [Move(job_id, State.CANCELLED, Event.CANCELLED) for job_id in together]
            assert set(job_store.move_all(connection, moves)) == set(together)
    assert [told(world, job_id) for job_id in (old, middle, new)] == [
        ["accepted", "one", "two", "cancelled"],
        ["accepted", "one", "two", "cancelled"],
        ["accepted", "cancelled"],
    ]


def test_other_changes_of_a_queued_job_write_no_lines(world: World) -> None:
    job_id = world.submit(world.user())
    hold_up(world, "one")
    world.sql("UPDATE jobs SET turn = turn + 1, state = state")
    assert len(world.sql("SELECT FROM job_events")) == 1
    assert told(world, job_id) == ["accepted", "one"]


def signs(world: World, job_ids: Sequence[UUID]) -> dict[UUID, str]:
    with world.services.db.statement() as connection:
        found = watch_store.list_changed_signs(connection, [(job_id, None) for job_id in job_ids])
    return {job_id: sign for (job_id, _), sign in found.items()}


def test_the_sign_of_a_waiting_job_changes_when_its_timeline_does(world: World) -> None:
    hold_up(world, "one")
    job_id = world.submit(world.user())
    seen = [signs(world, [job_id])]
    hold_up(world, "two")
    seen.append(signs(world, [job_id]))
    go_on(world)
    hold_up(world, "two")
    assert signs(world, [job_id]) == seen[-1], "the end of a period is not shown"
    assert seen[0] != seen[1]


def test_workers_that_see_a_reason_at_once_begin_one_period(world: World) -> None:
    world.sql("UPDATE generators SET failures = 1, last_error = 'one'")
    with ThreadPoolExecutor(1) as pool:
        with world.services.db.begin() as connection:
            wait_reasons.write_changes(connection)
            second = pool.submit(wait_reasons.update, world.services)
            world.until_one_waits()
        second.result(timeout=30)
    assert len(periods(world)) == 1
