"""What operators do with jobs: put one back into the queue, or cancel one."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts import store as user_store
from shared.admin.generators import configured_addresses
from shared.core import garbage
from shared.core.errors import NotFound
from shared.generators import connect
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator
from shared.jobs import store as job_store
from shared.jobs.reasons import BY_OPERATOR
from shared.jobs.states import LOST_OBJECTS_KEPT_S, Event, State
from shared.polling.lost_objects import object_prefix
from shared.services import Services


class RequeueResult(StrEnum):
    """The result of a request to requeue a job. Every value but DONE names why the job was not requeued."""

    DONE = "done"
    ALREADY_QUEUED = "already_queued"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    CANCELLING = "cancelling"
    USER_DISABLED = "user_disabled"


@dataclass(frozen=True, slots=True)
class _LockedJob:
    """A job that nothing moves until the transaction ends."""

    state: State
    user_id: UUID
    generator: str | None
    remote_id: str | None
    attempt_token: UUID | None
    cancelling: bool


_LOCK = text("""
SELECT state, user_id, generator, remote_id, attempt_token, cancel_requested_at IS NOT NULL AS cancelling
FROM jobs WHERE id = :job_id FOR UPDATE
""")


def requeue(
    services: Services, job_id: UUID, connect: Callable[[GeneratorAddress], Generator] = connect
) -> RequeueResult:
    """Put a failed job, or one that is stuck at its generator, back into the queue with all its attempts.

    A worker that still holds the job loses its claim with the move and can write nothing more. What it stored becomes
    garbage, and the generator is asked to stop where its protocol allows that.

    Raises:
        NotFound: There is no such job.
    """
    with services.db.begin() as connection:
        job = _lock(connection, job_id)
        disabled = user_store.lock(connection, job.user_id)
        if refusal := _refuse_requeue(job, disabled=disabled):
            return refusal
        job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED, reason=BY_OPERATOR)
        if job.attempt_token is not None:
            garbage.discard(connection, object_prefix(job_id, job.attempt_token), in_s=LOST_OBJECTS_KEPT_S)
    services.wake_ups.wake()
    if job.state == State.GENERATING and job.remote_id is not None:
        address = next((found for found in configured_addresses(services) if found.name == job.generator), None)
        if address is not None:
            with closing(connect(address)) as client:
                client.cancel(job.remote_id)
    return RequeueResult.DONE


def _lock(connection: Connection, job_id: UUID) -> _LockedJob:
    row = connection.execute(_LOCK, {"job_id": job_id}).one_or_none()
    if row is None:
        raise NotFound
    state, *columns = row
    return _LockedJob(State(state), *columns)


def _refuse_requeue(job: _LockedJob, *, disabled: bool) -> RequeueResult | None:
    if job.state in (State.SUCCEEDED, State.CANCELLED):
        return RequeueResult(job.state.value)
    if job.state.waits:
        return RequeueResult.ALREADY_QUEUED
    if disabled:
        return RequeueResult.USER_DISABLED
    return RequeueResult.CANCELLING if job.cancelling else None


def cancel(services: Services, job_id: UUID) -> State:
    """Cancel a job as its user could, and return the state that it was in.

    A waiting job is cancelled now, a generating one at its next step; a finished one stays as it is.

    Raises:
        NotFound: There is no such job.
    """
    with services.db.begin() as connection:
        state = job_store.find_state(connection, job_id, None, lock=True)
        if state is None:
            raise NotFound
        if not state.finished:
            job_store.cancel(connection, job_id, state, BY_OPERATOR)
    if state == State.GENERATING:
        services.wake_ups.wake()
    return state
