"""The likenesses in the database. Functions over a connection."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from shared.jobs.records import utc
from shared.jobs.states import State

CODES = 100_000_000
"""How many codes there are."""


@dataclass(frozen=True, slots=True)
class LikenessRecord:
    """A likeness with what its job says of the training. Times are RFC 3339 in UTC, `report` is a JSON object as text.

    `job_state` is the training's, `is_expired`: it was ready and does not work any more.
    """

    id: UUID
    code: str
    subject: str
    name: str
    shared: bool
    consented_at: str
    expires_at: str | None
    report: str | None
    is_expired: bool
    job_state: str
    progress: float | None
    error_code: str | None
    error_message: str | None
    created_at: str
    finished_at: str | None

    @property
    def state(self) -> str:
        """Return the state that the API shows."""
        if self.is_expired:
            return "expired"
        return _STATES[State(self.job_state)]


_STATES = {
    State.HELD: "queued",
    State.QUEUED: "queued",
    State.GENERATING: "training",
    State.SUCCEEDED: "ready",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}

_SELECT = f"""
SELECT l.job_id AS id, l.code, l.subject, l.name, l.shared, {utc("l.consented_at")}, {utc("l.expires_at")},
    CAST(l.report AS text), l.adapter_sha256 IS NOT NULL AND (
        l.adapter_key IS NULL OR l.expires_at <= clock_timestamp()
    ), j.state, j.progress, j.error_code, j.error_message, {utc("j.created_at")}, {utc("j.finished_at")}
FROM likenesses l JOIN jobs j ON j.id = l.job_id
"""


def create(connection: Connection, job_id: UUID, user_id: UUID, code: str, *, subject: str, name: str) -> bool:
    """Add the likeness of a training job; return False when another one has the code."""
    query = text("""
        INSERT INTO likenesses (job_id, user_id, code, subject, name)
        VALUES (:job_id, :user_id, :code, :subject, :name) ON CONFLICT (code) DO NOTHING
    """)
    values = {"job_id": job_id, "user_id": user_id, "code": code, "subject": subject, "name": name}
    return connection.execute(query, values).rowcount == 1


def count(connection: Connection, user_id: UUID) -> int:
    """Return how many of a user's likenesses work or may come to work."""
    query = text("""
        SELECT count(*) FROM likenesses l JOIN jobs j ON j.id = l.job_id
        WHERE l.user_id = :user_id
            AND (l.adapter_key IS NOT NULL OR j.state IN ('held', 'queued', 'generating'))
    """)
    return int(connection.execute(query, {"user_id": user_id}).scalar_one())


def find_by_job(connection: Connection, job_id: UUID) -> LikenessRecord | None:
    """Return the likeness that a job trains."""
    row = connection.execute(text(f"{_SELECT} WHERE l.job_id = :job_id"), {"job_id": job_id}).one_or_none()
    return LikenessRecord(*row) if row else None


def find(connection: Connection, user_id: UUID, code: str) -> LikenessRecord | None:
    """Return a user's own likeness."""
    query = text(f"{_SELECT} WHERE l.code = :code AND l.user_id = :user_id")
    row = connection.execute(query, {"code": code, "user_id": user_id}).one_or_none()
    return LikenessRecord(*row) if row else None


def list_own(connection: Connection, user_id: UUID, before: UUID | None, limit: int) -> list[LikenessRecord]:
    """Return a page of a user's likenesses, newest first."""
    query = text(f"""
        {_SELECT} WHERE l.user_id = :user_id AND l.job_id < :before ORDER BY l.job_id DESC LIMIT :limit
    """)
    values = {"user_id": user_id, "before": before or UUID(int=2**128 - 1), "limit": limit}
    return [LikenessRecord(*row) for row in connection.execute(query, values)]


def change(connection: Connection, user_id: UUID, code: str, *, shared: bool | None, name: str | None) -> None:
    """Change a user's own likeness; None keeps a value."""
    query = text("""
        UPDATE likenesses SET shared = coalesce(:shared, shared), name = coalesce(:name, name)
        WHERE code = :code AND user_id = :user_id
    """)
    connection.execute(query, {"code": code, "user_id": user_id, "shared": shared, "name": name})


def record_trained(
    connection: Connection, job_id: UUID, *, sha256: str, key: str, report: Mapping[str, str | float], days: int
) -> None:
    """Record what a training made, in the transaction that moves its job to SUCCEEDED."""
    query = text("""
        UPDATE likenesses SET adapter_sha256 = :sha256, adapter_key = :key, report = CAST(:report AS jsonb),
            expires_at = clock_timestamp() + make_interval(days => :days)
        WHERE job_id = :job_id
    """)
    values = {"job_id": job_id, "sha256": sha256, "key": key, "report": json.dumps(dict(report)), "days": days}
    connection.execute(query, values)


_EXPIRED = "adapter_key IS NOT NULL AND expires_at <= clock_timestamp()"


def count_expired(connection: Connection) -> int:
    """Return how many likenesses `expire` would take now."""
    return int(connection.execute(text(f"SELECT count(*) FROM likenesses WHERE {_EXPIRED}")).scalar_one())


def expire(connection: Connection, limit: int) -> int:
    """Make the files of expired likenesses garbage, at most so many; return how many."""
    query = text(f"""
        WITH old AS MATERIALIZED (
            SELECT job_id, adapter_key FROM likenesses WHERE {_EXPIRED}
            ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ), thrown AS (
            INSERT INTO garbage (prefix) SELECT adapter_key FROM old ON CONFLICT DO NOTHING
        )
        UPDATE likenesses l SET adapter_key = NULL FROM old WHERE l.job_id = old.job_id
    """)
    return connection.execute(query, {"limit": limit}).rowcount
