"""Shared by the tests of jobs: users, submits, a clock that the tests advance, and checks of the counters."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import Row, text

from shared.accounts.auth import Credential
from shared.accounts.tokens import new_token, token_hash
from shared.api.schemas import JobRequest
from shared.clients.storage import Storage
from shared.jobs import resolution, submission_store
from shared.jobs.records import NewJob
from shared.services import Services
from tests.support.poller import Poller
from tests.support.waiting import until

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of a query that only the test knows."""

SMALL: dict[str, Any] = {"prompt": "a lighthouse at night", "width": 64, "height": 64, "steps": 1}
LIMITS = {"max_queued": 1000, "jobs_per_day": 10_000}


class World:
    """An empty Easel with one poller. Nothing in it waits: what is due later, `hurry` makes due now."""

    def __init__(self, services: Services, poller: Poller) -> None:
        self.services = services
        self.poller = poller

    def sql(self, query: str, **values: Any) -> list[AnyRow]:
        with self.services.db.begin() as connection:
            result = connection.execute(text(query), values)
            return list(result) if result.returns_rows else []

    def user(self, *, weight: float = 1) -> UUID:
        query = "INSERT INTO users (email, password_hash, weight) VALUES (:email, '-', :weight) RETURNING id"
        [row] = self.sql(query, email=f"{uuid4()}@example.com", weight=weight)
        found: UUID = row.id
        return found

    def credential(self, user_id: UUID) -> Credential:
        """Give a user an API token; return what a request with it has."""
        digest = token_hash(new_token())
        self.sql("INSERT INTO tokens (user_id, hash, kind) VALUES (:id, :hash, 'api')", id=user_id, hash=digest)
        assert digest is not None
        return Credential(digest)

    def new_job(self, **request: Any) -> NewJob:
        return resolution.new_job(JobRequest(**(SMALL | request)), None, b"")

    def submit(self, user_id: UUID, **request: Any) -> UUID:
        with self.services.db.begin() as connection:
            row = submission_store.queue(connection, user_id, self.new_job(**request), **LIMITS)
        assert row is not None
        return UUID(row.id)

    def row(self, job_id: UUID) -> AnyRow:
        [row] = self.sql("SELECT * FROM jobs WHERE id = :id", id=job_id)
        return row

    def state(self, job_id: UUID) -> str:
        return str(self.row(job_id).state)

    def events(self, job_id: UUID) -> list[str]:
        return [row.event for row in self.timeline(job_id)]

    def timeline(self, job_id: UUID) -> list[AnyRow]:
        """Return what the API shows as the job's timeline."""
        return self.sql(
            """
            SELECT l.event, l.detail, l.code
            FROM jobs j, job_timeline(j.id, j.state, j.protocols) t, json_to_recordset(t.entries) AS l (
                event text, detail text, code text
            ) WHERE j.id = :id
            """,
            id=job_id,
        )

    def images(self, job_id: UUID) -> list[AnyRow]:
        return self.sql("SELECT * FROM images WHERE job_id = :id ORDER BY index", id=job_id)

    def garbage(self) -> set[str]:
        return {row.prefix for row in self.sql("SELECT prefix FROM garbage")}

    def hurry(self) -> None:
        """Make every step and every pausing job due, and every failed generator one that may be asked again.

        Also the steps of dead workers, for which a sweep waits a moment longer than many rounds may take.
        """
        past = "clock_timestamp() - interval '1 minute'"
        is_idle = "(lease_until IS NULL OR lease_until < clock_timestamp())"
        idle = f"SELECT id FROM jobs WHERE state = 'generating' AND {is_idle} FOR UPDATE SKIP LOCKED"
        self.sql(f"UPDATE jobs SET next_step_at = {past} WHERE id IN ({idle})")
        self.sql("UPDATE jobs SET next_step_at = NULL WHERE state = 'queued' AND next_step_at IS NOT NULL")
        self.sql(f"UPDATE generators SET refusing_until = {past} WHERE refusing_until IS NOT NULL")
        self.sql(f"UPDATE generators SET retry_at = {past} WHERE retry_at IS NOT NULL")

    def expire_lease(self, job_id: UUID) -> None:
        """Expire the job's lease, as if its worker had died a while ago."""
        query = "UPDATE jobs SET lease_until = clock_timestamp() - interval '1 s' WHERE id = :id"
        self.sql(query + " AND lease_until IS NOT NULL", id=job_id)
        self.sql("DELETE FROM leases WHERE attempt_token = (SELECT attempt_token FROM jobs WHERE id = :id)", id=job_id)

    def step(self, job_id: UUID, poller: Poller | None = None) -> float | None:
        """Do one step of one job, even if it is not yet due."""
        self.hurry()
        return (poller or self.poller).advance(job_id)

    def send(self, user_id: UUID | None = None, **request: Any) -> UUID:
        """Submit a job and send it to its generator; return its id."""
        job_id = self.submit(user_id or self.user(), **request)
        assert job_id in self.poller.start()
        self.step(job_id)
        assert self.row(job_id).remote_id is not None, self.timeline(job_id)
        return job_id

    def until_one_waits(self) -> None:
        """Wait until one statement waits for a lock."""
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        until(lambda: self.sql(waiting) == [(1,)], "a statement waits for a lock", 60, 0.02)

    def run(self, until: Callable[[], bool], *, rounds: int = 60, poller: Poller | None = None) -> None:
        """Sweep and advance in rounds until the condition holds."""
        poller = poller or self.poller
        for _ in range(rounds):
            if until():
                return
            self.hurry()
            for job_id in poller.sweep():
                poller.advance(job_id)
        assert until(), self.sql("SELECT id, state, attempts, waiting, error_code FROM jobs")

    def finish(self, *job_ids: UUID, rounds: int = 60, poller: Poller | None = None) -> None:
        """Run until each of these jobs has finished."""
        query = "SELECT count(*) FROM jobs WHERE id = ANY(:ids) AND finished_at IS NULL"
        self.run(lambda: self.sql(query, ids=list(job_ids))[0][0] == 0, rounds=rounds, poller=poller)

    def check_books(self, *, deleted_succeeded: int = 0) -> None:
        """Check that users' counters match their rows; the quota counts all jobs except failed and cancelled ones."""
        wrong = self.sql("""
            SELECT u.id, u.queued, u.running, u.quota_used, j.* FROM users u CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE state IN ('held', 'queued')) AS are_queued,
                    count(*) FILTER (WHERE state = 'generating') AS are_running,
                    count(*) FILTER (WHERE state NOT IN ('failed', 'cancelled')) AS are_counted
                FROM jobs WHERE user_id = u.id
            ) AS j WHERE (u.queued, u.running) <> (are_queued, are_running)
        """)
        assert not wrong
        [row] = self.sql("SELECT coalesce(sum(quota_used), 0) AS used FROM users")
        [counted] = self.sql("SELECT count(*) AS jobs FROM jobs WHERE state NOT IN ('failed', 'cancelled')")
        assert row.used == counted.jobs + deleted_succeeded
        [worked] = self.sql("""
            SELECT coalesce(sum(j.progress), 0) - (SELECT coalesce(sum(quota_worked), 0) FROM users) AS off
            FROM jobs j WHERE j.state IN ('failed', 'cancelled')
        """)
        assert abs(worked.off) < 1e-9

    def check_one_set(self, job_id: UUID, pictures: int) -> None:
        """Check that the job has exactly one set of pictures whose objects all exist.

        Other objects under its prefix must be garbage.
        """
        rows = self.images(job_id)
        assert [row._mapping["index"] for row in rows] == list(range(pictures))
        assert len({row.key.rsplit("/", 1)[0] for row in rows}) <= 1
        sizes = self.services.storage.sizes_bytes(f"jobs/{job_id}/")
        for row in rows:
            assert sizes.pop(row.key) == row.size_bytes
            assert sizes.pop(row.thumbnail_key) > 0
            assert row.timelapse_key is None or sizes.pop(row.timelapse_key) > 0
        assert not left_over(sizes, self.garbage())


def left_over(keys: Iterable[str], prefixes: set[str]) -> list[str]:
    """Return the keys that no prefix covers."""
    return [key for key in keys if not any(key.startswith(prefix) for prefix in prefixes)]


def with_settings(services: Services, **changes: Any) -> Services:
    """Return the same servers with other settings. Not in a conftest, since two conftests share one module name."""
    return Services(services.settings.model_copy(update=changes))


def delete_prefix(storage: Storage, prefix: str) -> int:
    """Delete every object whose key starts with the prefix; return how many there were."""
    keys = storage.sizes_bytes(prefix)
    storage.delete(keys)
    return len(keys)
