"""Reading jobs for requests that wait for a change. Functions over a connection."""

from collections.abc import Collection
from typing import TypeAlias
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Connection

from shared.core.db import fetch
from shared.jobs.records import JobRecord, read_previewed_job
from shared.jobs.store import SHOWN

Seen: TypeAlias = tuple[UUID, str | None]
"""A job with its sign when it was read."""

# A kind's newest period is the one that its jobs may show, if any: they do not overlap.
_SIGNED = """
WITH asked AS MATERIALIZED ({asked}), newest AS MATERIALIZED (
    SELECT kinds.protocols, period.id, period.ended_at
    FROM (SELECT DISTINCT protocols FROM asked WHERE state = 'queued') AS kinds
    CROSS JOIN LATERAL (
        SELECT w.id, w.ended_at FROM wait_reasons w WHERE w.protocols = kinds.protocols ORDER BY w.id DESC LIMIT 1
    ) AS period
)
SELECT a.id, a.seen,
    concat_ws(' ', a.version, CASE WHEN n.ended_at IS NULL OR n.ended_at > a.created_at THEN n.id END) AS sign
FROM asked a LEFT JOIN newest n ON n.protocols = a.protocols AND a.state = 'queued'
"""
_ASKED = """
SELECT id, NULL AS seen, version, state, protocols, created_at FROM jobs WHERE id = ANY({job_ids})
"""
_SEEN = """
SELECT given.id, given.seen, version, state, protocols, created_at
FROM json_to_recordset(CAST(%(given)s AS json)) AS given (id uuid, seen text) LEFT JOIN jobs j ON j.id = given.id
"""


def _signed(job_ids: str) -> str:
    return _SIGNED.format(asked=_ASKED.format(job_ids=job_ids))


_CHANGED = f"SELECT id, seen, sign FROM ({_SIGNED.format(asked=_SEEN)}) AS signed WHERE sign IS DISTINCT FROM seen"
_WATCH = f"""
SELECT shown.*, own.*, (SELECT sign FROM ({_signed("ARRAY[%(job_id)s]")}) AS signed) FROM {SHOWN}
"""
_SHOWN_ASKED = SHOWN.replace("%(job_id)s", "asked.job_id").replace("%(token_hash)s", "asked.token_hash")
_WATCH_ALL = f"""
SELECT shown.*, own.*, signed.sign, asked.job_id, asked.token_hash
FROM unnest(%(job_ids)s, %(token_hashes)s) AS asked (job_id, token_hash)
JOIN ({_signed("%(job_ids)s")}) AS signed ON signed.id = asked.job_id
CROSS JOIN LATERAL {_SHOWN_ASKED.replace("CROSS JOIN (", "CROSS JOIN LATERAL (")}
"""


def find_watched_view(connection: Connection, job_id: UUID, token_hash: bytes) -> tuple[JobRecord, str] | None:
    """Return the same as `store.find_view_by_token`, and the job's sign (see `list_changed_signs`) at that moment."""
    rows = fetch(connection, _WATCH, {"job_id": job_id, "user_id": None, "token_hash": token_hash})
    return (read_previewed_job(rows[0][:-1]), rows[0][-1]) if rows else None


def list_watched_views(
    connection: Connection, asked: Collection[tuple[UUID, bytes]]
) -> dict[tuple[UUID, bytes], tuple[JobRecord, str]]:
    """Return the same of several jobs, each with the hash of a token; without those that `find_watched_view` lacks."""
    values = {
        "job_ids": [job_id for job_id, _ in asked],
        "token_hashes": [token_hash for _, token_hash in asked],
        "user_id": None,
    }
    rows = fetch(connection, _WATCH_ALL, values)
    return {(row[-2], bytes(row[-1])): (read_previewed_job(row[:-3]), row[-3]) for row in rows}


def list_changed_signs(connection: Connection, seen: Collection[Seen]) -> dict[Seen, str]:
    """Return the new signs of those of the jobs and signs whose job has another one by now; "" if it is gone.

    A job's sign is a text that changes when the job does; a queued job's also changes with the reason for which it
    waits. Its place is not part of it: each start changes the places of all.
    """
    given = to_json([{"id": job_id, "seen": sign} for job_id, sign in seen]).decode()
    return {(job_id, was): sign for job_id, was, sign in fetch(connection, _CHANGED, {"given": given})}
