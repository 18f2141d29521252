"""Pictures of jobs from which other jobs start, in the database. Functions over a connection."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from shared.jobs.states import State


@dataclass(frozen=True, slots=True)
class Source:
    """A job with its first picture, or the one that is asked for. The last four are None while there is no picture.

    `describes`: its pictures get descriptions.
    """

    job_id: UUID
    image_id: UUID | None
    state: State
    describes: bool
    description: str | None
    size_bytes: int | None
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class DueJob:
    """A held job whose source has ended, locked by the caller. `source` is None if that was deleted.

    `is_held`: it still waits; otherwise it was cancelled.
    """

    id: UUID
    user_id: UUID
    is_held: bool
    cost: float
    prompt: str
    strength: float
    source: Source | None


_COLUMNS = """j.id, {image} AS image_id, j.state, coalesce((j.settings->>'describe')::boolean, false) AS describes,
    i.description, i.size_bytes, i.width, i.height"""
_FIRST = """LEFT JOIN LATERAL (
    SELECT description, size_bytes, width, height FROM images WHERE job_id = j.id ORDER BY index LIMIT 1
) i ON true"""
_LIST = text(f"""
SELECT {_COLUMNS.format(image="CAST(NULL AS uuid)")} FROM jobs j {_FIRST}
WHERE j.user_id = :user_id AND j.id = ANY(:job_ids)
UNION ALL
SELECT {_COLUMNS.format(image="i.id")} FROM images i JOIN jobs j ON j.id = i.job_id
WHERE j.user_id = :user_id AND i.id = ANY(:image_ids)
""")
_CLAIM = text(f"""
WITH due AS MATERIALIZED (
    SELECT f.id, f.user_id, f.state = 'held' AS is_held, f.cost, f.prompt,
        coalesce((f.settings->>'strength')::float, 0) AS strength, h.source_id
    FROM held_jobs h JOIN jobs f ON f.id = h.job_id
    WHERE h.is_due ORDER BY h.job_id LIMIT :limit FOR UPDATE OF f SKIP LOCKED
)
SELECT d.id, d.user_id, d.is_held, d.cost, d.prompt, d.strength, {_COLUMNS.format(image="CAST(NULL AS uuid)")}
FROM due d LEFT JOIN jobs j ON j.id = d.source_id {_FIRST} ORDER BY d.id
""")


def list_sources(
    connection: Connection, user_id: UUID, *, job_ids: Collection[UUID] = (), image_ids: Collection[UUID] = ()
) -> dict[UUID, Source]:
    """Return those of these jobs and pictures that are the user's own, by the id that was asked for."""
    values = {"user_id": user_id, "job_ids": list(job_ids), "image_ids": list(image_ids)}
    found = [_read(*row) for row in connection.execute(_LIST, values)]
    return {source.image_id or source.job_id: source for source in found}


def claim_due(connection: Connection, limit: int) -> list[DueJob]:
    """Lock held jobs whose sources have ended, at most so many; leave out those that another transaction holds."""
    jobs = []
    for job_id, user_id, is_held, cost, prompt, strength, *columns in connection.execute(_CLAIM, {"limit": limit}):
        source = _read(*columns) if columns[0] is not None else None
        jobs.append(DueJob(job_id, user_id, is_held, cost, prompt, strength, source))
    return jobs


def forget(connection: Connection, job_ids: Collection[UUID]) -> None:
    """Delete what these jobs have waited for."""
    connection.execute(text("DELETE FROM held_jobs WHERE job_id = ANY(:job_ids)"), {"job_ids": list(job_ids)})


def _read(job_id: UUID, image_id: UUID | None, state: str, *columns: object) -> Source:
    return Source(job_id, image_id, State(state), *columns)  # type: ignore[arg-type] # as the statement orders them
