"""What makes a waiting request look at its job again: every change of the job, not its place in the queue."""

from uuid import UUID

import pytest

from shared.jobs import store as job_store
from shared.jobs import watch_store
from shared.jobs.states import Event, State
from tests.support.world import World


@pytest.fixture
def queue(world: World) -> list[UUID]:
    """Queue 200 jobs in this order, a start tag apart."""
    first = world.submit(world.user())
    world.sql(
        "INSERT INTO jobs (user_id, prompt, settings, cost, turn, protocols, quota_day)"
        " SELECT user_id, prompt, settings, cost, turn + number, protocols, quota_day"
        " FROM jobs, generate_series(1, 199) AS number"
    )
    rows = world.sql("SELECT id FROM jobs ORDER BY turn")
    assert rows[0].id == first
    return [row.id for row in rows]


def signs(world: World, queue: list[UUID]) -> list[str]:
    with world.services.db.statement() as connection:
        found = watch_store.list_changed_signs(connection, [(job_id, None) for job_id in queue])
    return [found[job_id, None] for job_id in queue]


def test_a_start_changes_the_places_of_others_and_no_sign(world: World, queue: list[UUID]) -> None:
    before = signs(world, queue[1:])
    world.sql("UPDATE jobs SET state = 'generating' WHERE id = :id", id=queue[0])
    world.sql("UPDATE queue_clock SET turn = 1")
    assert signs(world, queue[1:]) == before


def test_a_job_that_changes_or_leaves_has_another_sign(world: World, queue: list[UUID]) -> None:
    before = signs(world, queue[-1:])
    world.sql("UPDATE jobs SET version = version + 1 WHERE id = :id", id=queue[-1])
    changed_once = signs(world, queue[-1:])
    with world.services.db.begin() as connection:
        job_store.move(connection, queue[-1], State.CANCELLED, Event.CANCELLED)
    assert len({*before, *changed_once, *signs(world, queue[-1:])}) == 3


def test_only_changed_and_deleted_jobs_are_listed(world: World, queue: list[UUID]) -> None:
    known = list(zip(queue, signs(world, queue), strict=True))
    same, other, gone = known[120], known[130], known[140]
    world.sql("UPDATE jobs SET version = version + 1 WHERE id = :id", id=other[0])
    world.sql("DELETE FROM jobs WHERE id = :id", id=gone[0])
    with world.services.db.statement() as connection:
        found = watch_store.list_changed_signs(connection, [same, other, (other[0], "older"), gone])
    assert found == {
        other: signs(world, [other[0]])[0],
        (other[0], "older"): signs(world, [other[0]])[0],
        gone: "",
    }


def test_a_watched_job_has_the_sign_of_the_long_poll(world: World, queue: list[UUID]) -> None:
    token_hash = b"h" * 32
    world.sql(
        "INSERT INTO tokens (user_id, hash, kind, last_used_at) SELECT user_id, :hash, 'api', now() FROM jobs LIMIT 1",
        hash=token_hash,
    )
    for job_id, sign in zip((queue[0], queue[-1]), signs(world, [queue[0], queue[-1]]), strict=True):
        with world.services.db.statement() as connection:
            found = watch_store.find_watched_view(connection, job_id, token_hash)
            assert found is not None
            assert found == (job_store.find_view_by_token(connection, job_id, token_hash), sign)
            assert watch_store.find_watched_view(connection, job_id, b"x" * 32) is None


def test_watched_jobs_are_read_together_as_each_by_itself(world: World, queue: list[UUID]) -> None:
    """Only those that their token's user owns, each once for each token."""
    job_ids, mine, stranger = [queue[0], queue[150], queue[-1]], b"m" * 32, b"s" * 32
    for hashed, owner in ((mine, "SELECT user_id FROM jobs LIMIT 1"), (stranger, ":stranger")):
        world.sql(
            f"INSERT INTO tokens (user_id, hash, kind, last_used_at) SELECT ({owner}), :hash, 'api', now()",
            hash=hashed,
            **({"stranger": world.user()} if hashed == stranger else {}),
        )
    asked = [(job_id, token) for job_id in job_ids for token in (mine, stranger, b"x" * 32)]
    with world.services.db.statement() as connection:
        found = watch_store.list_watched_views(connection, asked)
        alone = {key: watch_store.find_watched_view(connection, *key) for key in asked}
    assert found == {key: view for key, view in alone.items() if view is not None}
    assert set(found) == {(job_id, mine) for job_id in job_ids}
