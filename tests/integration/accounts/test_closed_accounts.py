"""A deleted account disappears at once; the rows of a large one are deleted in batches."""

from uuid import UUID

import pytest
from sqlalchemy import text

from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.auth import Credential
from shared.accounts.tokens import token_hash
from shared.core.errors import BadCredentials, NotSignedIn
from shared.gallery import store as gallery_store
from tests.support.world import World

PASSWORD = "a long and unusual sentence"


@pytest.fixture
def session(world: World) -> Credential:
    hashed = token_hash(accounts.sign_up(world.services, "someone@example.com", PASSWORD).token)
    assert hashed is not None
    return Credential(hashed)


@pytest.fixture
def user_id(world: World, session: Credential) -> UUID:
    return UUID(str(world.sql("SELECT id FROM users")[0].id))


def add_jobs(world: World, user_id: UUID, count: int) -> None:
    world.submit(user_id)
    world.sql(
        "INSERT INTO jobs (user_id, prompt, settings, cost, turn, protocols, quota_day)"
        " SELECT user_id, prompt, settings, cost, turn, protocols, quota_day FROM jobs, generate_series(2, :count)",
        count=count,
    )


def left(world: World) -> tuple[int, int]:
    [row] = world.sql("SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM jobs) AS jobs")
    return row.users, row.jobs


def test_the_rows_of_a_large_account_follow(
    world: World, session: Credential, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_jobs(world, user_id, 1200)
    jobs = {f"jobs/{row.id}/" for row in world.sql("SELECT id FROM jobs")}
    monkeypatch.setattr(accounts, "delete_rows", lambda *_: None)  # as if the process died here
    accounts.delete_account(world.services, session, PASSWORD)
    monkeypatch.undo()
    with pytest.raises(NotSignedIn):
        accounts.get_account(world.services, session)
    with pytest.raises(BadCredentials):
        accounts.log_in(world.services, "someone@example.com", PASSWORD)
    assert left(world) == (1, 1200)
    accounts.sign_up(world.services, "someone@example.com", PASSWORD)
    with world.services.db.begin() as connection:
        assert user_store.delete_some(connection, user_id, 500)
    assert left(world) == (2, 700)
    assert len(world.garbage() & jobs) == 500
    world.poller.collect()
    assert left(world) == (1, 0)
    assert user_store.DELETED_AT_ONCE < 1200


def test_no_transaction_deletes_more_than_a_batch_of_any_table(
    world: World, session: Credential, user_id: UUID
) -> None:
    """Groups and uploads would otherwise all go with the user, and take seconds."""
    add_jobs(world, user_id, 7)
    world.sql("INSERT INTO job_groups (user_id) SELECT :user_id FROM generate_series(1, 7)", user_id=user_id)
    world.sql(
        "INSERT INTO uploads (key, user_id, content_type, size_bytes)"
        " SELECT 'uploads/' || n, :user_id, 'image/png', 1 FROM generate_series(1, 7) AS n",
        user_id=user_id,
    )
    counts = "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM job_groups), (SELECT count(*) FROM uploads)"
    with world.services.db.begin() as connection:
        user_store.close(connection, user_id)
    more, before = True, tuple(world.sql(counts)[0])
    while more:
        with world.services.db.begin() as connection:
            more = user_store.delete_some(connection, user_id, 3)
        now = tuple(world.sql(counts)[0])
        assert all(was - is_now <= 3 for was, is_now in zip(before, now, strict=True))
        before = now
    assert (before, world.sql("SELECT id FROM users")) == ((0, 0, 0), [])
    assert {f"uploads/{number}" for number in range(1, 8)} <= world.garbage()


def test_a_batch_reads_only_the_accounts_jobs(world: World, user_id: UUID) -> None:
    """Even where most of all jobs are the account's, and older ones are not."""
    add_jobs(world, world.user(), 3000)
    world.sql(
        "INSERT INTO jobs (user_id, prompt, settings, cost, turn, protocols, quota_day)"
        " SELECT :user_id, prompt, settings, cost, turn, protocols, quota_day FROM jobs, generate_series(1, 2)",
        user_id=user_id,
    )
    world.sql("ANALYZE jobs")
    with world.services.db.begin() as connection:
        # These counts include those of the session's last transactions that it has not reported yet.
        reads = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs'")
        before = connection.execute(reads).scalar_one()
        assert user_store.delete_some(connection, user_id, 100)
        assert connection.execute(reads).scalar_one() - before < 1000


def test_a_small_account_is_deleted_by_the_request(world: World, session: Credential, user_id: UUID) -> None:
    add_jobs(world, user_id, 3)
    accounts.delete_account(world.services, session, PASSWORD)
    assert left(world) == (0, 0)


def test_the_pictures_of_a_deleted_account_are_not_public_before_their_rows_are_deleted(
    world: World, session: Credential, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_ids = [world.submit(user_id), world.submit(world.user())]
    world.finish(*job_ids)
    world.sql("UPDATE jobs SET published_at = now()")
    image_id = world.images(job_ids[0])[0].id
    assert public(world, job_ids, image_id) == ([*reversed(job_ids)], job_ids, True)
    monkeypatch.setattr(accounts, "delete_rows", lambda *_: None)
    accounts.delete_account(world.services, session, PASSWORD)
    assert public(world, job_ids, image_id) == (job_ids[1:], job_ids[1:], False)


def public(world: World, job_ids: list[UUID], image_id: UUID) -> tuple[list[UUID], list[UUID], bool]:
    """Return the jobs in the gallery's list, those with a page in it, and whether a link of a picture works."""
    with world.services.db.statement() as connection:
        listed = [UUID(item.id) for item in gallery_store.list_shown(connection, after=None, limit=10)]
        pages = [job_id for job_id in job_ids if gallery_store.find_shown(connection, job_id)]
        return listed, pages, gallery_store.find_picture(connection, image_id) is not None


def test_the_newest_jobs_are_deleted_first(world: World, session: Credential, user_id: UUID) -> None:
    job_ids = [world.submit(user_id) for _ in range(3)]
    with world.services.db.begin() as connection:
        user_store.close(connection, user_id)
        assert user_store.delete_some(connection, user_id, 2)
    assert [row.id for row in world.sql("SELECT id FROM jobs")] == job_ids[:1]


def test_a_collection_deletes_several_accounts(world: World) -> None:
    user_ids = [world.user() for _ in range(3)]
    for user_id in user_ids[:2]:
        world.submit(user_id)
        with world.services.db.begin() as connection:
            user_store.close(connection, user_id)
    world.poller.collect()
    assert [row.id for row in world.sql("SELECT id FROM users")] == user_ids[2:]


def test_a_deletion_ends_after_its_limit(world: World) -> None:
    user_ids = [world.user() for _ in range(3)]
    accounts.delete_rows(world.services, user_ids, limit_s=-1)
    assert len(world.sql("SELECT id FROM users")) == 3


def test_a_wrong_password_deletes_nothing(world: World, session: Credential, user_id: UUID) -> None:
    with pytest.raises(BadCredentials):
        accounts.delete_account(world.services, session, "another sentence")
    assert left(world) == (1, 0)
    assert accounts.get_account(world.services, session)
