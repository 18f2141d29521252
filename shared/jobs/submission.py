"""From a request to a queued job, and what its owner may do with it afterwards: read, list, cancel, delete."""

import hashlib
import logging
import secrets
from datetime import UTC
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from shared.accounts import store as user_store
from shared.accounts.auth import Credential, require_user
from shared.api.presets import resolve
from shared.api.schemas import JobRequest
from shared.api.views import JobSummary, JobView
from shared.core.errors import (
    NO_MAIL,
    AlreadyFinished,
    FieldError,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    QueueFull,
    QuotaSpent,
    StillRunning,
)
from shared.core.log import fields as log_fields
from shared.core.paging import page
from shared.generators.abilities import nearest_limits, supported_protocols
from shared.generators.base import GenerationRequest
from shared.jobs import states as jobs
from shared.jobs import store as job_store
from shared.jobs import upload_store
from shared.jobs.records import JobRecord, JobSettings, NewJob, SubmittedJob, TimelineEntry
from shared.jobs.requests import generation_request
from shared.jobs.states import Event, State
from shared.jobs.views import image_signer, job_summary, job_view
from shared.services import Services

_log = logging.getLogger(__name__)


def submit(services: Services, credential: Credential, request: JobRequest, idempotency_key: str | None) -> JobView:
    """Queue a job and wake the poller; return the job's view.

    With an idempotency key that this user has used lately, the job that it made then is returned.

    Raises:
        IdempotencyMismatch: the key was used for another request.
        QueueFull: too many jobs of this user wait.
        QuotaSpent: today's jobs of this user are used up.
        InvalidRequest: a start picture is missing, no configured generator supports the request, or this site cannot
            send the notification.
    """
    fingerprint = b"" if idempotency_key is None else hashlib.sha256(request.model_dump_json().encode()).digest()
    if request.notify is None and not services.sends_mail:
        # The account's default may date from a time when there was mail.
        request = request.model_copy(update={"notify": "none"})
    job = new_job(request, idempotency_key, fingerprint)
    refusal = _refusal(services, request, job)
    with services.db.statement() as connection:
        record = _queue(services, connection, credential, job, refusal)
    if refusal is None:
        # The only line that names both ids: from the request to its job, whose later lines name only the job.
        _log.info("accepted", extra=log_fields(job_id=str(record.id)))
        services.wake_ups.wake()
    return job_view(record, image_signer(services))


def get_job(services: Services, credential: Credential, job_id: UUID) -> JobView:
    """Return a user's own job as its view. Raises NotFound."""
    with services.db.statement() as connection:
        token_hash = credential.token_hash
        job = job_store.find_view_by_token(connection, job_id, token_hash) if token_hash else None
        if job is None:
            require_user(connection, credential)  # an invalid token is reported first
            raise NotFound
    return job_view(job, image_signer(services))


def list_jobs(
    services: Services, credential: Credential, *, state: str | None, search: str, before: UUID | None, limit: int
) -> tuple[list[JobSummary], UUID | None]:
    """Return a page of a user's jobs whose prompts contain every word of `search`, newest first.

    The second value is the id to continue after, None on the last page.
    """
    words = tuple(dict.fromkeys(search.split()))
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        found = job_store.list_views(connection, user.id, state=state, words=words, before=before, limit=limit + 1)
    found, after = page(found, limit)
    sign = image_signer(services)
    return [job_summary(job, sign) for job in found], after


def cancel(services: Services, credential: Credential, job_id: UUID) -> JobView:
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
        services.wake_ups.look_at(job_id)
    return job_view(job, image_signer(services))


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


def new_job(request: JobRequest, idempotency_key: str | None, fingerprint: bytes) -> NewJob:
    """Fill in every setting of a request, and find the protocols that support it."""
    settings = resolve(request.model_dump(), seed=secrets.randbelow(2**32))
    cost = jobs.cost(settings["n"], settings["width"], settings["height"], settings["steps"], settings["upscale"])
    protocols = supported_protocols(_outline(request.prompt, settings))
    source_keys = tuple(settings["source_images"])
    return NewJob(request.prompt, settings, cost, protocols, source_keys, idempotency_key, fingerprint)


def is_supported(services: Services, job: NewJob) -> bool:
    """Return whether this site can make the job and send its notification, as far as this process knows.

    A process that knows of no generators supports every job; the job's timeline then says why it waits.
    """
    if job.settings["notify"] == "email" and not services.sends_mail:
        return False
    return not services.protocols or not services.protocols.isdisjoint(job.protocols.split(","))


def _outline(prompt: str, settings: JobSettings) -> GenerationRequest:
    """Return the generation request of a job, without the bytes of its start pictures."""
    return generation_request(prompt, settings, source_images=(b"",) * len(settings["source_images"]))


def _refusal(services: Services, request: JobRequest, job: NewJob) -> InvalidRequest | None:
    """Return the error for a job that this site does not support, with every field at fault."""
    if is_supported(services, job):
        return None
    if request.notify == "email" and not services.sends_mail:
        return InvalidRequest(fields=(NO_MAIL,))
    wrong: dict[str, FieldError] = {}
    for limit in nearest_limits(services.protocols, _outline(job.prompt, job.settings)):
        by_preset = limit.preset is not None and getattr(request, limit.field) is None
        field, instead = (limit.preset, limit.preset_instead) if by_preset else (limit.field, limit.instead)
        message = f"{instead}, for the generators of this site"
        wrong.setdefault(str(field), FieldError(str(field), message, "not_offered"))
    return InvalidRequest("No generator of this site can make this; see 'errors'.", fields=tuple(wrong.values()))


def _queue(
    services: Services, connection: Connection, credential: Credential, job: NewJob, refusal: InvalidRequest | None
) -> JobRecord:
    """Queue the job, or return the job that its idempotency key made before; a refused job is only looked up.

    Raises `refusal`, or the limit that prevents the job.
    """
    if refusal is None and credential.token_hash and not job.source_keys:
        # The common case takes one statement: the user is found by the token's hash.
        record = _insert(services, connection, credential.token_hash, job)
        if record is not None:
            return record
    user = require_user(connection, credential)
    if refusal is None:
        _check_source_images(services, connection, user.id, job.source_keys)
    record = _insert_or_find(services, connection, user.id, job, refusal)
    if record is None and refusal is None and job.idempotency_key is not None:
        job_store.free_stale_key(connection, user.id, job.idempotency_key)
        record = _insert_or_find(services, connection, user.id, job, refusal)
    if record is None:
        raise refusal or _exceeded_limit(services, connection, user.id)
    return record


def _insert_or_find(
    services: Services, connection: Connection, user_id: UUID, job: NewJob, refusal: InvalidRequest | None
) -> JobRecord | None:
    """Queue the job unless it is refused; otherwise return the job that its idempotency key made before, if any.

    Raises IdempotencyMismatch.
    """
    record = _insert(services, connection, user_id, job) if refusal is None else None
    if record is not None or job.idempotency_key is None:
        return record
    prior = job_store.find_by_idempotency_key(connection, user_id, job.idempotency_key)
    if prior is None:
        return None
    if prior.fingerprint != job.fingerprint:
        raise IdempotencyMismatch
    return job_store.find_view(connection, prior.id, user_id)


def _insert(services: Services, connection: Connection, caller: UUID | bytes, job: NewJob) -> JobRecord | None:
    """Queue the job; return None when a limit or its idempotency key prevents it.

    caller: the user's id, or the hash of a token that may be theirs.
    """
    limits = services.settings
    try:
        submitted = job_store.submit(
            connection, caller, job, max_queued=limits.max_queued, jobs_per_day=limits.jobs_per_day
        )
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        # Another request has the same key at the same moment, or a stale key still holds it. Nothing was written.
        return None
    return None if submitted is None else _new_record(job, submitted)


def _new_record(job: NewJob, submitted: SubmittedJob) -> JobRecord:
    """Build the record of a job that has just been queued, without reading it again: that is a tenth of a submit."""
    at = submitted.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return JobRecord(
        id=submitted.id,
        state=State.QUEUED,
        prompt=job.prompt,
        settings=job.settings | {"notify": submitted.notify},
        cost=job.cost,
        progress=None,
        error_code=None,
        error_message=None,
        public=False,
        created_at=submitted.created_at,
        started_at=None,
        finished_at=None,
        images=(),
        outlook=submitted.outlook,
        timeline=(TimelineEntry(at, Event.ACCEPTED.value, None, None),),
    )


def _exceeded_limit(services: Services, connection: Connection, user_id: UUID) -> QuotaSpent | QueueFull:
    """Return the error for the limit that prevents another job of this user."""
    counts, limits = user_store.get_counts(connection, user_id), services.settings
    per_day = counts.jobs_per_day or limits.jobs_per_day
    if counts.used_today >= per_day:
        return QuotaSpent(
            f"You have used today's {per_day} jobs. The count starts again at midnight UTC.",
            retry_after_s=counts.seconds_to_midnight,
        )
    return QueueFull(f"At most {limits.max_queued} of your jobs may wait at once.", retry_after_s=30)


def _check_source_images(services: Services, connection: Connection, user_id: UUID, keys: tuple[str, ...]) -> None:
    """Check that every start picture is the caller's own upload and has arrived. Raises InvalidRequest."""
    if not keys:
        return
    from shared.clients.storage import ObjectMissing  # most submits have no start picture

    own = upload_store.list_own_keys(connection, user_id, keys)
    for index, key in enumerate(keys):
        field = f"source_images.{index}"
        if key not in own:
            raise InvalidRequest(fields=(FieldError(field, "is not the key of an upload of yours", "not_yours"),))
        try:
            services.storage.size_bytes(key)
        except ObjectMissing:
            raise InvalidRequest(fields=(FieldError(field, "has not been uploaded yet", "not_uploaded"),)) from None
