"""What a step came to, as a value, and the one place that writes it.

Deciding (`steps`) has no database access. Writing ends the claim in one transaction: a release (the job stays at its
generator) or the end of the attempt. A step whose claim is gone writes nothing.
"""

from dataclasses import dataclass
from typing import TypeAlias

from shared.core import garbage
from shared.core.db import Database
from shared.jobs import store as job_store
from shared.jobs.reasons import WORKER_DIED, Reason
from shared.jobs.records import StoredImage
from shared.jobs.states import FIRST_POLL_S, LOST_OBJECTS_KEPT_S, MAX_CRASHES, Event, State
from shared.polling import claims, dispatch
from shared.polling import generators as generator_store
from shared.polling.claims import ClaimedJob, Release


@dataclass(frozen=True, slots=True)
class Sent:
    """The generator accepted the job; an attempt is spent, and the job is polled after `next_step_s`."""

    remote_id: str
    next_step_s: float
    adapted: Reason | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """The generator still works on the job, or has it in its queue; it is polled again after `next_step_s`.

    `fraction` is the work done (0..1) if known; `started`: the generator has just begun.
    """

    next_step_s: float
    fraction: float | None = None
    started: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """The job stays at its generator, because a part that it needs does not work now.

    `unreachable`: that part is the generator. `has_objects`: this claim may have stored objects, which are garbage.
    """

    reason: Reason
    next_step_s: float
    unreachable: bool = False
    has_objects: bool = False


@dataclass(frozen=True, slots=True)
class Retried:
    """The attempt is lost; the job goes back into the queue.

    `event` is WAITING when the generator never got the job. `attempts` is added to those already counted.
    """

    reason: Reason
    event: Event = Event.RETRYING
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The job is given up for this reason. `attempts` is added to those already counted."""

    reason: Reason
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Every picture of the job is stored and verified."""

    images: tuple[StoredImage, ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job's user has taken it back."""


Outcome: TypeAlias = Sent | Progressed | Waits | Retried | Failed | Succeeded | Cancelled


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """What a step learned about its generator: `error` is None when it answered as it should."""

    error: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome, and what was learned about the generator's health, if anything."""

    outcome: Outcome
    health: GeneratorHealth | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """An outcome as it was written: its name in `shared.metrics.process.OUTCOMES`, and the seconds until the next step.

    `next_step_s` is None when the job left its generator.
    """

    name: str
    next_step_s: float | None


_STATE_NAMES = {
    State.QUEUED: "requeued",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


def write(db: Database, claim: ClaimedJob, decision: Decision) -> Written:
    """Write what a step came to, and end its claim.

    Raises:
        Lost: the claim is gone; nothing about the job was written.
        Unavailable: the database cannot be reached.
    """
    _write_health(db, claim, decision.health)
    match decision.outcome:
        case Sent() as sent:
            change = Release(sent.next_step_s, remote_id=sent.remote_id, event=Event.SENT, adapted=sent.adapted)
            return Written("goes_on", _release(db, claim, change))
        case Progressed() as step:
            event = Event.PROCESSING if step.started else None
            return Written(
                "goes_on", _release(db, claim, Release(step.next_step_s, progress=step.fraction, event=event))
            )
        case Waits() as wait:
            return Written("waits", _write_wait(db, claim, wait))
        case Retried(reason, event, attempts):
            return _end_attempt(db, claim, State.QUEUED, event, reason, attempts)
        case Failed(reason, attempts):
            return _end_attempt(db, claim, State.FAILED, Event.FAILED, reason, attempts)
        case Cancelled():
            return _end_attempt(db, claim, State.CANCELLED, Event.CANCELLED)
        case Succeeded(images):
            return _write_success(db, claim, images)


def write_crash(db: Database, claim: ClaimedJob) -> bool:
    """Write that a worker died under the job; return whether the job fails because it was once too often."""
    with db.begin() as connection:
        if claim.lost_token is not None:
            garbage.discard(connection, claims.object_prefix(claim.id, claim.lost_token), in_s=LOST_OBJECTS_KEPT_S)
        if claim.crashes < MAX_CRASHES:
            claims.append_event(connection, claim.id, Event.RECOVERED, WORKER_DIED)
            return False
        reason = Reason("crashed_worker", f"The worker died {MAX_CRASHES} times while it worked on this job.")
        job_store.move(
            connection, claim.id, State.FAILED, Event.FAILED, reason=reason, attempt_token=claim.attempt_token
        )
        return True


def abandon(db: Database, claim: ClaimedJob) -> None:
    """End a claim whose outcome could not be written, so that the next sweep finds the job.

    Otherwise the lease would have to run out, and this worker would be taken for dead. Raises Lost, Unavailable.
    """
    with db.begin() as connection:
        claims.release(connection, claim.id, claim.attempt_token, Release(FIRST_POLL_S))
        garbage.discard(connection, claim.prefix, in_s=LOST_OBJECTS_KEPT_S)


def _release(db: Database, claim: ClaimedJob, change: Release) -> float:
    with db.statement() as connection:
        return claims.release(connection, claim.id, claim.attempt_token, change)


def _write_wait(db: Database, claim: ClaimedJob, wait: Waits) -> float:
    change = Release(wait.next_step_s, unreachable=wait.unreachable, waiting=wait.reason)
    if not wait.has_objects:
        return _release(db, claim, change)
    with db.begin() as connection:
        # The next try is another claim, with another prefix.
        garbage.discard(connection, claim.prefix, in_s=LOST_OBJECTS_KEPT_S)
        return claims.release(connection, claim.id, claim.attempt_token, change)


def _end_attempt(
    db: Database, claim: ClaimedJob, to: State, event: Event, reason: Reason | None = None, attempts: int = 0
) -> Written:
    with db.begin() as connection:
        state = job_store.end_attempt(
            connection, claim.id, to, event, attempt_token=claim.attempt_token, reason=reason, attempts=attempts
        )
        if claim.remote_id is not None:
            garbage.discard(connection, claim.prefix, in_s=LOST_OBJECTS_KEPT_S)
    return Written(_STATE_NAMES[state], None)


def _write_success(db: Database, claim: ClaimedJob, images: tuple[StoredImage, ...]) -> Written:
    with db.begin() as connection:
        state = job_store.end_attempt(
            connection, claim.id, State.SUCCEEDED, Event.SUCCEEDED, attempt_token=claim.attempt_token
        )
        if state == State.SUCCEEDED:
            claims.insert_images(connection, claim.id, images)
        else:
            garbage.discard(connection, claim.prefix)
    if state == State.SUCCEEDED:
        # In a statement after the move: a dispatcher holds the clock while it waits for users' rows, so a transaction
        # that holds a user's row must not wait for the clock.
        with db.statement() as connection:
            dispatch.record_pace(connection, claim.id)
    return Written(_STATE_NAMES[state], None)


def _write_health(db: Database, claim: ClaimedJob, health: GeneratorHealth | None) -> None:
    if health is None or (health.error is None and not claim.generator_failures):
        return
    with db.statement() as connection:
        if health.error is None:
            generator_store.record_success(connection, claim.generator)
        else:
            generator_store.record_failure(connection, claim.generator, health.error)
