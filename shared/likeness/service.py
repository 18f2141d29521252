"""Likenesses of users: submit the training of one, list, change and delete them."""

import logging
import secrets
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts import store as user_store
from shared.accounts.auth import Credential, require_user
from shared.accounts.store import User
from shared.api.likenesses import LikenessChange, LikenessRequest
from shared.api.presets import resolve
from shared.api.schemas import JobRequest
from shared.core.errors import InvalidRequest, NotFound, StillRunning, TooManyLikenesses
from shared.core.log import fields as log_fields
from shared.core.paging import page
from shared.generators.abilities import TRAINING
from shared.jobs import states, submission
from shared.jobs import store as job_store
from shared.jobs.likeness_codes import count_guesses, is_code
from shared.jobs.records import NewJob
from shared.jobs.requests import generation_request
from shared.jobs.resolution import find_notification_refusal
from shared.likeness import store
from shared.likeness.looking import check_photos
from shared.likeness.store import CODES, LikenessRecord
from shared.services import Services

COST_PER_STEP = 0.03
"""A training of 1500 steps counts in the fair order about as much as a dozen of small pictures. Its generators' pace is
measured in this unit, separate from that of pictures."""

_TITLE = "likeness"
"""What the job of a likeness without a name has as its prompt."""

_log = logging.getLogger(__name__)


def submit(
    services: Services, credential: Credential, request: LikenessRequest, idempotency_key: str | None
) -> LikenessRecord:
    """Queue the training of a likeness and wake the poller; return the likeness with its code.

    With an idempotency key that this user has used lately, the likeness that it made then is returned.

    Raises:
        InvalidRequest: Photos cannot be used, no generator of this site trains, or it cannot send the notification.
        TooManyLikenesses, QueueFull, QuotaSpent: A limit of the user prevents it.
        IdempotencyMismatch: The key was used for another request.
        NotConfirmed: Mail is asked for, and the user's address is not confirmed.
    """
    fingerprint = b"" if idempotency_key is None else request.fingerprint()
    shown = JobRequest(prompt=_TITLE, notify=request.notify, webhook_url=request.webhook_url)
    shown = submission.without_mail(services, shown)
    job = _training(request, shown, idempotency_key, fingerprint)
    refusal = find_notification_refusal(services, shown) or _find_refusal(services, credential, request)
    if refusal is None:
        submission.check_mail(services, credential, [shown])
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        # Other submits of this user wait here, so that none takes the key, or the last place, meanwhile.
        user_store.lock(connection, user.id)
        job_id = UUID(submission.queue_or_find(services, connection, credential, job, refusal).id)
        found = store.find_by_job(connection, job_id) or _create(services, connection, user, job_id, request)
    _log.info("accepted", extra=log_fields(job_id=str(job_id)))
    services.wake_ups.soon()
    return found


def _training(request: LikenessRequest, shown: JobRequest, idempotency_key: str | None, fingerprint: bytes) -> NewJob:
    """Return the job. Its settings have those of every job, which readers of jobs expect, and `training`."""
    seed = secrets.randbelow(2**32)
    training = {"subject": request.subject, "steps_per_image": request.steps_per_image}
    settings = resolve(shown.model_dump(), seed=seed) | {"source_images": request.photos, "training": training}
    return NewJob(
        prompt=request.name or _TITLE,
        settings=settings,
        cost=max(request.steps_per_image * COST_PER_STEP, states.cost(1, 64, 64, 1, 1)),
        outline=generation_request(shown.prompt, settings),
        protocols=TRAINING,
        source_keys=tuple(request.photos),
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
    )


def _find_refusal(services: Services, credential: Credential, request: LikenessRequest) -> InvalidRequest | None:
    try:
        check_photos(services, credential, request.photos, request.subject)
    except InvalidRequest as error:
        return error
    return None


def _create(
    services: Services, connection: Connection, user: User, job_id: UUID, request: LikenessRequest
) -> LikenessRecord:
    most = services.settings.max_likenesses
    if store.count(connection, user.id) >= most:
        raise TooManyLikenesses(f"At most {most} likenesses may belong to an account. Delete one first.")
    created = False
    while not created:
        code = f"{secrets.randbelow(CODES):08}"
        created = store.create(connection, job_id, user.id, code, subject=request.subject, name=request.name)
    return _require(store.find_by_job(connection, job_id))


def get(services: Services, credential: Credential, code: str) -> LikenessRecord:
    """Return a user's own likeness. Raises NotFound, RateLimited."""
    with services.db.statement() as connection:
        return _find_own(services, connection, require_user(connection, credential), code)


def list_own(
    services: Services, credential: Credential, before: UUID | None, limit: int
) -> tuple[list[LikenessRecord], str | None]:
    """Return a page of a user's likenesses, newest first, and the id to continue after."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        return page(store.list_own(connection, user.id, before, limit + 1), limit)


def change(services: Services, credential: Credential, code: str, wanted: LikenessChange) -> LikenessRecord:
    """Name or share a user's own likeness, or end the sharing. Raises NotFound, RateLimited."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        _find_own(services, connection, user, code)
        store.change(connection, user.id, code, shared=wanted.shared, name=wanted.name)
        return _require(store.find(connection, user.id, code))


def delete(services: Services, credential: Credential, code: str) -> None:
    """Delete a user's own likeness with its adapter and its job. Raises StillRunning, NotFound, RateLimited.

    Pictures that show it, also those that others have made, are taken down by the database.
    """
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        job_id = _find_own(services, connection, user, code).id
    with services.db.begin() as connection:
        delete_trained(connection, job_id, user.id)


def delete_trained(connection: Connection, job_id: UUID, user_id: UUID | None) -> None:
    """Delete a likeness of a user by its job, or any where `user_id` is None. Raises StillRunning, NotFound."""
    state = job_store.find_state(connection, job_id, user_id, lock=True)
    if state is None:
        raise NotFound
    if not state.finished:
        raise StillRunning("The training has not ended. Cancel its job first, then delete the likeness.")
    job_store.delete(connection, job_id)


def _find_own(services: Services, connection: Connection, user: User, code: str) -> LikenessRecord:
    """Return a user's own likeness; a code of another one counts as a guess."""
    if not is_code(code):
        raise NotFound
    found = store.find(connection, user.id, code)
    if found is None:
        count_guesses(services, connection, user.id, [code])
    return _require(found)


def _require(found: LikenessRecord | None) -> LikenessRecord:
    if found is None:
        raise NotFound
    return found
