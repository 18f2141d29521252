"""What the collector reads and writes does not grow with the rows that it keeps."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from shared.accounts import token_store
from shared.core.db import fetch
from shared.jobs import store as job_store
from shared.jobs import upload_store
from shared.notify import expiry, outbox_rows
from shared.notify import store as mail_store
from shared.polling import garbage, garbage_store
from tests.support.world import World

MANY = 5000


def add_uploads(world: World, user_id: UUID, count: int, age: str = "25 hours") -> list[str]:
    rows = world.sql(
        "INSERT INTO uploads (user_id, key, content_type, size_bytes, created_at)"
        " SELECT :user_id, 'uploads/' || uuidv7(), 'image/png', 1, now() - CAST(:age AS interval)"
        " FROM generate_series(1, :count) RETURNING key",
        user_id=user_id,
        count=count,
        age=age,
    )
    return [row.key for row in rows]


def use(world: World, job_id: UUID, *keys: str) -> None:
    """Make the uploads the job's start pictures."""
    world.sql(
        "INSERT INTO job_sources (job_id, index, upload_key) SELECT :job_id, number, key"
        " FROM unnest(CAST(:keys AS text[])) WITH ORDINALITY AS given (key, number)",
        job_id=job_id,
        keys=list(keys),
    )


def left(world: World) -> set[str]:
    return {row.key for row in world.sql("SELECT key FROM uploads")}


def test_an_upload_in_use_is_looked_at_once(world: World) -> None:
    user_id = world.user()
    used, unused = add_uploads(world, user_id, 2)
    use(world, world.submit(user_id), used)
    with world.services.db.begin() as connection:
        assert upload_store.drop_unused(connection, 10) == upload_store.Dropped(2, 1)
        assert upload_store.drop_unused(connection, 10) == upload_store.Dropped(0, 0)
    assert left(world) == {used}
    assert world.garbage() == {unused}


def retired(**counts: int) -> garbage.Retired:
    return garbage.Retired(**{"tokens": 0, "uploads": 0, "likenesses": 0, "scene_pictures": 0, **counts})


def test_an_upload_is_dropped_after_the_last_job_that_used_it(world: World) -> None:
    user_id = world.user()
    key, other = add_uploads(world, user_id, 2)
    job_ids = [world.submit(user_id) for _ in range(3)]
    for job_id, keys in zip(job_ids, ([key], [key], [key, other]), strict=True):
        use(world, job_id, *keys)
    for job_id in job_ids:
        garbage.retire(world.services)
        assert left(world) == {key, other}
        with world.services.db.begin() as connection:
            job_store.delete(connection, job_id)
    assert garbage.retire(world.services) == retired(uploads=2)
    assert left(world) == set()
    assert {key, other} <= world.garbage()


def test_an_upload_that_a_submit_is_about_to_use_is_not_waited_for(world: World) -> None:
    user_id = world.user()
    taken, unused = add_uploads(world, user_id, 2)
    job_id = world.submit(user_id)
    with world.services.db.begin() as connection:
        query = text("INSERT INTO job_sources (job_id, index, upload_key) VALUES (:job_id, 0, :key)")
        connection.execute(query, {"job_id": job_id, "key": taken})
        assert garbage.retire(world.services) == retired(uploads=1)
    assert garbage.retire(world.services) == retired()
    assert left(world) == {taken}
    assert world.garbage() == {unused}


def test_retiring_goes_on_until_nothing_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "RETIRED_AT_ONCE", 2)
    user_id = world.user()
    keys = add_uploads(world, user_id, 5)
    use(world, world.submit(user_id), *keys[:3])
    for number in range(5):
        query = "INSERT INTO tokens (user_id, hash, kind, expires_at) VALUES (:user_id, :hash, 'session', now())"
        world.sql(query, user_id=user_id, hash=bytes([number]))
    assert garbage.count_waste(world.services) == garbage.Waste(retired(tokens=5, uploads=2), prefixes=0)
    assert garbage.retire(world.services) == retired(tokens=5, uploads=2)
    assert left(world) == set(keys[:3])


def test_rows_that_are_kept_are_not_read(world: World) -> None:
    """Of many uploads in use, valid tokens, mails and prefixes that wait, a collection reads none."""
    user_id = world.user()
    job_id = world.submit(user_id)
    use(world, job_id, *add_uploads(world, user_id, MANY))
    add_uploads(world, user_id, MANY, age="1 hour")
    world.sql(
        "INSERT INTO tokens (user_id, hash, kind, expires_at)"
        " SELECT :user_id, CAST(CAST(number AS text) AS bytea), 'session', now() + interval '1 day'"
        " FROM generate_series(1, :many) AS number",
        user_id=user_id,
        many=MANY,
    )
    world.sql(
        "WITH added AS (INSERT INTO jobs (user_id, state, finished_at, prompt, settings, cost, turn, quota_day)"
        " SELECT user_id, 'cancelled', now(), prompt, settings, cost, turn, quota_day"
        " FROM jobs, generate_series(1, :many) RETURNING id)"
        " INSERT INTO mails (job_id, due_at) SELECT id, now() + interval '1 hour' FROM added",
        many=MANY,
    )
    query = (
        "INSERT INTO garbage SELECT 'jobs/' || number, now() + interval '1 hour' FROM generate_series(1, :many) number"
    )
    world.sql(query, many=MANY)
    garbage.retire(world.services)
    world.sql("ANALYZE uploads, tokens, mails, garbage")
    with world.services.db.begin() as connection:
        before = reads(connection)
        assert token_store.drop_expired_tokens(connection, 500) == 0
        assert upload_store.drop_unused(connection, 500).seen == 0
        assert outbox_rows.drop_old(connection, "mails", 500) == []
        assert fetch(connection, outbox_rows.DUE_OUTBOXES, {}) == []
        assert mail_store.claim(connection) is None
        assert garbage_store.claim_due(connection, 50) == []
        assert garbage_store.count_due(connection) == 0
        # A page of an index may hold entries of rows that earlier tests deleted.
        assert reads(connection) - before < MANY / 50


def reads(connection: Connection) -> int:
    """Return how many rows of the collector's tables this connection has read so far."""
    query = text("""
        SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int FROM pg_stat_xact_user_tables
        WHERE relname IN ('uploads', 'tokens', 'mails', 'garbage')
    """)
    return int(connection.execute(query).scalar_one())


def test_mails_are_given_up_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "GIVEN_UP_AT_ONCE", 2)
    for _ in range(3):
        query = "INSERT INTO mails (job_id, created_at) VALUES (:id, now() - interval '25 hours')"
        world.sql(query, id=world.submit(world.user()))
    for rows in (1, 0):
        expiry.give_up_old(world.services)
        assert len(world.sql("SELECT FROM mails")) == rows
