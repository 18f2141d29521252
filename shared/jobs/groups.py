"""Groups of jobs: submitted in one call, all or none, then read, cancelled and deleted together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts import store as user_store
from shared.accounts.auth import Credential, require_user
from shared.api.schemas import JobRequest
from shared.core.errors import (
    AlreadyFinished,
    FieldError,
    InvalidRequest,
    NotFound,
    Refusal,
    StillRunning,
)
from shared.jobs import group_store, idempotency_store, submission_store
from shared.jobs import store as job_store
from shared.jobs.content import find_rejection, rejection
from shared.jobs.likeness_codes import check_codes
from shared.jobs.records import JobRecord, NewJob
from shared.jobs.resolution import find_defaults, find_refusal, new_job
from shared.jobs.sources import Start, find_starts
from shared.jobs.states import Event, State
from shared.jobs.store import Move
from shared.jobs.submission import check_mail, exceeded_limit, limits_of, without_mail
from shared.jobs.uploads import check_uploaded
from shared.services import Services

MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Group:
    """A group with the jobs of it that were not deleted."""

    id: UUID
    created_at: str
    jobs: list[JobRecord]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many jobs are in each state that the API shows."""
        found = Counter(State.QUEUED if job.state.waits else job.state for job in self.jobs)
        return {state.value: found[state] for state in State if state != State.HELD}

    @property
    def state(self) -> str:
        """Return queued until a job has started, generating until all have ended, then finished."""
        if all(job.state.finished for job in self.jobs):
            return "finished"
        return "queued" if all(job.state.waits for job in self.jobs) else "generating"

    @property
    def progress(self) -> float:
        """Return the mean of the jobs' progress; those that have ended have nothing left to do."""
        done = sum(1.0 if job.state.finished else job.progress or 0.0 for job in self.jobs)
        return done / len(self.jobs) if self.jobs else 1.0


@dataclass(frozen=True, slots=True)
class Quote:
    """What a group would be, and how many jobs the user's limits allow."""

    count: int
    cost: float
    left_today: int
    left_in_queue: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The checked jobs of a group, or why it is refused."""

    jobs: tuple[NewJob, ...]
    refusal: Refusal | None


def plan(
    services: Services,
    credential: Credential,
    requests: Sequence[JobRequest],
    key: str | None,
    fingerprint: bytes,
    *,
    followers: Sequence[JobRequest] = (),
) -> Plan:
    """Check the requests of a group as single ones; a refusal names up to 20 fields as `requests.<index>.<field>`.

    followers: more requests, which start from the picture of the first job; the database writes its id as `from_job`.
    """
    starts = find_starts(services, credential, [without_mail(services, request) for request in requests])
    starts += [Start(without_mail(services, request), held_by=0) for request in followers]
    own = find_defaults(services)
    jobs = tuple(new_job(start.request, key, fingerprint, services.addresses, own, start.held_by) for start in starts)
    rejected = _list_rejected(services, [*requests, *followers], starts)
    if rejected:
        return Plan(jobs, rejection(services, rejected))
    faults = list[FieldError]()
    for index, (start, job) in enumerate(zip(starts, jobs, strict=True)):
        refusal = start.refusal or find_refusal(services, start.request, job)
        faults += [_of_request(index, fault) for fault in (refusal.fields if refusal else ())]
    if faults:
        return Plan(jobs, InvalidRequest(fields=tuple(faults[:MOST_ERRORS])))
    check_mail(services, credential, (start.request for start in starts))
    check_uploaded(services, credential, jobs, lambda index: f"requests.{index}.")
    check_codes(services, credential, jobs)
    return Plan(jobs, None)


def _list_rejected(services: Services, requests: Sequence[JobRequest], starts: Sequence[Start]) -> list[FieldError]:
    """Return the first fields whose words a rule does not allow."""
    found = (
        (index, find_rejection(services, request, start.request))
        for index, (request, start) in enumerate(zip(requests, starts, strict=True))
    )
    faults = (_of_request(index, fault) for index, refusal in found if refusal for fault in refusal.fields)
    return list(islice(faults, MOST_ERRORS))


def _of_request(index: int, fault: FieldError) -> FieldError:
    return FieldError(f"requests.{index}.{fault.field}", fault.message, fault.code, fault.limit)


def quote(services: Services, credential: Credential, planned: Plan) -> Quote:
    """Count and price a group. Raises InvalidRequest or PromptRejected where it would be refused."""
    if planned.refusal:
        raise planned.refusal
    limits = services.settings
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        counts = user_store.get_counts(connection, user.id)
    return Quote(
        len(planned.jobs),
        sum(job.cost for job in planned.jobs),
        max(0, (counts.jobs_per_day or limits.jobs_per_day) - counts.used_today),
        max(0, limits.max_queued - counts.queued),
    )


def submit(services: Services, credential: Credential, planned: Plan) -> Group:
    """Queue all jobs of a plan, or none, and wake the poller; a used key leads to the group that it made.

    Raises:
        IdempotencyMismatch: the key was used for another request.
        QueueFull, QuotaSpent, StorageFull, Capacity: not all of the jobs fit.
        InvalidRequest, PromptRejected: the plan is refused.
    """
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        group_id = _queue(services, connection, user.id, planned)
        group = _read(connection, group_id, user.id)
    services.wake_ups.soon()
    return group


def _queue(services: Services, connection: Connection, user_id: UUID, planned: Plan) -> UUID:
    key, fingerprint = planned.jobs[0].idempotency_key, planned.jobs[0].fingerprint
    for _ in range(2):
        if planned.refusal is None:
            queued = submission_store.queue_all(connection, user_id, planned.jobs, is_group=True, **limits_of(services))
            if queued is not None and queued.group_id is not None:
                return queued.group_id
        if key is None:
            break
        made = idempotency_store.find_made(connection, "job_groups", user_id, key, fingerprint)
        if made is not None:
            return made
        idempotency_store.free_stale(connection, "job_groups", user_id, key)
    raise planned.refusal or exceeded_limit(services, connection, user_id, len(planned.jobs))


def get(services: Services, credential: Credential, group_id: UUID) -> Group:
    """Return a user's own group. Raises NotFound."""
    with services.db.statement() as connection:
        return _read(connection, group_id, require_user(connection, credential).id)


def cancel(services: Services, credential: Credential, group_id: UUID) -> Group:
    """Cancel the group's waiting jobs now, and the generating ones at their next steps.

    Raises AlreadyFinished, NotFound.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        _require(connection, group_id, user.id)
        waiting = group_store.lock_waiting(connection, group_id)
        job_store.move_all(connection, [Move(job_id, State.CANCELLED, Event.CANCELLED) for job_id in waiting])
    # One by one: a worker that writes several of them at once waits for one while it has locked another.
    with services.db.statement() as connection:
        generating = group_store.list_generating(connection, group_id)
        for job_id in generating:
            job_store.request_cancel(connection, job_id)
        group = _read(connection, group_id, user.id)
    if generating:
        services.wake_ups.soon()
    elif not waiting:
        raise AlreadyFinished("All jobs of this group have finished; there is nothing left to cancel.")
    return group


def delete(services: Services, credential: Credential, group_id: UUID) -> None:
    """Delete a group with its jobs and pictures. Raises StillRunning, NotFound."""
    with services.db.begin() as connection:
        _require(connection, group_id, require_user(connection, credential).id)
        if group_store.is_unfinished(connection, group_id):
            raise StillRunning("Not all jobs of this group have finished. Cancel it first, then delete it.")
        group_store.delete(connection, group_id)


def _require(connection: Connection, group_id: UUID, user_id: UUID) -> str:
    created_at = group_store.find_created_at(connection, group_id, user_id)
    if created_at is None:
        raise NotFound
    return created_at


def _read(connection: Connection, group_id: UUID, user_id: UUID) -> Group:
    created_at = _require(connection, group_id, user_id)
    return Group(group_id, created_at, group_store.list_views(connection, group_id, user_id))
