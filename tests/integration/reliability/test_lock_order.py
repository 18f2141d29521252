"""Rows are locked in the order of `shared.core.locks`: whoever waits for one holds none that comes after it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from shared.accounts import account_mails, api_tokens, sessions
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.auth import Credential
from shared.api.account_schemas import AccountChange
from shared.core import locks
from shared.core.errors import NotFound
from shared.exports import store as export_store
from shared.jobs import group_store, submission_store, upload_store
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.jobs.upload_store import Dropped
from shared.notify import outbox
from shared.polling import garbage, garbage_store, lease_store, outcomes, unsettled
from shared.polling.outcomes import Decision, Failed, Outcome, Progressed
from shared.polling.worker import Taken
from shared.testing.fake_generator import FakeGenerator
from tests.support.mail_server import MailServer
from tests.support.world import LIMITS, World, with_settings

PATIENCE_S = 20
GOES_ON = Progressed(1)
ENDS = Failed(GENERATOR_FAILED)


def check_order(world: World, change: Callable[[], object], first: str, then: str, **values: Any) -> None:
    """Let the change wait for the rows of one query, and check that it holds none of another one's."""
    with ThreadPoolExecutor(1) as threads:
        with world.services.db.begin() as other:
            assert list(other.execute(text(f"{first} FOR UPDATE"), values))
            changing = threads.submit(change)
            world.until_one_waits()
            assert list(other.execute(text(f"{then} FOR UPDATE NOWAIT"), values))
        changing.result(PATIENCE_S)


def add_token(world: World, user_id: UUID, kind: str) -> tuple[UUID, Credential]:
    credential = Credential(uuid4().bytes)
    query = "INSERT INTO tokens (user_id, hash, kind) VALUES (:user_id, :hash, :kind) RETURNING id"
    [row] = world.sql(query, user_id=user_id, hash=credential.token_hash, kind=kind)
    return row.id, credential


def test_the_use_of_a_token_is_recorded_last(world: World) -> None:
    """Disabling and closing an account lock the user before the tokens."""
    credential = world.credential(world.user())
    change = partial(accounts.change_account, world.services, credential, AccountChange(language="ru"))
    check_order(world, change, "SELECT FROM users", "SELECT FROM tokens")
    assert world.sql("SELECT language, last_used_at IS NOT NULL FROM users, tokens") == [("ru", True)]


def test_a_change_that_fails_records_no_use(world: World) -> None:
    credential = world.credential(world.user())
    with pytest.raises(NotFound):
        sessions.end_session(world.services, credential, uuid4())
    assert world.sql("SELECT last_used_at FROM tokens") == [(None,)]
    sessions.list_sessions(world.services, credential, before=None, limit=1)
    assert world.sql("SELECT last_used_at IS NULL FROM tokens") == [(False,)]


@pytest.mark.parametrize("ends", ["a session", "the others", "an API token"])
def test_tokens_that_end_each_other_take_turns(world: World, ends: str) -> None:
    user_id = world.user()
    kind = "api" if ends == "an API token" else "session"
    (_, credential), (other_id, _) = add_token(world, user_id, kind), add_token(world, user_id, kind)
    change = {
        "a session": partial(sessions.end_session, world.services, credential, other_id),
        "the others": partial(sessions.end_other_sessions, world.services, credential),
        "an API token": partial(api_tokens.revoke_api_token, world.services, credential, other_id),
    }[ends]
    check_order(world, change, "SELECT FROM users", "SELECT FROM tokens")
    assert [bytes(row.hash) for row in world.sql("SELECT hash FROM tokens")] == [credential.token_hash]


def test_log_ins_that_renew_the_hash_of_a_password_take_turns(world: World) -> None:
    user_id = world.user()

    def log_in(new_hash: str) -> bool:
        with world.services.db.begin() as connection:
            kept = user_store.keeps_password(connection, user_id, "-")
            user_store.set_password_hash(connection, user_id, new_hash)
        return kept

    with ThreadPoolExecutor(1) as threads:
        with world.services.db.begin() as connection:
            assert user_store.keeps_password(connection, user_id, "-")
            other = threads.submit(log_in, "of the other")
            world.until_one_waits()
            user_store.set_password_hash(connection, user_id, "of this one")
        assert not other.result(PATIENCE_S)


def add_upload(world: World, user_id: UUID, age: str = "25 hours") -> str:
    key = f"uploads/{uuid4()}.png"
    query = """
        INSERT INTO uploads (user_id, key, content_type, size_bytes, created_at)
        VALUES (:user_id, :key, 'image/png', 1, now() - CAST(:age AS interval))
    """
    world.sql(query, user_id=user_id, key=key, age=age)
    return key


def test_a_submit_that_uses_an_old_upload_does_not_meet_the_collector(world: World) -> None:
    user_id = world.user()
    key = add_upload(world, user_id)
    with world.services.db.begin() as submitting:
        locks.lock_users(submitting, [user_id])
        with world.services.db.begin() as collecting:
            assert upload_store.drop_unused(collecting, 10) == Dropped(0, 0)
        submitting.execute(text("SELECT FROM uploads FOR KEY SHARE NOWAIT"))
    assert garbage.retire(world.services).uploads == 1
    assert world.garbage() == {key}


def test_uploads_are_checked_one_by_one(world: World) -> None:
    """Two submits may have the same ones in another order."""
    user_id = world.user()
    one, two = add_upload(world, user_id), add_upload(world, user_id)

    def fix() -> set[str]:
        with world.services.db.statement() as connection:
            return upload_store.fix_contents(connection, {two: "b", one: "a"})

    query = "SELECT FROM uploads WHERE key = "
    check_order(world, fix, f"{query} :one", f"{query} :two", one=one, two=two)
    assert fix() == set()
    with world.services.db.statement() as connection:
        assert upload_store.fix_contents(connection, {one: "c", two: "b", "uploads/gone.png": "d"}) == {one}


@pytest.mark.parametrize("deleted", ["a job", "a group", "an account"])
def test_what_waits_to_be_sent_is_deleted_after_the_user_is_locked(world: World, deleted: str) -> None:
    """As by those who send no more mail to a user."""
    user_id = world.user()
    jobs = [world.new_job(webhook_url="https://example.com/")]
    with world.services.db.statement() as connection:
        made = submission_store.queue_all(connection, user_id, jobs, is_group=True, **LIMITS)
    assert made is not None
    assert made.group_id is not None
    [job_id], group_id = made.ids, made.group_id
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.CANCELLED, Event.CANCELLED)
    world.sql("UPDATE jobs SET stored_bytes = 1")  # which the user's row counts
    changes: dict[str, Callable[..., object]] = {
        "a job": partial(job_store.delete, job_id=job_id),
        "a group": partial(group_store.delete, group_id=group_id),
        "an account": partial(user_store.delete_some, user_id=user_id),
    }

    def delete() -> None:
        with world.services.db.begin() as connection:
            changes[deleted](connection)

    check_order(world, delete, "SELECT FROM users", "SELECT FROM webhooks")
    assert world.sql("SELECT FROM jobs") == []


def test_browsers_are_told_after_the_user_is_locked(world: World) -> None:
    """As where jobs of a group that were held fail together."""
    user_id = world.user()
    world.sql(
        "INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth) VALUES (:id, 'https://example.com/', '', '')",
        id=user_id,
    )
    with world.services.db.statement() as connection:
        made = submission_store.queue_all(
            connection, user_id, [world.new_job(), world.new_job()], is_group=True, **LIMITS
        )
    assert made is not None

    def fail(job_id: UUID) -> None:
        with world.services.db.begin() as connection:
            job_store.move(connection, job_id, State.FAILED, Event.FAILED, reason=GENERATOR_FAILED)

    fail(made.ids[0])
    check_order(world, partial(fail, made.ids[1]), "SELECT FROM users", "SELECT FROM pushes")
    assert world.sql("SELECT job_id FROM pushes") == [(made.ids[1],)]


def test_links_are_withdrawn_before_their_mail_is_postponed(world: World) -> None:
    """Using another link of the account deletes them in that order, too."""
    [(user_id, email)] = world.sql("SELECT id, email FROM users WHERE id = :id", id=world.user())
    with MailServer() as server:
        server.on_data = "451 later"
        services = with_settings(world.services, mail_url=server.url, mail_from="Easel <easel@example.com>")
        with services.db.statement() as connection:
            account_mails.add(connection, "reset", email)
        [mail] = world.sql("SELECT id FROM account_mails")
        world.sql(
            "INSERT INTO account_links (hash, kind, user_id, email, mail_id, expires_at)"
            " VALUES ('-', 'reset', :id, :email, :mail_id, now() + interval '1 hour')",
            id=user_id,
            email=email,
            mail_id=mail.id,
        )
        change = partial(outbox.send_due, services)
        check_order(world, change, "SELECT FROM account_links WHERE hash = '-'", "SELECT FROM account_mails")
        services.db.close()
    assert world.sql("SELECT FROM account_links") == []


@pytest.fixture
def taken(world: World, generator: FakeGenerator) -> Iterator[list[Taken]]:
    """Return the claims of two jobs at a generator, the older job's first."""
    generator.max_in_flight = 2
    world.poller.addresses = (generator.address,)
    world.poller.sweep()
    jobs = [world.submit(world.user()) for _ in range(2)]
    assert world.poller.start() == jobs
    for job_id in jobs:
        world.poller.advance(job_id)
    world.hurry()
    yield sorted(world.poller.worker.claim_due(2), key=lambda claimed: claimed.claim.id)
    world.poller.worker.settle_all_but([])


JOB = "SELECT FROM jobs WHERE id = "


@pytest.mark.parametrize(("of_older", "of_newer"), [(GOES_ON, GOES_ON), (ENDS, GOES_ON), (ENDS, ENDS)])
def test_a_batch_locks_its_jobs_in_order(
    world: World, taken: list[Taken], of_older: Outcome, of_newer: Outcome
) -> None:
    """As a submit does whose jobs start from the pictures of both."""
    older, newer = (claimed.claim for claimed in taken)
    batch = [(newer, Decision(of_newer)), (older, Decision(of_older))]
    change = partial(outcomes.write, world.services.db, batch)
    check_order(world, change, f"{JOB} :older", f"{JOB} :newer", older=older.id, newer=newer.id)


def test_a_claim_and_a_crash_are_given_back_in_order(world: World, taken: list[Taken]) -> None:
    """Two workers that were frozen may each have taken over a job of the other."""
    older, newer = (claimed.claim for claimed in taken)
    world.expire_lease(older.id)
    assert world.poller.claim(older.id)
    change = partial(unsettled.settle, world.services.db, [newer, older])
    check_order(world, change, f"{JOB} :older", f"{JOB} :newer", older=older.id, newer=newer.id)
    assert (world.row(older.id).crashes, world.row(newer.id).lease_until) == (0, None)


def test_claims_without_an_answer_are_given_back_in_order(world: World, taken: list[Taken]) -> None:
    older, newer = (claimed.claim for claimed in taken)
    # It would be found last.
    world.sql("UPDATE jobs SET next_step_at = now() + interval '1 hour' WHERE id = :older", older=older.id)
    change = partial(unsettled.give_back, world.services.db, [newer.attempt_token, older.attempt_token])
    check_order(world, change, f"{JOB} :older", f"{JOB} :newer", older=older.id, newer=newer.id)
    assert world.sql("SELECT lease_until FROM jobs") == [(None,), (None,)]


def test_the_collector_waits_for_nobody(world: World) -> None:
    """Those who discard prefixes lock them in order, and it has claimed them in another one."""
    world.sql("INSERT INTO garbage (prefix) VALUES ('jobs/a/'), ('jobs/b/')")
    world.sql("INSERT INTO leases (attempt_token, until) SELECT uuidv7(), now() - interval '1 hour'")
    world.sql("INSERT INTO leases (attempt_token, until) SELECT uuidv7(), now() - interval '1 hour'")
    for _ in range(2):
        query = "INSERT INTO exports (user_id, due_at, expires_at, finished_at) VALUES (:id, NULL, now(), now())"
        world.sql(query, id=world.user())
    with world.services.db.statement() as connection:
        claimed = garbage_store.claim_due(connection, 10)
    with world.services.db.begin() as other, world.services.db.statement() as collecting:
        other.execute(text("SELECT FROM garbage WHERE prefix = 'jobs/a/' FOR UPDATE"))
        other.execute(text("SELECT FROM leases LIMIT 1 FOR UPDATE"))
        other.execute(text("SELECT FROM exports LIMIT 1 FOR UPDATE"))
        garbage_store.release(collecting, claimed)
        garbage_store.drop(collecting, garbage_store.claim_due(collecting, 10))
        lease_store.drop_old_leases(collecting)
        export_store.drop_expired(collecting)
    assert world.garbage() == {"jobs/a/"}
    assert world.sql("SELECT (SELECT count(*) FROM leases), (SELECT count(*) FROM exports)") == [(1, 1)]
