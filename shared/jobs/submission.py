"""From a request to a queued job, and what its owner may do with it afterwards: read, list, cancel, delete."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts import store as user_store
from shared.accounts.auth import Credential, require_mail, require_user
from shared.api.schemas import JobRequest
from shared.core.errors import (
    AlreadyFinished,
    Capacity,
    EaselError,
    NotFound,
    QueueFull,
    QuotaSpent,
    Refusal,
    StillRunning,
)
from shared.core.limits import MIB
from shared.core.log import fields as log_fields
from shared.core.paging import page
from shared.jobs import depth, idempotency_store, submission_store, watch_store
from shared.jobs import store as job_store
from shared.jobs.content import find_rejection
from shared.jobs.likeness_codes import check_codes
from shared.jobs.records import JobRecord, NewJob
from shared.jobs.resolution import find_defaults, find_refusal, new_job
from shared.jobs.sources import find_starts
from shared.jobs.states import State
from shared.jobs.submission_store import Limits
from shared.jobs.uploads import check_uploaded, storage_full
from shared.services import Services

Found = TypeVar("Found")

_log = logging.getLogger(__name__)


def submit(
    services: Services,
    credential: Credential,
    request: JobRequest,
    idempotency_key: str | None,
    refusal: Refusal | None = None,
) -> JobRecord:
    """Queue a job and wake the poller; return the job.

    With an idempotency key that this user has used lately, the job that it made then is returned.

    refusal: why the caller refuses this request, unless it is such a repeated one.

    Raises:
        IdempotencyMismatch: the key was used for another request.
        QueueFull: too many jobs of this user wait.
        QuotaSpent: today's jobs of this user are used up.
        StorageFull: this user's pictures and uploads have as much as an account may.
        Capacity: too many jobs of all users wait.
        InvalidRequest: a start picture is missing, no configured generator supports the request, or this site cannot
            send the notification.
        PromptRejected: a rule of this site does not allow its words.
        RateLimited: too many codes of likenesses did not work.
        NotConfirmed: mail is asked for, and the user's address is not confirmed.
    """
    fingerprint = b"" if idempotency_key is None else request.fingerprint()
    [start] = find_starts(services, credential, [without_mail(services, request)])
    own = find_defaults(services)
    job = new_job(start.request, idempotency_key, fingerprint, services.addresses, own, start.held_by)
    refusal = find_rejection(services, request, start.request) or refusal
    refusal = refusal or start.refusal or find_refusal(services, start.request, job)
    if refusal is None and job.source_keys:
        check_uploaded(services, credential, [job])
    if refusal is None:
        check_mail(services, credential, [start.request])
        check_codes(services, credential, [job])
    with services.db.statement() as connection:
        record = queue_or_find(services, connection, credential, job, refusal)
    if refusal is None:
        # The only line that names both ids: from the request to its job, whose later lines name only the job.
        _log.info("accepted", extra=log_fields(job_id=record.id))
        services.wake_ups.soon()
    return record


def without_mail(services: Services, request: JobRequest) -> JobRequest:
    """Return the request as it is on a site without mail: the account's default may date from a time with it."""
    if request.notify is None and not services.sends_mail:
        return request.model_copy(update={"notify": "none"})
    return request


def check_mail(services: Services, credential: Credential, requests: Iterable[JobRequest]) -> None:
    """Check that the user gets the mail that these requests ask for. The account's default asks for none by itself.

    Raises:
        NotConfirmed: The site confirms addresses, and the user's is not confirmed.
    """
    if any(request.notify == "email" for request in requests):
        require_mail(services, credential)


def get_job(services: Services, credential: Credential, job_id: UUID) -> JobRecord:
    """Return a user's own job. Raises NotFound."""
    return _find(services, credential, job_id, job_store.find_view_by_token)


def get_watched_job(services: Services, credential: Credential, job_id: UUID) -> tuple[JobRecord, str]:
    """Return a user's own job, and its sign (see `watch_store.list_changed_signs`) at that moment. Raises NotFound."""
    return _find(services, credential, job_id, watch_store.find_watched_view)


def _find(
    services: Services, credential: Credential, job_id: UUID, find: Callable[[Connection, UUID, bytes], Found | None]
) -> Found:
    with services.db.statement() as connection:
        found = find(connection, job_id, credential.token_hash)
        if found is None:
            require_user(connection, credential)  # reports what is wrong with the token, or records its use
            found = find(connection, job_id, credential.token_hash)
        if found is None:
            raise NotFound
    return found


def list_jobs(
    services: Services, credential: Credential, *, state: str | None, search: str, before: UUID | None, limit: int
) -> tuple[list[JobRecord], str | None]:
    """Return a page of a user's jobs whose prompts contain every word of `search`, newest first.

    The second value is the id to continue after, None on the last page. A search reads a limited number of jobs for
    each page, which may then be short, or empty, and not the last.
    """
    words = tuple(dict.fromkeys(search.split()))
    with services.db.statement() as connection:
        token_hash = credential.token_hash
        since = job_store.find_search_end(connection, token_hash, before) if words or state else None
        list_page = partial(
            job_store.list_views, connection, token_hash, state=state, words=words, before=before, since=since
        )
        found = list_page(limit=limit + 1)
        if not found:
            require_user(connection, credential)  # reports what is wrong with the token, or records its use
            found = list_page(limit=limit + 1)
    if since is not None and len(found) <= limit:
        return found, str(since)
    return page(found, limit)


def cancel(services: Services, credential: Credential, job_id: UUID) -> JobRecord:
    """Cancel a queued job now, a generating one at its next step. Raises AlreadyFinished, NotFound."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        state = job_store.find_state(connection, job_id, user.id, lock=True)
        if state is None:
            raise NotFound
        if state.finished:
            raise AlreadyFinished
        job_store.cancel(connection, job_id, state)
        job = job_store.find_view(connection, job_id, user.id)
        if job is None:
            raise NotFound
    if state == State.GENERATING:
        services.wake_ups.soon()
    return job


def delete(services: Services, credential: Credential, job_id: UUID) -> None:
    """Delete a finished job and its pictures. Raises StillRunning, NotFound."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        state = job_store.find_state(connection, job_id, user.id, lock=True)
        if state is None:
            raise NotFound
        if not state.finished:
            raise StillRunning
        job_store.delete(connection, job_id)


def queue_or_find(
    services: Services, connection: Connection, credential: Credential, job: NewJob, refusal: Refusal | None
) -> JobRecord:
    """Queue the job, or return the job that its idempotency key made before; a refused job is only looked up.

    Raises `refusal`, or the limit that prevents the job.
    """
    if refusal is None and credential.token_hash and job.held_by is None:
        # The common case takes one statement: the user is found by the token's hash.
        record = _insert(services, connection, credential.token_hash, job)
        if record is not None:
            return record
    user = require_user(connection, credential)
    record = _insert_or_find(services, connection, user.id, job, refusal)
    if record is None and refusal is None and job.idempotency_key is not None:
        idempotency_store.free_stale(connection, "jobs", user.id, job.idempotency_key)
        record = _insert_or_find(services, connection, user.id, job, refusal)
    if record is None:
        require_user(connection, credential)  # an operator may have disabled the account meanwhile
        raise refusal or exceeded_limit(services, connection, user.id)
    return record


def _insert_or_find(
    services: Services, connection: Connection, user_id: UUID, job: NewJob, refusal: Refusal | None
) -> JobRecord | None:
    """Queue the job unless it is refused; otherwise return the job that its idempotency key made before, if any.

    Raises IdempotencyMismatch.
    """
    record = _insert(services, connection, user_id, job) if refusal is None else None
    if record is not None or job.idempotency_key is None:
        return record
    made = idempotency_store.find_made(connection, "jobs", user_id, job.idempotency_key, job.fingerprint)
    return None if made is None else job_store.find_view(connection, made, user_id)


def _insert(services: Services, connection: Connection, caller: UUID | bytes, job: NewJob) -> JobRecord | None:
    limits = limits_of(services)
    if not isinstance(job.held_by, UUID) or not isinstance(caller, UUID):
        return submission_store.queue(connection, caller, job, **limits)
    held = submission_store.queue_all(connection, caller, [job], is_group=False, **limits)
    return job_store.find_view(connection, held.ids[0], caller) if held else None


def limits_of(services: Services) -> Limits:
    """Return this site's limits on jobs."""
    settings = services.settings
    return {
        "max_queued": settings.max_queued,
        "jobs_per_day": settings.jobs_per_day,
        "max_total": settings.max_queued_total,
        "max_user_bytes": settings.max_user_mb * MIB,
    }


def exceeded_limit(services: Services, connection: Connection, user_id: UUID, jobs: int = 1) -> EaselError:
    """Return the error for the limit that prevents so many more jobs of this user."""
    counts, limits = user_store.get_counts(connection, user_id), services.settings
    per_day = counts.jobs_per_day or limits.jobs_per_day
    if counts.used_today + jobs > per_day:
        used = f"today's {per_day} jobs" if jobs == 1 else f"{counts.used_today} of today's {per_day} jobs"
        return QuotaSpent(
            f"You have used {used}. The count starts again at midnight UTC.",
            retry_after_s=counts.seconds_to_midnight,
        )
    if counts.stored_bytes >= limits.max_user_mb * MIB:
        return storage_full(limits.max_user_mb)
    room = max(0, limits.max_queued - counts.queued)
    if jobs <= room and depth.count_queued(connection) + jobs > limits.max_queued_total:
        return Capacity("Too many jobs of all users wait on this site. Try again later.", retry_after_s=30)
    if jobs == 1:
        advice = "Wait until one of them has started, or cancel one."
    elif jobs > limits.max_queued:
        advice = f"Split this group of {jobs} jobs: there is room for {room} now. The operator may allow more."
    else:
        advice = f"This group has {jobs} jobs, and there is room for {room} now. Submit fewer, or wait."
    return QueueFull(f"At most {limits.max_queued} of your jobs may wait at once. {advice}", retry_after_s=30)
