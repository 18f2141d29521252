"""The auditor finds what is broken on purpose, and nothing else."""

from collections import Counter
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from shared.core import garbage
from shared.jobs import store as job_store
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.audit import Ledger, audit, ledger, objects, rows, timelines
from tests.support.photos import Sitter, photo
from tests.support.world import World

DONE, OTHER, QUEUED, RUNNING, FAILED, CANCELLED = "done", "other", "queued", "running", "failed", "cancelled"


@pytest.fixture
def jobs(world: World, generator: FakeGenerator) -> dict[str, UUID]:
    """Make a job in each state, and an upload that one of them starts from; return them by name."""
    sitter = Sitter(world)
    user = sitter.id
    upload = sitter.upload(photo(0))
    made = {DONE: world.submit(user, n=2), OTHER: world.submit(user, source_images=[upload], notify="email")}
    world.finish(*made.values())
    generator.plan = Plan(ending="error")
    made[FAILED] = world.submit(user)
    world.finish(made[FAILED])
    generator.plan = Plan(polls=1000)
    made[CANCELLED] = world.send(user)
    with world.services.db.begin() as connection:
        job_store.request_cancel(connection, made[CANCELLED])
    world.finish(made[CANCELLED])
    made[RUNNING] = world.send(user)
    made[QUEUED] = world.submit(user, prompt="a boat")
    return made


BREACHES = [
    ("a user's counts", "UPDATE users SET running = running + 1"),
    ("every succeeded or unfinished job is debited", "UPDATE users SET quota_used = quota_used - 1"),
    ("every failed or cancelled job is refunded", "UPDATE users SET quota_used = quota_used + 1"),
    ("what was worked off", "UPDATE jobs SET progress = 0.5 WHERE id = :cancelled"),
    ("a user's stored bytes", "UPDATE users SET stored_bytes = stored_bytes - 1"),
    ("counters equal the queued rows, by kind", "UPDATE queue_depth SET jobs = jobs + 1"),
    ("counters equal the queued rows, over all", "UPDATE queue_depth SET cost = cost + 1"),
    ("the counters of the metrics", "DELETE FROM tallies WHERE name = 'stored'"),
    ("a held job waits", "UPDATE jobs SET state = 'held' WHERE id = :queued"),
    ("a queued job has no claim", "UPDATE jobs SET attempt_token = gen_random_uuid() WHERE id = :queued"),
    ("a pause of a queued job ends", "UPDATE jobs SET next_step_at = now() + interval '1 day' WHERE id = :queued"),
    ("a generating job has a generator and a next step", "UPDATE jobs SET next_step_at = NULL WHERE id = :running"),
    ("a lease belongs", "UPDATE jobs SET lease_until = now() + interval '1 hour' WHERE id = :running"),
    ("a finished job has no claim", "UPDATE jobs SET next_step_at = now() WHERE id = :done"),
    ("at most 3 attempts", "UPDATE jobs SET attempts = 4 WHERE id = :done"),
    ("when its worker has died 3 times", "UPDATE jobs SET crashes = 3 WHERE id = :done"),
    ("neither succeeds nor starts again", "UPDATE jobs SET cancel_requested_at = now() WHERE id = :done"),
    ("one claim has one token", "UPDATE jobs SET attempt_token = '00000000-0000-4000-8000-000000000000'"),
    ("a key of a user makes one job", "UPDATE jobs SET idempotency_key = 'k', fingerprint = NULL WHERE id = :done"),
    ("only a succeeded job is published", "UPDATE jobs SET published_at = now() WHERE id = :failed"),
    ("only about jobs that have ended", "INSERT INTO mails (job_id) VALUES (:queued)"),
    ("a closed account has no token", "UPDATE users SET deleted_at = now()"),
    ("only a succeeded job has pictures", "UPDATE images SET job_id = :failed WHERE job_id = :done"),
    ("exactly the pictures", "DELETE FROM images WHERE job_id = :done AND index = 0"),
    ("exactly the pictures", "DELETE FROM images WHERE job_id = :other"),
    ("stored under one claim", "UPDATE images SET key = 'jobs/x/y/0.png' WHERE job_id = :done AND index = 0"),
    ("no two pictures have one object", "UPDATE images SET thumbnail_key = key"),
    ("a job's stored bytes", "UPDATE images SET size_bytes = size_bytes + 1 WHERE job_id = :done"),
    ("no legal moves", "DELETE FROM job_events WHERE event = 'started' AND job_id = :done"),
    ("no legal moves", "INSERT INTO job_events (job_id, event) VALUES (:cancelled, 'sent')"),
    ("no legal moves", "INSERT INTO job_events (job_id, event) VALUES (:done, 'succeeded')"),
    ("no legal moves", "UPDATE job_events SET event = 'failed' WHERE event = 'succeeded' AND job_id = :done"),
    ("no legal moves", "DELETE FROM job_events WHERE job_id = :queued"),
]


def test_each_row_that_breaks_a_promise_is_found(world: World, jobs: dict[str, UUID]) -> None:
    assert audit(world.services, Ledger(accepted=dict.fromkeys(jobs.values(), uuid4()))) == []
    for words, breach in BREACHES:
        with world.services.db.begin() as connection:
            connection.execute(text(breach), {name: jobs[name] for name in jobs if f":{name}" in breach})
            found = rows.find_violations(connection) + timelines.find_violations(connection)
            connection.rollback()
        wanted = words.replace("no legal moves", "legal moves only")
        assert any(wanted in violation for violation in found), (breach, found)
    assert audit(world.services) == []


def test_what_has_not_settled_is_found(world: World, jobs: dict[str, UUID]) -> None:
    with world.services.db.begin() as connection:
        garbage.discard(connection, "jobs/nothing/")
        connection.execute(text("UPDATE users SET deleted_at = now()"))
        found = rows.find_violations(connection, settled=True)
        connection.rollback()
    for words in ("every job ends", "every message is sent", "every closed account", "garbage that is due"):
        assert any(words in violation for violation in found), found


def test_each_object_that_breaks_a_promise_is_found(world: World, jobs: dict[str, UUID]) -> None:
    storage = world.services.storage
    first, second = world.images(jobs[DONE])
    upload = next(iter(storage.sizes_bytes("uploads/")))
    notes = Ledger()
    objects.remember(storage, notes, first.key)
    kept = {key: storage.get(key, 10**7) for key in (first.key, second.key, first.thumbnail_key, upload)}
    lost = f"jobs/{jobs[DONE]}/{uuid4()}/0.png"
    again = kept[first.key].replace(b"easel\0{", b"easel\0 ", 1)

    def breaches() -> dict[str, Callable[[], object]]:
        return {
            f"{first.key} is missing": lambda: storage.delete([first.key]),
            f"{first.thumbnail_key} is missing": lambda: storage.delete([first.thumbnail_key]),
            f"{upload} is missing": lambda: storage.delete([upload]),
            f"{first.key} has 1 bytes": lambda: storage.put(first.key, b"1", "image/png"),
            "has the recipe of": lambda: storage.put(second.key, kept[first.key], "image/png"),
            "has another SHA-256": lambda: storage.put(first.key, again, "image/png"),
            "has a thumbnail that cannot": lambda: storage.put(first.thumbnail_key, b"1", "image/webp"),
            f"{lost} is not": lambda: storage.put(lost, b"1", "image/png"),
        }

    for words, breach in breaches().items():
        breach()
        found = audit(world.services, notes)
        assert any(words in violation for violation in found), (words, found)
        for key, data in kept.items():
            storage.put(key, data, "image/png")
    world.sql("INSERT INTO garbage (prefix) VALUES (:prefix)", prefix=lost.removesuffix("0.png"))
    assert audit(world.services, notes) == []


def test_what_differs_from_what_clients_were_told_is_found(world: World, jobs: dict[str, UUID]) -> None:
    done, user = jobs[DONE], world.row(jobs[DONE]).user_id
    twice = Ledger()
    twice.note_submit(user, "k", done)
    twice.note_submit(user, "k", jobs[QUEUED])
    told = {
        "is durable": Ledger(accepted={uuid4(): user}),
        "one key makes one job": twice,
        "no picture after a cancel": Ledger(cancelled={done}),
        "an end is final": Ledger(ended={done: "cancelled"}),
        "what was deleted is gone": Ledger(deleting={done}, deleted={done}),
        "a closed account is gone": Ledger(closing={user}, closed={user}),
        "at most 3 starts": Ledger(starts=Counter({done: 4})),
        "at most 2 of each message": Ledger(mails=Counter({done: 3})),
    }

    def compare(connection: Connection, notes: Ledger, *, settled: bool = False) -> list[str]:
        return ledger.find_violations(connection, notes, settled=settled)

    with world.services.db.begin() as connection:
        for words, notes in told.items():
            assert any(words in violation for violation in compare(connection, notes)), words
        connection.execute(text("UPDATE users SET quota_used = quota_used + 1"))
        assert any("debits minus refunds" in words for words in compare(connection, Ledger()))
        connection.execute(text("DELETE FROM mails"))
        connection.execute(text("UPDATE users SET webhook_url = 'https://example.com/hook'"))
        found = compare(connection, Ledger(), settled=True)
        connection.rollback()
    assert f"no mail is lost: that about job {jobs[OTHER]}" in found
    assert f"no webhook is lost: that about job {done}" in found
