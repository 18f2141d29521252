"""The decisions of a step, without a database: the outcome of every answer of a generator."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest
from PIL import Image

from shared.api.presets import resolve
from shared.api.schemas import JobRequest
from shared.clients.storage import Storage
from shared.core.errors import Unavailable
from shared.generators.base import (
    Capabilities,
    ForgottenId,
    GenerationRequest,
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Phase,
    Progress,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.images.png import PNG_SIGNATURE
from shared.jobs.reasons import GENERATOR_FAILED, WORKER_STOPPED, Reason, generator_too_slow
from shared.jobs.states import Event
from shared.polling import steps
from shared.polling.claims import ClaimedJob, ClaimedSource
from shared.polling.outcomes import (
    Cancelled,
    Decision,
    Failed,
    GeneratorHealth,
    Progressed,
    Retried,
    Sent,
    Waits,
)
from shared.polling.steps import HEALTHY, ReadyToFetch, Step

AWAY = GeneratorUnavailable("generator_unreachable", "It is away.")
DOWN = GeneratorUnavailable("generator_down", "It is down.")
BROKEN = GeneratorBroken("generator_bad_json", "It is broken.")
REFUSED = GeneratorRefused("generator_refused", "It refuses.")

CLAIM = ClaimedJob(
    id=UUID(int=1),
    prompt="a lighthouse",
    settings=resolve(JobRequest(prompt="a lighthouse").model_dump(), seed=7),
    cost=1.0,
    generator="http://generator",
    remote_id=None,
    attempts=0,
    crashes=0,
    requeues=0,
    attempt_token=UUID(int=2),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    cancelling=False,
    progress=None,
    crashed=False,
    sent_s=None,
    unreachable_s=None,
    generator_failures=0,
    generator_refusals=0,
    refusals=0,
    refused_s=None,
    preview_s=None,
    sources=(),
)
SENT = replace(CLAIM, remote_id="17", attempts=1, sent_s=1.0)
WITH_SOURCE = replace(CLAIM, sources=(ClaimedSource("uploads/a.png"),))


class Scripted:
    """A generator whose calls return, or raise, what the test sets."""

    def __init__(self, answer: object, *, synchronous: bool = False) -> None:
        self.answer = answer
        self.synchronous = synchronous
        self.waits = False
        self.capabilities = Capabilities()
        self.cancelled: list[str] = []

    def _answer(self) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def start(self, request: GenerationRequest) -> str:
        return cast(str, self._answer())

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop, preview: bool = False) -> Progress:
        return cast(Progress, self._answer())

    def result(
        self, remote_id: str, request: GenerationRequest, stop: Stop = never_stop, room: Room = no_room
    ) -> Result:
        return cast(Result, self._answer())

    def cancel(self, remote_id: str) -> None:
        self.cancelled.append(remote_id)

    def health(self) -> Capabilities:
        if self.answer is AWAY:
            raise AWAY
        return Capabilities()

    def close(self) -> None:
        pass


class NoStorage:
    """A storage that cannot be reached."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def fail(*_: object, **__: object) -> None:
            raise Unavailable("The storage cannot be reached.")

        return fail


def step(claim: ClaimedJob, answer: object, *, synchronous: bool = False, protocol: str = "img_generator") -> Step:
    return Step(claim, Scripted(answer, synchronous=synchronous), protocol, cast(Storage, NoStorage()))


def reason(error: GeneratorError) -> Reason:
    return Reason(error.code, error.message)


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ("17", Decision(Sent("17", 0.3), HEALTHY)),
        (AWAY, Decision(Retried(reason(AWAY), Event.WAITING), GeneratorHealth("It is away."))),
        (DOWN, Decision(Retried(reason(DOWN), attempts=1), GeneratorHealth("It is down."))),
        (BROKEN, Decision(Retried(reason(BROKEN), attempts=1), GeneratorHealth("It is broken."))),
        (REFUSED, Decision(Failed(reason(REFUSED)))),
    ],
)
def test_a_send(answer: object, decision: Decision) -> None:
    assert steps.begin(step(CLAIM, answer)) == decision


BUSY = GeneratorUnavailable("generator_busy", "It is full.")
LATER = GeneratorUnavailable("generator_down", "It is full.", retry_after_s=7)
MOVED = GeneratorUnavailable("generator_redirected", "It has moved.")
WRONG = GeneratorUnavailable("generator_misconfigured", "It is locked.")


LASTING_PAUSES = [5, 15, 45, 135, 300, 300, 300]


@pytest.mark.parametrize(
    ("error", "expected"),
    [(BUSY, [2, 4, 8, 16, 32, 64, 128, 256, 300]), (MOVED, LASTING_PAUSES), (WRONG, LASTING_PAUSES)],
)
def test_a_job_that_a_healthy_generator_refuses_pauses_alone(error: GeneratorUnavailable, expected: list[int]) -> None:
    refused = GeneratorHealth(refusal=error.message)
    pauses = []
    for refusals in range(len(expected)):
        decision = steps.begin(step(replace(CLAIM, refusals=refusals, refused_s=1.0), error))
        assert isinstance(decision, Decision)
        assert isinstance(decision.outcome, Retried)
        assert replace(decision, outcome=replace(decision.outcome, refused_pause_s=None)) == Decision(
            Retried(reason(error), Event.WAITING), refused
        )
        pauses.append(decision.outcome.refused_pause_s)
    assert pauses == expected
    drawn = steps.fetch(step(SENT, error), draws=True)
    assert drawn == Decision(Retried(reason(error), Event.WAITING, -1, refused_pause_s=expected[0]), refused)


def test_refusals_end_with_their_reason() -> None:
    for error, most in ((MOVED, 8), (WRONG, 8), (BUSY, 100)):
        decision = steps.begin(step(replace(CLAIM, refusals=most - 1, refused_s=9.0), error))
        message = f"Given up after {most} refusals. {error.message}"
        assert decision == Decision(Failed(Reason(error.code, message)), GeneratorHealth(refusal=error.message))
    late = steps.begin(step(replace(CLAIM, refusals=20, refused_s=9 * 3600.0), BUSY))
    assert isinstance(late, Decision)
    assert isinstance(late.outcome, Failed)


def test_retry_after_is_followed_within_limits() -> None:
    for asked_s, pause_s in ((7.0, 7.0), (0.0, 2.0), (10**6, 300.0)):
        decision = steps.begin(step(CLAIM, GeneratorUnavailable("generator_busy", "Full.", retry_after_s=asked_s)))
        assert isinstance(decision, Decision)
        assert isinstance(decision.outcome, Retried)
        assert decision.outcome.refused_pause_s == pause_s
    later = Retried(reason(LATER), Event.WAITING, refused_pause_s=7)
    assert steps.begin(step(CLAIM, LATER)) == Decision(later, GeneratorHealth(refusal="It is full."))


def test_status_calls_that_are_refused_for_now_concern_only_their_job() -> None:
    busy = GeneratorUnavailable("generator_busy", "Full.", retry_after_s=20)
    assert steps.begin(step(SENT, busy)) == Decision(Waits(reason(busy), 20, unreachable=True))
    late = steps.begin(step(replace(SENT, unreachable_s=599.0), BUSY))
    assert late == Decision(Waits(reason(BUSY), 1 + 599 / 4, unreachable=True))
    assert steps.begin(step(replace(SENT, unreachable_s=601.0), BUSY)) == Decision(Retried(reason(BUSY)))


def test_sending_to_a_synchronous_generator_makes_no_call() -> None:
    decision = steps.begin(step(CLAIM, "image", synchronous=True, protocol="glide"))
    assert isinstance(decision, Decision)
    assert isinstance(decision.outcome, Sent)
    assert (decision.outcome.next_step_s, decision.health) == (0, None)
    assert decision.outcome.adapted is not None
    assert decision.outcome.adapted.code == "not_followed"


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        (Progress(Phase.FINISHED), ReadyToFetch(draws=False)),
        (Progress(Phase.PROCESSING), Decision(Progressed(0.3, 0.0, started=True), HEALTHY)),
        (Progress(Phase.QUEUED, position=4), Decision(Progressed(2.0), HEALTHY)),
        (Progress(Phase.FAILED), Decision(Retried(GENERATOR_FAILED))),
        (AWAY, Decision(Waits(reason(AWAY), 1, unreachable=True), GeneratorHealth("It is away."))),
        (BROKEN, Decision(Retried(reason(BROKEN)))),
        (ForgottenId(), Decision(Retried(reason(ForgottenId())), HEALTHY)),
    ],
)
def test_a_poll(answer: object, decision: Decision) -> None:
    assert steps.begin(step(SENT, answer)) == decision


def test_the_last_attempt_fails_the_job() -> None:
    decision = steps.begin(step(replace(SENT, attempts=3), BROKEN))
    message = "Given up after 3 attempts. It is broken."
    assert decision == Decision(Failed(Reason("generator_bad_json", message)))
    decision = steps.begin(step(replace(CLAIM, attempts=2), DOWN))
    assert isinstance(decision, Decision)
    assert isinstance(decision.outcome, Failed)
    assert decision.outcome.attempts == 1


def test_a_generator_is_waited_for_only_for_a_limited_time() -> None:
    decision = steps.begin(step(replace(SENT, unreachable_s=31.0), AWAY))
    assert decision == Decision(Retried(reason(AWAY)), GeneratorHealth("It is away."))


@pytest.mark.parametrize(("expected_s", "limit_s"), [(None, 7200), (0.5, 600), (60.0, 1200), (1000.0, 7200)])
def test_an_attempt_that_takes_too_long_is_cancelled(expected_s: float | None, limit_s: float) -> None:
    sent = replace(SENT, expected_s=expected_s)
    slow = step(replace(sent, sent_s=limit_s + 1), Progress(Phase.PROCESSING))
    assert steps.begin(slow) == Decision(Retried(generator_too_slow(limit_s)))
    goes_on = steps.begin(step(replace(sent, sent_s=limit_s - 1), Progress(Phase.PROCESSING)))
    assert isinstance(goes_on, Decision)
    assert isinstance(goes_on.outcome, Progressed)
    assert cast(Scripted, slow.generator).cancelled == ["17"]


def test_a_cancel_reaches_a_generator_that_has_the_job() -> None:
    for claim, cancelled in ((CLAIM, []), (SENT, ["17"])):
        due = step(replace(claim, cancelling=True), AWAY)
        assert (due.name, steps.begin(due)) == ("cancel", Decision(Cancelled()))
        assert cast(Scripted, due.generator).cancelled == cancelled


def test_nothing_is_generated_while_the_storage_is_unavailable() -> None:
    decision = steps.begin(step(SENT, Progress(Phase.READY), synchronous=True))
    waiting = Reason("storage_unavailable", "The storage cannot be reached.")
    assert decision == Decision(Waits(waiting, 2.0, has_objects=True))


def black_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (512, 512)).save(file, "PNG")
    return file.getvalue()


class OtherObjects:
    """A storage that works, but not for the job's own objects."""

    def put(self, key: str, _data: bytes, _content_type: str) -> str:
        if key.startswith("jobs/"):
            raise Unavailable("The storage does not permit this to the access key.")
        return ""

    def get(self, key: str, _max_bytes: int, *, etag: str | None = None) -> bytes:
        if key.startswith("uploads/"):
            raise Unavailable("The storage does not permit this to the access key.")
        return b"1"

    def delete(self, _keys: list[str]) -> None:
        pass


def test_a_storage_is_waited_for_longer_each_time_and_not_for_ever() -> None:
    message = "The storage cannot be reached."

    def after(failing_s: float) -> object:
        due = replace(step(SENT, Progress(Phase.READY), synchronous=True), storage_failing_s=lambda: failing_s)
        decision = steps.begin(due)
        assert isinstance(decision, Decision)
        return decision.outcome

    waiting = Reason("storage_unavailable", message)
    for failing_s, pause_s in ((2.0, 2.5), (100.0, 27.0), (8 * 3600.0, 60.0)):
        assert after(failing_s) == Waits(waiting, pause_s, has_objects=True)
    assert after(8 * 3600.0 + 6) == Failed(Reason("storage_unavailable", f"Given up after 480 minutes. {message}"))


@pytest.mark.parametrize(("claim", "answer"), [(SENT, Result(images=(black_png(),))), (WITH_SOURCE, "17")])
def test_a_job_whose_objects_are_refused_ends_while_others_go_on(claim: ClaimedJob, answer: object) -> None:
    def after(failing_s: float) -> object:
        storage = cast(Storage, OtherObjects())
        due = replace(step(claim, answer), storage=storage, storage_failing_s=lambda: failing_s)
        decision = steps.fetch(due, draws=False) if claim is SENT else steps.begin(due)
        assert isinstance(decision, Decision)
        return decision.outcome

    message = "The storage does not permit this to the access key."
    waits = Waits(Reason("storage_unavailable", message), 60.0, has_objects=claim is SENT)
    assert after(599.0) == waits
    assert after(601.0) == Failed(Reason("storage_unavailable", f"Given up after 10 minutes. {message}"))


@pytest.mark.parametrize(
    ("draws", "answer", "decision"),
    [
        (False, AWAY, Decision(Waits(reason(AWAY), 1, unreachable=True), GeneratorHealth("It is away."))),
        (True, AWAY, Decision(Retried(reason(AWAY), Event.WAITING, -1), GeneratorHealth("It is away."))),
        (True, DOWN, Decision(Retried(reason(DOWN)), GeneratorHealth("It is down."))),
        (True, GeneratorStopped(), Decision(Waits(WORKER_STOPPED, 0))),
        (True, REFUSED, Decision(Failed(reason(REFUSED)))),
        (False, ForgottenId(), Decision(Retried(reason(ForgottenId())), HEALTHY)),
    ],
)
def test_a_fetch_that_fails(draws: bool, answer: object, decision: Decision) -> None:
    assert steps.fetch(step(SENT, answer), draws=draws) == decision


def test_a_damaged_picture_costs_an_attempt_and_no_health() -> None:
    half = PNG_SIGNATURE + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 512, 512, 8, 2, 0, 0, 0, 0)
    decision = steps.fetch(step(SENT, Result(images=(half,))), draws=False)
    message = "The generator's picture cannot be used (picture_broken)."
    assert decision == Decision(Retried(Reason("picture_broken", message)), HEALTHY)


def test_a_picture_of_a_wrong_kind_fails_the_job_at_once() -> None:
    decision = steps.fetch(step(SENT, Result(images=(b"junk",))), draws=False)
    message = "The generator's picture cannot be used (picture_wrong_format)."
    assert decision == Decision(Failed(Reason("picture_wrong_format", message)), HEALTHY)


def test_an_answer_of_a_wrong_form_fails_the_job_at_once() -> None:
    odd = GeneratorBroken("generator_bad_status", "It is odd.", lasting=True)
    sent = steps.begin(step(CLAIM, odd))
    assert sent == Decision(Failed(reason(odd), 1), GeneratorHealth("It is odd."))
    assert steps.begin(step(SENT, odd)) == Decision(Failed(reason(odd)))
    assert steps.fetch(step(SENT, odd), draws=False) == Decision(Failed(reason(odd)))
    assert steps.fetch(step(SENT, odd), draws=True) == Decision(Failed(reason(odd)))


def test_an_unavailable_storage_delays_a_send() -> None:
    decision = steps.begin(step(WITH_SOURCE, "17"))
    waiting = Reason("storage_unavailable", "The storage cannot be reached.")
    assert decision == Decision(Waits(waiting, 2.0))
