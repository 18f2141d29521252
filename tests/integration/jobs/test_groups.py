"""Groups in the queue: their jobs are single ones, in fair order with those of other users."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.jobs import submission_store
from shared.jobs.states import Event, State
from tests.support.dispatch import Dispatch
from tests.support.world import LIMITS, World


@pytest.fixture
def dispatch(world: World) -> Iterator[Dispatch]:
    dispatch = Dispatch(world, places=1, max_running=1)
    yield dispatch
    dispatch.poller.close()


def test_a_group_of_200_lets_another_users_single_job_pass(world: World, dispatch: Dispatch) -> None:
    mass, single = world.user(), world.user()
    job = world.new_job(width=512, height=512, steps=30)
    with world.services.db.statement() as connection:
        queued = submission_store.queue_all(connection, mass, [job] * 200, is_group=True, **LIMITS)
    assert queued is not None
    assert len(set(queued.ids)) == 200
    assert list(queued.ids) == sorted(queued.ids)
    turns = [row.turn for row in world.sql("SELECT turn FROM jobs ORDER BY id")]
    assert turns == pytest.approx([turns[0] + index * job.cost for index in range(200)])
    assert dispatch.start() == [queued.ids[0]]
    newcomer = dispatch.submit(single, 30)
    dispatch.end(queued.ids[0])
    [second] = dispatch.start()
    dispatch.end(second)
    assert newcomer in (second, *dispatch.start())
    world.check_books()


def test_jobs_of_a_group_may_wait_for_one_another(world: World) -> None:
    user = world.user()
    first = world.new_job()
    with world.services.db.statement() as connection:
        queued = submission_store.queue_all(
            connection, user, [first, replace(first, held_by=0), replace(first, held_by=0)], is_group=True, **LIMITS
        )
    assert queued is not None
    assert [world.state(job_id) for job_id in queued.ids] == ["queued", "held", "held"]
    assert [world.row(job_id).settings["from_job"] for job_id in queued.ids] == [None, *[str(queued.ids[0])] * 2]
    world.finish(*queued.ids)
    assert {world.state(job_id) for job_id in queued.ids} == {"succeeded"}
    assert Event.RELEASED in world.events(queued.ids[1])
    assert State.HELD not in {world.state(job_id) for job_id in queued.ids}
