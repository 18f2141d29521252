"""What the operators of a site do with jobs and generators: look, put a job back, cancel one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.accounts import store as user_store
from shared.admin import overview as overview_store
from shared.core import garbage
from shared.core.errors import NotFound, Unavailable
from shared.generators import connect
from shared.generators.base import ForgottenId, Generator, GeneratorAddress, GeneratorError
from shared.generators.discovery import Discovery
from shared.jobs import store as job_store
from shared.jobs.reasons import BY_OPERATOR
from shared.jobs.states import LOST_OBJECTS_KEPT_S, Event, State
from shared.polling.steps import objects_of
from shared.services import Services

ASKED_AT_ONCE = 16


class Requeued(StrEnum):
    """What became of the wish to put a job back."""

    DONE = "done"
    WAITS_ALREADY = "waits_already"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    CANCELLING = "cancelling"
    USER_DISABLED = "user_disabled"


@dataclass(frozen=True)
class Answer:
    """What a generator said to the question for its health: its engine and extensions, or else what is wrong."""

    address: GeneratorAddress
    error: str | None = None
    engine: str | None = None
    extensions: frozenset[str] = frozenset()


def find_user_id(services: Services, email: str) -> UUID:
    """The account of this address. Raises NotFound."""
    with services.db.statement() as connection:
        found = user_store.find_by_email(connection, email)
    if found is None:
        raise NotFound
    return found[0].id


def list_jobs(
    services: Services,
    *,
    state: State | None = None,
    user_id: UUID | None = None,
    generator: str | None = None,
    older_than_s: float | None = None,
    limit: int,
) -> list[Row[Any]]:
    """The latest jobs of these kinds, as `overview_store.list_jobs` has them."""
    with services.db.statement() as connection:
        return overview_store.list_jobs(
            connection,
            state=state.value if state else None,
            user_id=user_id,
            generator=generator,
            older_than_s=older_than_s,
            limit=limit,
        )


def get_job(services: Services, job_id: UUID) -> tuple[Row[Any], dict[str, int] | None]:
    """All that is known of a job (`overview_store.find_job`), and the sizes in bytes of the objects that lie under its
    name; None where the storage does not answer. Raises NotFound."""
    with services.db.statement() as connection:
        job = overview_store.find_job(connection, job_id)
    if job is None:
        raise NotFound
    try:
        return job, services.storage.sizes_bytes(f"jobs/{job_id}/")
    except Unavailable:
        return job, None


def requeue(services: Services, job_id: UUID, connect: Callable[[GeneratorAddress], Generator] = connect) -> Requeued:
    """Put a failed job, or one that is stuck at its generator, back into the queue for a new life with all its
    attempts. Raises NotFound.

    Whoever still works on it writes nothing more: its claim is gone with the move. What it stored is garbage, and the
    generator is told to stop where it can be told.
    """
    with services.db.begin() as connection:
        state = job_store.find_state(connection, job_id, None, lock=True)
        job = overview_store.find_job(connection, job_id)
        if state is None or job is None:
            raise NotFound
        disabled = user_store.lock(connection, job.user_id)
        if against := _against_requeue(state, job, disabled=disabled):
            return against
        job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED, reason=BY_OPERATOR)
        if job.attempt_token is not None:
            garbage.discard(connection, objects_of(job_id, job.attempt_token), in_s=LOST_OBJECTS_KEPT_S)
    services.wake_ups.wake()
    address = next((address for address in _addresses(services) if address.name == job.generator), None)
    if state == State.GENERATING and job.remote_id is not None and address is not None:
        with closing(connect(address)) as client:
            client.cancel(job.remote_id)
    return Requeued.DONE


def _against_requeue(state: State, job: Row[Any], *, disabled: bool) -> Requeued | None:
    if state in (State.SUCCEEDED, State.CANCELLED):
        return Requeued(state.value)
    if state == State.QUEUED:
        return Requeued.WAITS_ALREADY
    if disabled:
        return Requeued.USER_DISABLED
    return Requeued.CANCELLING if job.cancel_requested_at is not None else None


def cancel(services: Services, job_id: UUID) -> State:
    """Cancel a job as its user could; return the state that it was in: FINISHED ones stay as they are, a queued one is
    cancelled now, a generating one at its next step. Raises NotFound."""
    with services.db.begin() as connection:
        state = job_store.find_state(connection, job_id, None, lock=True)
        if state is None:
            raise NotFound
        if not state.finished:
            job_store.cancel(connection, job_id, state, BY_OPERATOR)
    if state == State.GENERATING:
        services.wake_ups.look_at(job_id)
    return state


def list_generators(services: Services) -> list[Row[Any]]:
    """The generators as the poller knows them, as `overview_store.list_generators` has them."""
    with services.db.statement() as connection:
        return overview_store.list_generators(connection)


def ask_generators(services: Services, connect: Callable[[GeneratorAddress], Generator] = connect) -> list[Answer]:
    """Ask every configured generator now, several at a time; the answers in the order of the setting. What the poller
    knows of them stays as it is."""

    def ask(address: GeneratorAddress) -> Answer:
        with closing(connect(address)) as client:
            try:
                able = client.health()
                if not able.extensions:
                    # A service without the call for health says nothing by that; this call each has to understand.
                    with suppress(ForgottenId):
                        client.status("0")
            except GeneratorError as error:
                return Answer(address, error.message)
            return Answer(address, None, able.engine, able.extensions)

    with ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="ask") as pool:
        return list(pool.map(ask, _addresses(services)))


def _addresses(services: Services) -> tuple[GeneratorAddress, ...]:
    """The configured generators, each of those behind one name for itself."""
    return Discovery().expand(services.addresses)
