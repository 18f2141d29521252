"""One step of one generating job: send it, poll it, or fetch and store what it made.

Deciding talks to the generator and to the storage, and never to the database: `begin` and `fetch` return what the step
came to, and `shared.polling.outcomes` writes it.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from shared.clients.storage import ObjectMissing, ObjectTooLarge, Storage
from shared.core.errors import Unavailable
from shared.generators.abilities import Ignored, describe, ignored_fields
from shared.generators.base import (
    ForgottenId,
    GenerationRequest,
    Generator,
    GeneratorBroken,
    GeneratorError,
    GeneratorLoading,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Phase,
    Progress,
    Result,
    Stop,
    never_stop,
)
from shared.images import codec
from shared.images.jail import TakesLong
from shared.jobs.reasons import (
    CHECKER_DOWN,
    DECODES_SOURCE,
    GENERATOR_FAILED,
    NO_TIMELAPSE,
    PICTURE_UNCHECKED,
    SOURCE_MISSING,
    WORKER_STOPPED,
    Reason,
    generator_too_slow,
)
from shared.jobs.states import (
    FIRST_POLL_S,
    MAX_ATTEMPTS,
    QUICKEST_POLL_S,
    UNREACHABLE_S,
    Event,
    first_poll_s,
    longest_attempt_s,
    next_poll_s,
)
from shared.polling import checking, likenesses, previews, recipes, refusals, storage_failures, trainings
from shared.polling.checking import Checker, CheckerDown, Rejected
from shared.polling.claims import ClaimedJob
from shared.polling.kept_results import KeptResults
from shared.polling.memory import Memory
from shared.polling.outcomes import (
    Cancelled,
    Decision,
    Failed,
    GeneratorHealth,
    Outcome,
    Progressed,
    Retried,
    Sent,
    Succeeded,
    Waits,
)
from shared.polling.slow_pictures import SlowPictures
from shared.polling.step_requests import build_request
from shared.polling.storage_failures import LONGEST_RETRY_S, PATIENT_S
from shared.polling.storing import Storing

WAIT_S = 15.0
"""How long a status call may wait for a change. A proxy may end calls that last for half a minute."""
NOT_SENT = frozenset({"generator_unreachable", "generator_busy", "generator_redirected", "generator_misconfigured"})
"""Failures of a send after which the generator certainly has nothing, as after any that says when to come again; others
spend an attempt."""

HEALTHY = GeneratorHealth()

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """The step that is due for a claimed job, with what it works on.

    `protocol` is what the generator speaks. `unwanted` returns True once the outcome is of no use: the user has
    cancelled the job, or the claim is lost. `stop` does so also when this process is shutting down, for calls that
    wait. `memory` limits the pictures in memory, `kept` has those that could not be stored. `usual_s` is how long the
    generator should take, if that is known. `storage_failing_s` reads for how long the storage has failed the job's
    steps; None at the first failure. `slow_pictures` decodes those start pictures that take long, without it the step
    does. `max_adapter_bytes` limits the file of what a training makes, which works for `likeness_days`. `checker` looks
    at pictures before they are stored. `longest_job_s` limits an attempt.
    """

    claim: ClaimedJob
    generator: Generator
    protocol: str
    storage: Storage
    stop: Stop = never_stop
    unwanted: Stop = never_stop
    memory: Memory = field(default_factory=Memory)
    kept: KeptResults = field(default_factory=KeptResults)
    usual_s: float | None = None
    storage_failing_s: Callable[[], float | None] = lambda: None
    slow_pictures: SlowPictures | None = None
    max_adapter_bytes: int = 100_000_000
    likeness_days: int = 90
    longest_job_s: float = 7200
    checker: Checker | None = None

    @property
    def name(self) -> str:
        """Return what the step does, as `shared.metrics.process.STEPS` names it."""
        if self.claim.cancelling:
            return "cancel"
        return "send" if self.claim.remote_id is None else "ask"

    @property
    def shows_previews(self) -> bool:
        """Return whether the job may have another preview now; where pictures are checked, it has none."""
        return self.checker is None and previews.is_due(self.claim)

    def list_ignored(self, request: GenerationRequest) -> tuple[Ignored, ...]:
        """Return the settings of the request that this generator does not follow, as far as it is known."""
        return ignored_fields(self.protocol, request, self.generator.capabilities.followed(request))


@dataclass(frozen=True, slots=True)
class ReadyToFetch:
    """The step continues with `fetch`. `draws`: the generator draws meanwhile, which shows as processing."""

    draws: bool


def begin(step: Step) -> Decision | ReadyToFetch:
    """Cancel, send or poll the job, whichever is due."""
    if step.claim.cancelling:
        return _cancel(step)
    try:
        return _send(step) if step.claim.remote_id is None else _poll(step, step.claim.remote_id)
    except GeneratorError as error:
        return Decision(_after_error(step.claim, error))


def fetch(step: Step, *, draws: bool) -> Decision:
    """Fetch what the generator made, and store it.

    With `draws` a synchronous generator draws now: the call lasts as long as the picture takes, nothing was sent before
    it, and after a failure the generator holds nothing. A failure is therefore that of a send. Each part that it makes
    is stored before it draws the next one, so that no picture is in memory while it draws.
    """
    remote_id = step.claim.remote_id
    assert remote_id is not None, "only a job that was sent is fetched"
    health, unstored = None, None
    try:
        if step.claim.is_training:
            return Decision(trainings.fetch(step, remote_id), HEALTHY)
        request = build_request(step)
        storing = Storing(step.claim, step.storage, step.protocol, request, step.checker)
        done = 0
        while done < request.count:
            # What draws at once is asked for pictures of different words one by one.
            part = request.picture(done) if draws and request.variants else request.rest(done)
            with ExitStack() as held:
                result = _kept(step, part, done, held) or _result(step, remote_id, part, draws, held)
                health, unstored = HEALTHY, (done, result)
                storing.add(part, result, step.generator.capabilities)
                done += result.count or part.count
        images, lost = storing.finish(), NO_TIMELAPSE if storing.lost_timelapse else None
        return Decision(Succeeded(images, recipes.left_to_generator(step.claim, request), lost), health)
    except (ObjectMissing, ObjectTooLarge):
        return Decision(Failed(SOURCE_MISSING), health)
    except codec.PictureError as error:
        reason = Reason(error.code, f"The generator's picture cannot be used ({error.code}).")
        return Decision(_lost_attempt(step.claim, reason) if error.damaged else Failed(reason), health)
    except (Rejected, CheckerDown) as error:
        return Decision(Failed(error.reason) if isinstance(error, Rejected) else _checker_failed(step), health)
    except Unavailable as error:
        if unstored:
            step.kept.put(step.claim, *unstored)
        return Decision(_storage_failed(step, error), health)
    except GeneratorUnavailable as error:
        return _not_accepted(step, error, counted=1) if draws else _generator_wait(step.claim, error)
    except GeneratorError as error:
        forgotten = isinstance(error, ForgottenId)
        return Decision(_after_error(step.claim, error), _health_after_restart(step) if forgotten else None)


def _storage_failed(step: Step, error: Unavailable) -> Outcome:
    return storage_failures.decide(step.claim, step.storage, step.storage_failing_s() or 0, error)


def _pixels(part: GenerationRequest) -> int:
    return sum(width * height for width, height in part.output_sizes) + part.frames * part.width * part.height


def _kept(step: Step, part: GenerationRequest, done: int, held: ExitStack) -> Result | None:
    """Return what the generator gave for this part before, and hold the room that it needs in memory."""
    kept = step.kept.take(step.claim, done)
    if kept is not None:
        held.enter_context(step.memory.room(_pixels(part)))
    return kept


def _result(step: Step, remote_id: str, part: GenerationRequest, draws: bool, held: ExitStack) -> Result:
    """Return what the generator made of a request, and hold the room that it needs in memory.

    There is room before a finished result is asked for. One that has to be drawn gets it once it is drawn.
    """

    def take_room() -> None:
        held.enter_context(step.memory.room(_pixels(part)))

    if draws:
        if step.stop():
            raise GeneratorStopped()  # nothing of it is drawn yet
        return step.generator.result(remote_id, part, step.stop, take_room)
    take_room()
    return step.generator.result(remote_id, part, step.unwanted)


def _cancel(step: Step) -> Decision:
    if step.claim.remote_id is not None:
        step.generator.cancel(step.claim.remote_id)
    return Decision(Cancelled())


def _send(step: Step) -> Decision:
    claim = step.claim
    try:
        if claim.is_training:
            request, remote_id = None, trainings.send(step)
        else:
            request = build_request(step)
            remote_id = likenesses.start(step, request)
    except (codec.PictureError, ObjectMissing, ObjectTooLarge, TakesLong) as error:
        return Decision(_without_source(claim, error))
    except Unavailable as error:
        return Decision(_storage_failed(step, error))
    except GeneratorLoading as error:
        return Decision(Retried(_reason(error), Event.WAITING), GeneratorHealth(loading_s=error.seconds))
    except GeneratorUnavailable as error:
        return _not_accepted(step, error, counted=0)
    except GeneratorBroken as error:
        lost = Failed(_reason(error), 1) if error.lasting else _lost_attempt(claim, _reason(error), spent=1)
        return Decision(lost, GeneratorHealth(error.message))
    ignored = step.list_ignored(request) if request else ()
    adapted = Reason("not_followed", describe(ignored)) if ignored else likenesses.find_lost(claim)
    by = recipes.painter_of(step.generator.capabilities)
    if step.generator.synchronous:
        return Decision(Sent(remote_id, 0, adapted, by))  # nothing was sent yet, so nothing is known of its health
    next_step_s = 0 if step.generator.waits else first_poll_s(step.usual_s)
    return Decision(Sent(remote_id, next_step_s, adapted, by), HEALTHY)


def _without_source(
    claim: ClaimedJob, error: codec.PictureError | ObjectMissing | ObjectTooLarge | TakesLong
) -> Outcome:
    if isinstance(error, TakesLong):
        return refusals.pause(claim, DECODES_SOURCE)
    if isinstance(error, codec.PictureError):
        return Failed(Reason(error.code, f"A start picture cannot be used: {error.message}"))
    return Failed(SOURCE_MISSING)


def _poll(step: Step, remote_id: str) -> Decision | ReadyToFetch:
    began = time.monotonic()
    try:
        # A stopping process ends only calls that wait; a short one may still find the picture.
        stop = step.stop if step.generator.waits else step.unwanted
        progress = step.generator.status(remote_id, wait_s=WAIT_S, stop=stop, preview=step.shows_previews)
    except GeneratorStopped:
        return Decision(Progressed(0))  # another worker goes on, or cancels the job
    except GeneratorUnavailable as error:
        return _generator_wait(step.claim, error)
    except ForgottenId as error:
        return Decision(_after_error(step.claim, error), _health_after_restart(step))
    if progress.phase == Phase.READY:
        try:
            # A picture that cannot be stored is drawn for nothing: it cannot be fetched a second time.
            step.storage.check()
        except Unavailable as error:
            return Decision(_storage_failed(step, error))
        if step.checker is not None and step.checker.holds and step.checker.is_down():
            return Decision(_checker_failed(step))
    if progress.phase in (Phase.READY, Phase.FINISHED):
        return ReadyToFetch(draws=progress.phase == Phase.READY)
    return _unfinished(step, remote_id, progress, time.monotonic() - began)


def _health_after_restart(step: Step) -> GeneratorHealth:
    """Return the health of a generator that was restarted: it may be loading.

    If it answers again, other jobs need not wait until its pause is over.
    """
    try:
        return GeneratorHealth(loading_s=step.generator.health().loading_s)
    except GeneratorError:
        return HEALTHY  # it has just answered


def _unfinished(step: Step, remote_id: str, progress: Progress, waited_s: float) -> Decision:
    """Decide about a job that is not finished. waited_s: how long the generator took to say so."""
    claim = step.claim
    if progress.phase == Phase.FAILED:
        return Decision(_lost_attempt(claim, GENERATOR_FAILED))
    longest_s = longest_attempt_s(claim.expected_s, step.longest_job_s)
    longest_s, too_slow = trainings.LONGEST if claim.is_training else (longest_s, generator_too_slow(longest_s))
    if (claim.sent_s or 0) > longest_s:
        step.generator.cancel(remote_id)
        return Decision(_lost_attempt(claim, too_slow))
    preview = previews.store(step.storage, claim, progress.preview) if step.shows_previews else None
    decided = _progressed(claim, progress, step.usual_s, preview)
    if step.generator.waits:
        # The call waited for this change, so the next one begins now, except where it did not really wait.
        decided = replace(decided, next_step_s=0 if waited_s >= FIRST_POLL_S else QUICKEST_POLL_S)
    return Decision(decided, HEALTHY)


def _progressed(claim: ClaimedJob, progress: Progress, usual_s: float | None, preview: str | None) -> Progressed:
    working = progress.phase == Phase.PROCESSING
    fraction = progress.fraction if progress.fraction is not None else (0.0 if working else None)
    delay_s = next_poll_s(claim.sent_s or 0, progress.position, progress.fraction, usual_s)
    return Progressed(delay_s, fraction, started=working and claim.progress is None, preview=preview)


def _not_accepted(step: Step, error: GeneratorUnavailable, *, counted: int) -> Decision:
    """Decide about a job that did not get through, or perhaps did. counted: attempts counted for it already."""
    health = GeneratorHealth(error.message)
    if error.code not in NOT_SENT and error.retry_after_s is None:
        return Decision(_lost_attempt(step.claim, _reason(error), spent=1 - counted), health)
    try:
        step.generator.health()
    except GeneratorError:
        # It is down for all jobs, and is probed until it is well.
        return Decision(Retried(_reason(error), Event.WAITING, -counted), health)
    return Decision(refusals.decide(step.claim, error, counted=counted), GeneratorHealth(refusal=error.message))


def _generator_wait(claim: ClaimedJob, error: GeneratorUnavailable) -> Decision:
    """Wait for the generator that holds the job, up to a limit."""
    busy = error.code == "generator_busy"
    # One that only limits calls is well, and other jobs may be sent to it.
    health = None if busy else GeneratorHealth(error.message)
    unreachable_s = claim.unreachable_s or 0
    if unreachable_s > (PATIENT_S if busy else UNREACHABLE_S):
        return Decision(_lost_attempt(claim, _reason(error)), health)
    pause_s = max(1 + unreachable_s / 4, min(error.retry_after_s or 0, LONGEST_RETRY_S))
    return Decision(Waits(_reason(error), pause_s, unreachable=True), health)


def _checker_failed(step: Step) -> Waits | Failed:
    """Wait for what checks pictures, up to a limit, where the site holds them until then."""
    if step.checker is None or not step.checker.holds or (step.claim.sent_s or 0) > checking.HELD_S:
        return Failed(PICTURE_UNCHECKED)
    return Waits(CHECKER_DOWN, checking.RETRY_S, has_objects=True)


def _after_error(claim: ClaimedJob, error: GeneratorError) -> Outcome:
    if isinstance(error, GeneratorStopped):
        return Waits(WORKER_STOPPED, 0)
    if isinstance(error, GeneratorRefused) or (isinstance(error, GeneratorBroken) and error.lasting):
        return Failed(_reason(error))
    return _lost_attempt(claim, _reason(error))


def _lost_attempt(claim: ClaimedJob, reason: Reason, *, spent: int = 0) -> Retried | Failed:
    """Retry the job, or give up after the last attempt. spent: attempts that are not counted yet."""
    if claim.attempts + spent >= MAX_ATTEMPTS:
        message = f"Given up after {MAX_ATTEMPTS} attempts. {reason.message}"
        return Failed(Reason(reason.code, message), spent)
    return Retried(reason, attempts=spent)


def _reason(error: GeneratorError) -> Reason:
    return Reason(error.code, error.message)
