"""Generators of several protocols: every job goes to one that supports it, and does not block other jobs."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from shared.generators.abilities import kinds_for
from shared.jobs import store as job_store
from shared.polling import dispatch as dispatching
from tests.support.dispatch import Dispatch
from tests.support.world import World

UPSCALED = {"upscale": 2}
"""Of the protocols of these tests only img_generator can do that."""

BROKEN = "UPDATE generators SET failures = 1, last_error = 'It is down.' WHERE protocol = :protocol"

ANY_DATABASE = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def test_the_generator_that_supports_more_fields_is_preferred(world: World) -> None:
    dispatch = Dispatch(world, places=2, glide=3, max_running=1)
    jobs = [dispatch.submit(world.user(), 10) for _ in range(6)]
    assert dispatch.start() == jobs[:5]
    assert [dispatch.protocol(job_id) for job_id in jobs[:5]] == ["img_generator"] * 2 + ["glide"] * 3


def test_a_job_for_a_full_generator_does_not_block_others(world: World) -> None:
    dispatch = Dispatch(world, places=1, glide=2, max_running=1)
    first, second = (dispatch.submit(world.user(), 10, **UPSCALED) for _ in range(2))
    others = [dispatch.submit(world.user(), 10) for _ in range(3)]
    assert dispatch.start() == [first, *others[:2]]
    assert [dispatch.protocol(job_id) for job_id in others[:2]] == ["glide"] * 2
    dispatch.end(first)
    assert dispatch.start() == [second], "it starts before later jobs"
    assert dispatch.protocol(second) == "img_generator"


def test_a_job_for_a_broken_generator_does_not_block_others(world: World) -> None:
    dispatch = Dispatch(world, places=4, glide=1, max_running=1)
    world.sql(BROKEN, protocol="img_generator")
    bound = dispatch.submit(world.user(), 10, **UPSCALED)
    free = [dispatch.submit(world.user(), 10) for _ in range(2)]
    assert dispatch.start() == free[:1]
    world.sql("UPDATE generators SET failures = 0")
    assert dispatch.start() == [bound, free[1]]


def test_jobs_of_a_broken_generator_go_to_another_protocol(world: World) -> None:
    dispatch = Dispatch(world, places=4, glide=4, max_running=1)
    world.sql(BROKEN, protocol="glide")
    jobs = [dispatch.submit(world.user(), 10) for _ in range(5)]
    assert dispatch.start() == jobs[:4]
    assert {dispatch.protocol(job_id) for job_id in jobs[:4]} == {"img_generator"}


@pytest.mark.parametrize("many", [3000])
def test_a_long_backlog_of_one_kind_is_no_scan_for_another(world: World, many: int) -> None:
    dispatch = Dispatch(world, places=1, glide=1, max_running=1)
    backlog = world.user()
    dispatch.submit(backlog, 10, **UPSCALED)
    world.sql(
        "INSERT INTO jobs (user_id, prompt, settings, cost, turn, protocols, quota_day)"
        " SELECT user_id, prompt, settings, cost, turn, protocols, quota_day FROM jobs, generate_series(2, :many)",
        many=many,
    )
    world.sql("UPDATE users SET queued = :many, quota_used = :many", many=many)
    free = dispatch.submit(world.user(), 10)
    world.sql("ANALYZE jobs")
    assert len(dispatch.start()) == 2
    assert dispatch.protocol(free) == "glide"
    world.sql("UPDATE jobs SET state = 'queued' WHERE id = :id", id=free)
    values = {"kinds": list(kinds_for(frozenset({"glide"}))), "max_running": 5, "limit": 64}
    values |= {"floor": dispatching.FIRST[0], "floor_id": dispatching.FIRST[1]}
    with world.services.db.begin() as connection:
        plan = connection.execute(text("EXPLAIN (ANALYZE, FORMAT JSON) " + dispatching._NEXT.text), values).scalar_one()

    def most_rows(node: dict[str, object]) -> float:
        plans = node.get("Plans", [])
        assert isinstance(plans, list)
        own = float(str(node["Actual Rows"])) + float(str(node.get("Rows Removed by Filter", 0)))
        return max([own, *(most_rows(child) for child in plans)])

    assert most_rows(plan[0]["Plan"]) < 100


def test_the_timeline_shows_which_jobs_wait_for_what(world: World) -> None:
    dispatch = Dispatch(world, places=1, glide=1, max_running=1)
    world.sql(BROKEN, protocol="img_generator")
    world.sql("UPDATE generators SET retry_at = clock_timestamp() + interval '1 hour' WHERE failures > 0")
    bound = dispatch.submit(world.user(), 10, **UPSCALED)
    free = [dispatch.submit(world.user(), 10) for _ in range(2)]
    for _ in range(2):
        dispatch.poller.sweep()
    told = [(row.detail, row.code) for row in world.timeline(bound)]
    assert told == [(None, None), ("No generator can take jobs now: It is down.", "no_healthy_generator")]
    assert [len(world.timeline(job_id)) for job_id in free] == [2, 1], "one started, the other waits for its turn"


def test_a_job_unsupported_by_the_new_settings_shows_the_reason(world: World) -> None:
    dispatch = Dispatch(world, places=0, glide=1, max_running=1)
    bound = dispatch.submit(world.user(), 10, **UPSCALED)
    dispatch.poller.sweep()
    assert [(row.detail, row.code) for row in world.timeline(bound)] == [
        (None, None),
        ("No configured generator can make this picture.", "no_able_generator"),
    ]


def test_the_wait_is_estimated_from_the_slots_a_job_can_use(world: World) -> None:
    dispatch = Dispatch(world, places=1, glide=3, max_running=1)
    kinds = [dispatch.submit(world.user(), 10, **request) for request in (UPSCALED, {})]
    with world.services.db.statement() as connection:
        views = [job_store.find_view(connection, job_id, dispatch.owners[job_id]) for job_id in kinds]
    assert [view and view.outlook.places for view in views] == [1, 4]


jobs_of_one = st.lists(st.tuples(st.integers(1, 150), st.booleans()), min_size=1, max_size=8)


@ANY_DATABASE
@given(
    backlogs=st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.0]), jobs_of_one), min_size=1, max_size=4),
    places=st.integers(1, 3),
    glide=st.integers(1, 3),
    max_running=st.integers(1, 3),
    before=st.integers(0, 12),
    steps=st.integers(1, 150),
    bound=st.booleans(),
    choose=st.randoms(use_true_random=False),
)
def test_a_newcomer_is_overtaken_once_by_each_user_for_slots_it_could_use(  # noqa: PLR0913, PLR0917 # drawn by name
    world: World,
    backlogs: list[tuple[float, list[tuple[int, bool]]]],
    places: int,
    glide: int,
    max_running: int,
    before: int,
    steps: int,
    bound: bool,
    choose: random.Random,
) -> None:
    dispatch = Dispatch(world, places=places, glide=glide, max_running=max_running)
    for weight, jobs in backlogs:
        user = world.user(weight=weight)
        for cost, upscaled in jobs:
            dispatch.submit(user, cost, **(UPSCALED if upscaled else {}))
    dispatch.start()
    for _ in range(before):
        if dispatch.running:
            dispatch.end(choose.choice(dispatch.running))
            dispatch.start()
    already = len(dispatch.started)
    first = dispatch.submit(world.user(), steps, **(UPSCALED if bound else {}))
    dispatch.start_all(choose)
    before_it = dispatch.started[already : dispatch.started.index(first)]
    rivals = [job_id for job_id in before_it if not bound or dispatch.protocol(job_id) == "img_generator"]
    counts = Counter(dispatch.owners[job_id] for job_id in rivals)
    assert all(count == 1 for count in counts.values()), counts
    assert len(dispatch.started) == len(dispatch.owners), "no job starves"
    rows = {job_id: world.row(job_id) for job_id in dispatch.started}
    assert all(dispatch.protocol(job_id) in row.protocols.split(",") for job_id, row in rows.items())
    for user, kind in {(row.user_id, row.protocols) for row in rows.values()}:
        own = [job_id for job_id, row in rows.items() if (row.user_id, row.protocols) == (user, kind)]
        assert own == sorted(own), "jobs of one user and one kind start in the order they came"
    world.check_books()
