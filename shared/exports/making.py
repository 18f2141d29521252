"""Making exports, in the poller: one ZIP file after the other, each of at most about FILE_BYTES.

A worker that is killed loses only the file that it was making. The disk has one file at a time, the memory a few
pictures and the descriptions of JOBS_PER_FILE jobs.
"""

import json
import logging
from dataclasses import dataclass, field
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

from shared.core import garbage
from shared.core.errors import EaselError
from shared.exports import contents, store
from shared.exports.contents import PackedJob
from shared.exports.service import folder
from shared.exports.store import ExportClaim, ExportFile
from shared.generators.base import Stop, never_stop
from shared.jobs import archives
from shared.notify import outbox_rows
from shared.services import Services

FILE_BYTES = 200 * 1000 * 1000
"""A file is ended after the job with which it has so many bytes."""

JOBS_PER_FILE, JOBS_READ_AT_ONCE = 2000, 50
GARBAGE_AFTER_S = store.KEPT_S + store.GIVEN_UP_S + 2 * 3600
"""When a file is deleted: later than it is given out, however long the files after it took."""

RETRY_S = 60.0

_log = logging.getLogger(__name__)


class _Stopping(Exception):
    """The process is to end: the file is made again by another one."""


@dataclass
class _Made:
    """What a file has so far: jobs, and names of entries. `last`: there are no jobs after it."""

    after_job: UUID | None
    jobs: list[dict[str, Any]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    last: bool = False


def make_due(services: Services, stop: Stop = never_stop) -> int:
    """Make the files of exports that are due, of each export one in turn; return how many.

    A file that cannot be made, because the storage is down or the disk is full, is tried again later.
    """
    made = 0
    while not stop():
        with services.db.statement() as connection:
            claim = store.claim(connection)
        if claim is None:
            break
        try:
            made += _make(services, claim, stop)
        except _Stopping:
            _postpone(services, claim, 0)
        except (EaselError, OSError) as error:
            _log.warning("a file of export %s is not made, and is tried again: %s", claim.id, error)
            _postpone(services, claim, RETRY_S)
    return made


def _postpone(services: Services, claim: ExportClaim, delay_s: float) -> None:
    with services.db.statement() as connection:
        outbox_rows.postpone(connection, "exports", claim.id, claim.due_at, delay_s)


def _make(services: Services, claim: ExportClaim, stop: Stop) -> bool:
    """Make and store one file; return False if another process has taken the export over meanwhile."""
    number = claim.made + 1
    key = f"{folder(claim.user_id, claim.id)}{number:03}-{claim.attempts}.zip"
    with services.db.begin() as connection:
        garbage.discard(connection, key, in_s=GARBAGE_AFTER_S)
    with TemporaryFile() as file:
        made = _write(services, claim, file, stop)
        size_bytes = file.tell()
        file.seek(0)
        services.storage.put_file(key, file, size_bytes, "application/zip")
    added = ExportFile(number, key, size_bytes)
    with services.db.begin() as connection:
        return store.add_file(connection, claim, added, after_job=made.after_job, jobs=len(made.jobs), last=made.last)


def _write(services: Services, claim: ExportClaim, file: IO[bytes], stop: Stop) -> _Made:
    made = _Made(claim.after_job)
    # Stored without compression, which pictures have already.
    with ZipFile(file, "w", ZIP_STORED) as archive:
        if claim.made == 0:
            with services.db.statement() as connection:
                account = contents.read_account(connection, claim.user_id)
            archives.write_entry(archive, "account.json", archives.local_time(account["exported_at"]), _json(account))
        while not made.last and len(made.jobs) < JOBS_PER_FILE and file.tell() < FILE_BYTES:
            with services.db.statement() as connection:
                jobs = contents.read_jobs(connection, claim.user_id, made.after_job, JOBS_READ_AT_ONCE)
            made.last = len(jobs) < JOBS_READ_AT_ONCE
            for place, job in enumerate(jobs, 1):
                if stop():
                    raise _Stopping
                _add_job(services, archive, job, claim.jobs_done + len(made.jobs) + 1, made)
                if file.tell() >= FILE_BYTES:
                    made.last = made.last and place == len(jobs)
                    break
        at = archives.local_time(made.jobs[0]["created_at"]) if made.jobs else (1980, 1, 1, 0, 0, 0)
        archives.write_entry(archive, "jobs.json", at, _json(made.jobs))
    return made


def _add_job(services: Services, archive: ZipFile, job: PackedJob, number: int, made: _Made) -> None:
    files = contents.list_files(job, number)
    # A start picture may be that of several jobs.
    missing = [one for one in files if one.name not in made.names]
    made.names |= {one.name for one, _ in archives.add(archive, missing, partial(_read, services))}
    made.jobs.append(contents.describe(job, {one.key: one.name for one in files if one.name in made.names}))
    made.after_job = UUID(job.record.id)


def _read(services: Services, key: str) -> bytes:
    return services.storage.get(key, archives.MAX_BYTES)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
