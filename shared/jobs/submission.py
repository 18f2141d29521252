"""From a request to a queued job, and what its owner may do with it afterwards: look, list, cancel, delete."""

import hashlib
import logging
import secrets
from datetime import UTC
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from shared.accounts import store as user_store
from shared.accounts.auth import Credential, require_user
from shared.accounts.store import User
from shared.api.presets import resolve
from shared.api.schemas import JobRequest
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
from shared.generators.abilities import able, limits_of
from shared.generators.base import Generation
from shared.jobs import states as jobs
from shared.jobs import store as job_store
from shared.jobs.requests import order_of
from shared.jobs.states import Event, State
from shared.jobs.views import image_signer, job_summary, job_view
from shared.services import Services

_log = logging.getLogger(__name__)


def submit(
    services: Services, credential: Credential, request: JobRequest, idempotency_key: str | None
) -> dict[str, Any]:
    """Queue a job and wake the poller; return the job's view.

    With an idempotency key that this user used in the last 24 hours, the job that it made then is returned. Raises
    IdempotencyMismatch when that was for another request, QueueFull, QuotaSpent, InvalidRequest for a start picture
    that is not there, for what no configured generator can make, and for a notification that this site cannot send.
    """
    fingerprint = b"" if idempotency_key is None else hashlib.sha256(request.model_dump_json().encode()).digest()
    if request.notify is None and not services.sends_mail:
        # The account's default may be of a time when there was mail.
        request = request.model_copy(update={"notify": "none"})
    job = new_job(request, idempotency_key, fingerprint)
    impossible = _impossible(services, request, job)
    with services.db.statement() as connection:
        row = None
        if impossible is not None:
            # A repeated request gets its job, whatever the generators have become since.
            user = require_user(connection, credential)
            row = _find_prior(connection, user.id, job, idempotency_key) if idempotency_key is not None else None
            if row is None:
                raise impossible
            return job_view(row, image_signer(services))
        if credential.token_hash and not job.source_keys:
            row = _insert(services, connection, credential.token_hash, job)
        if row is None:
            user = require_user(connection, credential)
            _check_sources(services, connection, user, request.source_images)
            row = _insert_or_explain(services, connection, user.id, job)
    # The line that names both ids: from a request to its job, whose later lines name the job alone.
    _log.info("accepted", extra=log_fields(job_id=str(row.id)))
    services.wake_ups.wake()
    return job_view(row, image_signer(services))


def get_job(services: Services, credential: Credential, job_id: UUID) -> dict[str, Any]:
    """A user's own job as its view. Raises NotFound."""
    with services.db.statement() as connection:
        token_hash = credential.token_hash
        row = job_store.find_view_by_token(connection, job_id, token_hash) if token_hash else None
        if row is None:
            require_user(connection, credential)  # who is nobody hears of that first
            raise NotFound
    return job_view(row, image_signer(services))


def list_jobs(
    services: Services, credential: Credential, *, state: str | None, search: str, before: UUID | None, limit: int
) -> tuple[list[dict[str, Any]], UUID | None]:
    """A page of a user's jobs whose prompts hold every word of `search`, newest first, with the id to go on from."""
    words = tuple(dict.fromkeys(search.split()))
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        rows = job_store.list_views(connection, user.id, state=state, words=words, before=before, limit=limit + 1)
    rows, after = page(rows, limit)
    sign = image_signer(services)
    return [job_summary(row, sign) for row in rows], after


def cancel(services: Services, credential: Credential, job_id: UUID) -> dict[str, Any]:
    """Cancel a queued job now, a generating one at its next step. Raises AlreadyFinished, NotFound."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        state = job_store.find_state(connection, job_id, user.id, lock=True)
        if state is None:
            raise NotFound
        if state.finished:
            raise AlreadyFinished
        job_store.cancel(connection, job_id, state)
        row = _row(connection, job_id, user.id)
    if state == State.GENERATING:
        services.wake_ups.look_at(job_id)
    return job_view(row, image_signer(services))


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


def new_job(request: JobRequest, idempotency_key: str | None, fingerprint: bytes) -> job_store.NewJob:
    """Resolve every setting of a request, and find out which protocols can make it."""
    settings = resolve(request.model_dump(), seed=secrets.randbelow(2**32))
    cost = jobs.cost(settings["n"], settings["width"], settings["height"], settings["steps"], settings["upscale"])
    protocols = able(_outline(request.prompt, settings))
    source_keys = tuple(settings["source_images"])
    return job_store.NewJob(request.prompt, settings, cost, protocols, source_keys, idempotency_key, fingerprint)


def can_be_made(services: Services, job: job_store.NewJob) -> bool:
    """Whether this site can make the job and tell of it as asked, as far as this process knows: it need not know of any
    generator."""
    if job.settings["notify"] == "email" and not services.sends_mail:
        return False
    return not services.protocols or not services.protocols.isdisjoint(job.protocols.split(","))


def _outline(prompt: str, settings: dict[str, Any]) -> Generation:
    """The order that a job will be, without the bytes of its start pictures."""
    return order_of(prompt, settings, sources=(b"",) * len(settings["source_images"]))


def _impossible(services: Services, request: JobRequest, job: job_store.NewJob) -> InvalidRequest | None:
    """The refusal of a job that this site cannot make or tell of by mail, with every field that stands against it.

    A process that knows of no generators refuses nothing: the job's timeline says why it waits.
    """
    if can_be_made(services, job):
        return None
    if request.notify == "email" and not services.sends_mail:
        return InvalidRequest(fields=(NO_MAIL,))
    wrong: dict[str, FieldError] = {}
    for limit in limits_of(services.protocols, _outline(job.prompt, job.settings)):
        by_preset = limit.preset is not None and getattr(request, limit.field) is None
        field, instead = (limit.preset, limit.preset_instead) if by_preset else (limit.field, limit.instead)
        message = f"{instead}, for the generators of this site"
        wrong.setdefault(str(field), FieldError(str(field), message, "not_offered"))
    return InvalidRequest("No generator of this site can make this; see 'errors'.", fields=tuple(wrong.values()))


def _insert(services: Services, connection: Connection, caller: UUID | bytes, job: job_store.NewJob) -> Any:
    """Queue the job and return its row as `find_view` reads it, or None. caller: the user's id, or the hash of a token
    that may be theirs."""
    limits = {"max_queued": services.settings.max_queued, "jobs_per_day": services.settings.jobs_per_day}
    try:
        written = job_store.submit(connection, caller, job, **limits)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        # The same key at the same moment, or one of more than a day ago. The statement has written nothing.
        return None
    return written and _new_row(job, written)


def _new_row(job: job_store.NewJob, written: Row[Any]) -> SimpleNamespace:
    """The row of a job that has just been queued, without asking for what the request said: a tenth of a submit."""
    at = written.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    unknown_yet = dict.fromkeys(("progress", "error_code", "error_message", "started_at", "finished_at", "running_s"))
    return SimpleNamespace(
        **written._mapping,
        **unknown_yet,
        state=State.QUEUED.value,
        prompt=job.prompt,
        settings=job.settings | {"notify": written.notify},
        cost=job.cost,
        public=False,
        images=[],
        timeline=[(at, Event.ACCEPTED.value, None, None)],
    )


def _insert_or_explain(services: Services, connection: Connection, user_id: UUID, job: job_store.NewJob) -> Any:
    """Queue the job, or say why not: the job that the same key made before, or the limit that stands against it."""
    row = _insert(services, connection, user_id, job)
    if row is None and job.idempotency_key is not None:
        row = _find_prior(connection, user_id, job, job.idempotency_key)
        if row is None:
            job_store.free_stale_key(connection, user_id, job.idempotency_key)
            # Where another request of the same key has just used it anew, that one's job is the answer.
            row = _insert(services, connection, user_id, job)
            row = row or _find_prior(connection, user_id, job, job.idempotency_key)
    if row is not None:
        return row
    counts, limits = user_store.get_counts(connection, user_id), services.settings
    per_day = counts.jobs_per_day or limits.jobs_per_day
    if counts.used_today >= per_day:
        raise QuotaSpent(
            f"You have used today's {per_day} jobs. The count starts again at midnight UTC.",
            retry_after_s=counts.seconds_to_midnight,
        )
    raise QueueFull(f"At most {limits.max_queued} of your jobs may wait at once.", retry_after_s=30)


def _find_prior(connection: Connection, user_id: UUID, job: job_store.NewJob, idempotency_key: str) -> Row[Any] | None:
    prior = job_store.find_by_idempotency_key(connection, user_id, idempotency_key)
    if prior is None:
        return None
    if bytes(prior.fingerprint) != job.fingerprint:
        raise IdempotencyMismatch
    return job_store.find_view(connection, prior.id, user_id)


def _row(connection: Connection, job_id: UUID, user_id: UUID) -> Row[Any]:
    row = job_store.find_view(connection, job_id, user_id)
    if row is None:
        raise NotFound
    return row


def _check_sources(services: Services, connection: Connection, user: User, keys: list[str]) -> None:
    """Every start picture is the caller's own upload and has arrived. Raises InvalidRequest."""
    if not keys:
        return
    from shared.clients.storage import ObjectMissing  # most submits have no start picture

    announced = user_store.list_upload_sizes(connection, user.id, keys)
    for index, key in enumerate(keys):
        field = f"source_images.{index}"
        if key not in announced:
            raise InvalidRequest(fields=(FieldError(field, "is not the key of an upload of yours", "not_yours"),))
        try:
            services.storage.size_bytes(key)
        except ObjectMissing:
            raise InvalidRequest(fields=(FieldError(field, "has not been uploaded yet", "not_uploaded"),)) from None
