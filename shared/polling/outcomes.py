"""What a step came to, as a value, and the one place that writes it.

Deciding (`steps`) has no database access. Writing ends the claims of a batch in one transaction, each by a release (the
job stays at its generator) or by the end of the attempt. A step whose claim is gone writes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core import garbage
from shared.core.db import Database, DatabaseFault
from shared.core.errors import NotFound, Unavailable
from shared.jobs import store as job_store
from shared.jobs.reasons import WORKER_DIED, Reason
from shared.jobs.records import StoredImage
from shared.jobs.states import LOST_OBJECTS_KEPT_S, MAX_CRASHES, Event, State
from shared.jobs.store import Lost, Move
from shared.likeness import store as likeness_store
from shared.polling import claims, durations, generator_errors
from shared.polling import generators as generator_store
from shared.polling.claims import ClaimedJob, Release


@dataclass(frozen=True, slots=True)
class Sent:
    """The generator accepted the job; an attempt is spent, and the job is polled after `next_step_s`.

    `by` names its engine and model for people, if it reports them.
    """

    remote_id: str
    next_step_s: float
    adapted: Reason | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """The generator still works on the job, or has it in its queue; it is polled again after `next_step_s`.

    `fraction` is the work done (0..1) if known; `started`: the generator has just begun. `preview` is the key of a new
    preview.
    """

    next_step_s: float
    fraction: float | None = None
    started: bool = False
    preview: str | None = None


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
    `refused_pause_s`: a generator that is well refused it; the seconds until it may start again.
    """

    reason: Reason
    event: Event = Event.RETRYING
    attempts: int = 0
    refused_pause_s: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The job is given up for this reason. `attempts` is added to those already counted."""

    reason: Reason
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class StoredAdapter:
    """An adapter that is checked and stored under `key`, with what its trainer measured; it works for `days`."""

    sha256: str
    key: str
    report: Mapping[str, str | float]
    days: int


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Everything that the job makes is stored and verified. `settings`: those that were left to the generator.

    `without`: why a part that was wanted beside the pictures is missing. `adapter`: what a training made.
    """

    images: tuple[StoredImage, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)
    without: Reason | None = None
    adapter: StoredAdapter | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job's user has taken it back."""


Outcome: TypeAlias = Sent | Progressed | Waits | Retried | Failed | Succeeded | Cancelled


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """What a step learned about its generator: `error` is None when it answered as it should.

    `refusal`: why it refused the job, although it is well. `loading_s`: its model is loading, for about so long (0: not
    known).
    """

    error: str | None = None
    refusal: str | None = None
    loading_s: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome, and what was learned about the generator's health, if anything."""

    outcome: Outcome
    health: GeneratorHealth | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """An outcome as it was written: its name in `shared.metrics.process.OUTCOMES`, and the seconds until the next step.

    `next_step_s` is None when the job left its generator. `kept`: the claim for the next step, if it goes on.
    """

    name: str
    next_step_s: float | None
    kept: ClaimedJob | None = None


Result: TypeAlias = Written | Lost | Unavailable | DatabaseFault | NotFound
"""What came of writing one outcome. `Lost`: the claim was gone. Any error: nothing of this outcome was written."""

_NO_ERRORS = {"generator_loading", "generator_removed"}
"""Reasons that concern a generator, and are no failures of it."""

_STATE_NAMES = {
    State.QUEUED: "requeued",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


def write(db: Database, decided: Sequence[tuple[ClaimedJob, Decision]], *, keep: bool = False) -> list[Result]:
    """Write what the steps of different claims came to, in one transaction, and end the claims; keep their order.

    With `keep` a claim goes on where the next step is due as soon as the job is sent. Each outcome is fenced by its own
    claim: one that is lost loses only its own. If a statement fails, the outcomes are written one by one, so that one
    that cannot be written does not take the others with it.
    """
    try:
        _write_health(db, decided)
        results = _write_batch(db, decided, keep=keep)
    except (Unavailable, DatabaseFault, NotFound) as error:
        if len(decided) == 1:
            return [error]
        return _write_singly(db, decided, keep=keep)
    _record_durations(db, decided, results)
    _record_errors(db, decided, results)
    return results


def write_crash(db: Database, claim: ClaimedJob) -> bool:
    """Write that a worker died under the job; return whether the job fails because it was once too often."""
    with db.begin() as connection:
        if claim.crashes < MAX_CRASHES:
            claims.append_event(connection, claim.id, Event.RECOVERED, WORKER_DIED)
            return False
        reason = Reason("crashed_worker", f"The worker died {MAX_CRASHES} times while it worked on this job.")
        job_store.move(
            connection, claim.id, State.FAILED, Event.FAILED, reason=reason, attempt_token=claim.attempt_token
        )
        return True


def _write_singly(db: Database, decided: Sequence[tuple[ClaimedJob, Decision]], *, keep: bool) -> list[Result]:
    """Write one outcome after the other, until the database is unavailable for one of them."""
    results: list[Result] = []
    for pair in decided:
        gone = next((result for result in results if isinstance(result, Unavailable)), None)
        results += [gone] if gone else write(db, [pair], keep=keep)
    return results


def _write_batch(db: Database, decided: Sequence[tuple[ClaimedJob, Decision]], *, keep: bool) -> list[Result]:
    releases = {claim.id: _release(decision.outcome, keep=keep) for claim, decision in decided}
    staying = [(claim, change) for claim, _ in decided if (change := releases[claim.id]) is not None]
    leaving = [(claim, decision.outcome) for claim, decision in decided if releases[claim.id] is None]
    # The next try is another claim, with another prefix.
    stale = [claim for claim, decision in decided if _leaves_objects(decision.outcome)]
    # A release is one statement, which needs no transaction: that saves two round trips.
    with db.begin() if leaving or stale else db.statement() as connection:
        # All at once and in order, since a batch that locks one after the other could meet another one half-way.
        held = _lock(connection, [claim for claim, _ in decided]) if leaving else {}
        cancelling = claims.release(connection, staying) if staying else {}
        states = _move(connection, leaving, held)
        _discard(connection, [claim for claim in stale if claim.id in cancelling])
    return [_result(claim, releases[claim.id], cancelling, states) for claim, _ in decided]


def _result(
    claim: ClaimedJob, release: Release | None, cancelling: Mapping[UUID, bool], states: Mapping[UUID, State]
) -> Result:
    if claim.id in states:
        return Written(_STATE_NAMES[states[claim.id]], None)
    if release is None or claim.id not in cancelling:
        return Lost(f"the claim on {claim.id} is gone")
    name = "goes_on" if release.waiting is None else "waits"
    if cancelling[claim.id]:
        return Written(name, 0)
    return Written(name, release.next_step_s, claim.after_sending(release.remote_id) if release.keep else None)


def _release(outcome: Outcome, *, keep: bool) -> Release | None:
    """Return how the outcome leaves a job at its generator, None if the job leaves it."""
    match outcome:
        case Sent(remote_id, next_step_s, adapted, by):
            kept = keep and next_step_s == 0
            return Release(next_step_s, kept, remote_id=remote_id, event=Event.SENT, adapted=adapted, by=by)
        case Progressed(next_step_s, fraction, started, preview):
            event = Event.PROCESSING if started else None
            return Release(next_step_s, progress=fraction, event=event, preview=preview)
        case Waits(reason, next_step_s, unreachable):
            return Release(next_step_s, unreachable=unreachable, waiting=reason)
    return None


def _leaves_objects(outcome: Outcome) -> bool:
    return isinstance(outcome, Waits) and outcome.has_objects


def _ending(claim: ClaimedJob, outcome: Outcome, *, cancelling: bool) -> Move:
    token = claim.attempt_token
    match outcome:
        case Failed(reason, attempts):
            return Move(claim.id, State.FAILED, Event.FAILED, reason, token, attempts=attempts)
        case Retried(reason, event, attempts, pause_s) if not cancelling:
            return Move(claim.id, State.QUEUED, event, reason, token, attempts=attempts, refused_pause_s=pause_s)
        case Succeeded() if not cancelling:
            size = sum(image.size_bytes for image in outcome.images)
            return Move(claim.id, State.SUCCEEDED, Event.SUCCEEDED, outcome.without, token, stored_bytes=size)
    return Move(claim.id, State.CANCELLED, Event.CANCELLED, attempt_token=token)


def _move(
    connection: Connection, leaving: Sequence[tuple[ClaimedJob, Outcome]], cancelling: Mapping[UUID, bool]
) -> dict[UUID, State]:
    """Move jobs away from their generators; return the states of those whose claim was not lost.

    Where the user asked for a cancel while the step ran, that is CANCELLED.
    """
    if not leaving:
        return {}
    # One statement moves all: a second one in this transaction would lock users' rows out of their order.
    moves = [
        _ending(claim, outcome, cancelling=cancelling[claim.attempt_token])
        for claim, outcome in leaving
        if claim.attempt_token in cancelling
    ]
    moved = job_store.move_all(connection, moves)
    states = {move.job_id: move.to for move in moves if move.job_id in moved}
    succeeded = {
        claim.id: outcome
        for claim, outcome in leaving
        if isinstance(outcome, Succeeded) and states.get(claim.id) == State.SUCCEEDED
    }
    images = {job_id: outcome.images for job_id, outcome in succeeded.items()}
    if images:
        claims.insert_images(connection, images)
    for job_id, outcome in succeeded.items():
        if outcome.settings:
            claims.fill_in_settings(connection, job_id, outcome.settings)
        if outcome.adapter:
            likeness_store.record_trained(connection, job_id, **asdict(outcome.adapter))
    without = [(claim, outcome) for claim, outcome in leaving if claim.id in states and claim.id not in images]
    # Only a claim that was sent before can have stored anything. A step that has ended stores no more.
    _discard(
        connection, [claim for claim, outcome in without if claim.remote_id and not isinstance(outcome, Succeeded)]
    )
    garbage.discard(connection, *(claim.prefix for claim, outcome in without if isinstance(outcome, Succeeded)))
    return states


_LOCK = text("""
SELECT attempt_token, cancel_requested_at IS NOT NULL AS cancelling FROM jobs
WHERE id = ANY(:job_ids) AND attempt_token = ANY(:attempt_tokens) AND state = 'generating' ORDER BY id
FOR NO KEY UPDATE
""")


def _lock(connection: Connection, held: Sequence[ClaimedJob]) -> dict[UUID, bool]:
    """Lock the jobs of claims; return whether each is to be cancelled, by the token of each that is not lost."""
    values = {"job_ids": [claim.id for claim in held], "attempt_tokens": [claim.attempt_token for claim in held]}
    return {row.attempt_token: row.cancelling for row in connection.execute(_LOCK, values)}


def _discard(connection: Connection, ended: Sequence[ClaimedJob]) -> None:
    garbage.discard(connection, *(claim.prefix for claim in ended), in_s=LOST_OBJECTS_KEPT_S)


def _record_durations(db: Database, decided: Sequence[tuple[ClaimedJob, Decision]], results: Sequence[Result]) -> None:
    """Record how long the jobs took that have succeeded. Failing to record it changes nothing."""
    names = [result.name if isinstance(result, Written) else None for result in results]
    succeeded = [claim.id for (claim, _), name in zip(decided, names, strict=True) if name == "succeeded"]
    if succeeded:
        with suppress(Unavailable), db.statement() as connection:
            durations.record(connection, succeeded)


def _record_errors(db: Database, decided: Sequence[tuple[ClaimedJob, Decision]], results: Sequence[Result]) -> None:
    """Count the steps that generators failed, by code. Failing to count them changes nothing."""
    failures = Counter(
        (claim.generator, code)
        for (claim, decision), result in zip(decided, results, strict=True)
        if isinstance(result, Written) and (code := _generator_error(claim, decision.outcome))
    )
    if failures:
        with suppress(Unavailable), db.statement() as connection:
            generator_errors.record(connection, failures)


def _generator_error(claim: ClaimedJob, outcome: Outcome) -> str | None:
    """Return the code with which the generator failed the step, None if it did not."""
    if not isinstance(outcome, Waits | Retried | Failed):
        return None
    code = outcome.reason.code
    if code.startswith("picture_"):
        # Before the job was sent, the picture that cannot be used is one to start from.
        return code if claim.remote_id is not None else None
    return code if code.startswith("generator_") and code not in _NO_ERRORS else None


def _write_health(db: Database, decided: Sequence[tuple[ClaimedJob, Decision]]) -> None:
    """Write what was learned about each generator, once; an error that any step met counts."""
    errors: dict[str, str | None] = {}
    for claim, decision in decided:
        health = decision.health
        if health is None:
            continue
        if health.loading_s is not None:
            with db.statement() as connection:
                generator_store.record_loading(connection, claim.generator, health.loading_s)
        elif health.refusal is not None:
            with db.statement() as connection:
                generator_store.record_refusal(connection, claim.generator, claim.id, health.refusal)
        elif health.error is not None or claim.generator_failures:
            errors[claim.generator] = errors.get(claim.generator) or health.error
        elif claim.generator_refusals and isinstance(decision.outcome, Sent | Succeeded):
            with db.statement() as connection:
                generator_store.record_acceptance(connection, claim.generator)
    for name, error in sorted(errors.items()):
        with db.statement() as connection:
            if error is None:
                generator_store.record_success(connection, name)
            else:
                generator_store.record_failure(connection, name, error)
