"""Adding jobs to the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict, Unpack
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from shared.accounts.token_store import USE_RECORDED
from shared.core.db import fetch
from shared.jobs.idempotency_store import KEY_LIMIT
from shared.jobs.reasons import WAITS_FOR_SOURCE
from shared.jobs.records import JobRecord, NewJob, read_queued

_SUBMIT = f"""
SELECT * FROM submit_job(
    %(user_id)s, %(token_hash)s, %(prompt)s, %(settings)s, %(notify)s, %(cost)s, %(protocols)s, %(source_keys)s,
    %(idempotency_key)s, %(fingerprint)s, {KEY_LIMIT}, %(max_queued)s, %(jobs_per_day)s,
    %(max_total)s, %(max_user_bytes)s, {USE_RECORDED}
)
"""


class Limits(TypedDict):
    """What prevents a job: `max_queued` jobs of its user wait, or `jobs_per_day` were submitted today.

    If the account has a number for a day of its own, that counts. So does what is not None: `max_total` jobs of all
    users are queued, or the user's pictures and uploads have `max_user_bytes`.
    """

    max_queued: int
    jobs_per_day: int
    max_total: NotRequired[int | None]
    max_user_bytes: NotRequired[int | None]


_NO_CAPS: dict[str, None] = {"max_total": None, "max_user_bytes": None}


@dataclass(frozen=True, slots=True)
class Queued:
    """Jobs that were queued in one call, in the order of their requests, and their group if they are one."""

    ids: tuple[UUID, ...]
    group_id: UUID | None


_SUBMIT_ALL = f"""
SELECT id, group_id FROM submit_jobs(
    %(user_id)s, %(jobs)s, %(is_group)s, %(idempotency_key)s, %(fingerprint)s, {KEY_LIMIT}, %(held_code)s,
    %(held_detail)s, %(max_queued)s, %(jobs_per_day)s, %(max_total)s, %(max_user_bytes)s
)
"""


def queue(connection: Connection, caller: UUID | bytes, job: NewJob, **limits: Unpack[Limits]) -> JobRecord | None:
    """Queue the job and debit its user; return the queued job.

    caller: the user's id, or the hash of a token that may be theirs, which saves a round trip. Returns None when a
    limit or an earlier request with the same key prevents it, the token is not valid, or the account is disabled.
    """
    values = {
        "user_id": caller if isinstance(caller, UUID) else None,
        "token_hash": caller if isinstance(caller, bytes) else None,
        "prompt": job.prompt,
        "settings": json.dumps(job.settings),
        "notify": job.settings["notify"],
        "cost": job.cost,
        "protocols": job.protocols,
        "source_keys": list(job.source_keys),
        "idempotency_key": job.idempotency_key,
        "fingerprint": job.fingerprint,
        **_NO_CAPS,
        **limits,
    }
    try:
        rows = fetch(connection, _SUBMIT, values)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        # Another request has the same key at the same moment, or a stale key still holds it. Nothing was written.
        return None
    return read_queued(job, *rows[0]) if rows else None


def queue_all(
    connection: Connection,
    user_id: UUID,
    jobs: Sequence[NewJob],
    *,
    is_group: bool,
    **limits: Unpack[Limits],
) -> Queued | None:
    """Queue or hold all the jobs and debit their user once; return their ids.

    The key and fingerprint of the first are those of the call. is_group: they become a group. Returns None, and writes
    nothing, when a limit or an earlier request with the same key prevents it, or the account is disabled.
    """
    code, detail = WAITS_FOR_SOURCE
    values = {
        "user_id": user_id,
        "jobs": json.dumps([_given(index, job) for index, job in enumerate(jobs)]),
        "is_group": is_group,
        "idempotency_key": jobs[0].idempotency_key,
        "fingerprint": jobs[0].fingerprint,
        "held_code": code,
        "held_detail": detail,
        **_NO_CAPS,
        **limits,
    }
    try:
        rows = fetch(connection, _SUBMIT_ALL, values)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return None
    return Queued(tuple(UUID(row[0]) for row in rows), rows[0][1]) if rows else None


def _given(index: int, job: NewJob) -> dict[str, object]:
    return {
        "index": index,
        "prompt": job.prompt,
        "settings": job.settings,
        "cost": job.cost,
        "protocols": job.protocols,
        "sources": job.source_keys,
        "source_id": str(job.held_by) if isinstance(job.held_by, UUID) else None,
        "source_index": job.held_by if isinstance(job.held_by, int) else None,
    }
