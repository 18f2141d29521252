"""The exports in the database. Functions over a connection."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

LEASE_S = 900.0
"""How long a claimed export is left to its worker, which makes one file of it."""

KEPT_S = 7 * 86_400
"""How long the files of a finished export are given out."""

GIVEN_UP_S = 86_400
"""After how long an export that cannot be finished has failed."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A ZIP file of an export, in the storage."""

    number: int
    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """An export. `jobs` is None until it is counted; the files are those of a finished export."""

    id: UUID
    jobs: int | None
    jobs_done: int
    started: bool
    error_code: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    files: tuple[ExportFile, ...]

    @property
    def state(self) -> str:
        """Return the state that the API shows."""
        if self.finished_at is None:
            return "making" if self.started else "queued"
        return "failed" if self.error_code else "ready"

    @property
    def progress(self) -> float | None:
        """Return the share of the user's jobs that the files have; None before they are counted. 1 means ready."""
        if self.jobs is None:
            return None
        if self.state == "ready":
            return 1.0
        return min(self.jobs_done / self.jobs, 0.99) if self.jobs else 0.0


@dataclass(frozen=True, slots=True)
class ExportClaim:
    """An export whose next file this worker makes. `attempts` is the claim's fence, `made` how many files there are."""

    id: UUID
    user_id: UUID
    due_at: datetime
    attempts: int
    after_job: UUID | None
    jobs_done: int
    made: int


_SELECT = """
SELECT id, jobs, jobs_done, attempts > 0, error_code, created_at, finished_at, expires_at, ARRAY(
    SELECT json_build_array(number, key, size_bytes) FROM export_files f
    WHERE f.export_id = e.id AND e.finished_at IS NOT NULL ORDER BY number
)
FROM exports e
"""


def _read(row: Sequence[Any]) -> ExportRecord:
    *fields, files = row
    return ExportRecord(*(*fields, tuple(ExportFile(*one) for one in files)))


def find(connection: Connection, user_id: UUID, export_id: UUID) -> ExportRecord | None:
    """Return a user's own export."""
    query = text(f"{_SELECT} WHERE id = :id AND user_id = :user_id")
    row = connection.execute(query, {"id": export_id, "user_id": user_id}).one_or_none()
    return None if row is None else _read(row)


def find_unfinished(connection: Connection, user_id: UUID) -> ExportRecord | None:
    """Return the export of a user that is being made, if there is one."""
    query = text(f"{_SELECT} WHERE user_id = :user_id AND finished_at IS NULL")
    row = connection.execute(query, {"user_id": user_id}).one_or_none()
    return None if row is None else _read(row)


def list_page(connection: Connection, user_id: UUID, *, before: UUID | None, limit: int) -> list[ExportRecord]:
    """Return a page of a user's exports, newest first."""
    query = text(f"""
        {_SELECT} WHERE user_id = :user_id AND (CAST(:before AS uuid) IS NULL OR id < :before)
        ORDER BY id DESC LIMIT :limit
    """)
    rows = connection.execute(query, {"user_id": user_id, "before": before, "limit": limit})
    return [_read(row) for row in rows]


def create(connection: Connection, user_id: UUID) -> UUID | None:
    """Insert an export; return None while another one of the user's is being made."""
    query = text("""
        INSERT INTO exports (user_id) VALUES (:user_id)
        ON CONFLICT (user_id) WHERE finished_at IS NULL DO NOTHING RETURNING id
    """)
    found: UUID | None = connection.execute(query, {"user_id": user_id}).scalar()
    return found


def delete_others(connection: Connection, user_id: UUID, export_id: UUID) -> list[UUID]:
    """Delete a user's exports except this one; return their ids."""
    query = text("DELETE FROM exports WHERE user_id = :user_id AND id <> :id RETURNING id")
    return list(connection.execute(query, {"user_id": user_id, "id": export_id}).scalars())


def delete(connection: Connection, user_id: UUID, export_id: UUID) -> bool:
    """Delete an export; return False if the user has none with this id."""
    query = text("DELETE FROM exports WHERE id = :id AND user_id = :user_id")
    return connection.execute(query, {"id": export_id, "user_id": user_id}).rowcount == 1


def claim(connection: Connection) -> ExportClaim | None:
    """Claim the export that has waited longest for its next file, until the end of a lease."""
    query = text("""
        UPDATE exports e SET due_at = clock_timestamp() + make_interval(secs => :lease_s), attempts = attempts + 1,
            jobs = coalesce(jobs, (SELECT count(*) FROM jobs j WHERE j.user_id = e.user_id))
        WHERE id = (
            SELECT id FROM exports WHERE due_at <= (SELECT clock_timestamp())
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, user_id, due_at, attempts, after_job, jobs_done,
            (SELECT count(*) FROM export_files f WHERE f.export_id = e.id)
    """)
    row = connection.execute(query, {"lease_s": LEASE_S}).one_or_none()
    return None if row is None else ExportClaim(*row)


def add_file(
    connection: Connection, claim: ExportClaim, file: ExportFile, *, after_job: UUID | None, jobs: int, last: bool
) -> bool:
    """Add a file to a claimed export, and finish that with the last one; return False if the claim was lost."""
    query = text("""
        UPDATE exports SET after_job = coalesce(:after_job, after_job), jobs_done = jobs_done + :jobs,
            due_at = CASE WHEN :last THEN NULL ELSE clock_timestamp() END,
            finished_at = CASE WHEN :last THEN clock_timestamp() END,
            expires_at = CASE WHEN :last THEN clock_timestamp() + make_interval(secs => :kept_s) END
        WHERE id = :id AND attempts = :attempts AND finished_at IS NULL
    """)
    values = {"id": claim.id, "attempts": claim.attempts, "after_job": after_job, "jobs": jobs, "last": last}
    if connection.execute(query, values | {"kept_s": KEPT_S}).rowcount == 0:
        return False
    insert = text("INSERT INTO export_files (export_id, number, key, size_bytes) VALUES (:id, :number, :key, :size)")
    connection.execute(insert, {"id": claim.id, "number": file.number, "key": file.key, "size": file.size_bytes})
    return True


def give_up_old(connection: Connection) -> int:
    """Fail exports that could not be finished for a day; return how many."""
    query = text("""
        UPDATE exports SET finished_at = clock_timestamp(), due_at = NULL, error_code = 'export_failed',
            expires_at = clock_timestamp() + make_interval(secs => :kept_s)
        WHERE id IN (
            SELECT id FROM exports WHERE finished_at IS NULL AND due_at IS NOT NULL
                AND created_at < clock_timestamp() - make_interval(secs => :given_up_s)
            FOR UPDATE SKIP LOCKED
        )
    """)
    return connection.execute(query, {"kept_s": KEPT_S, "given_up_s": GIVEN_UP_S}).rowcount


def drop_expired(connection: Connection) -> int:
    """Delete exports whose files are not given out any more; return how many. The files are garbage already."""
    query = text("""
        DELETE FROM exports WHERE id IN (
            SELECT id FROM exports WHERE expires_at <= (SELECT clock_timestamp()) FOR UPDATE SKIP LOCKED
        )
    """)
    return connection.execute(query).rowcount


def list_known_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Return which of these objects are files of an export."""
    query = text("SELECT key FROM export_files WHERE key = ANY(:keys)")
    return set(connection.execute(query, {"keys": list(keys)}).scalars())
