"""A worker: claim jobs, do the steps that are due, write what they came to. Free of Celery.

No step waits for another: each does what is due, and its outcome says when the next one is.
"""

import logging
import threading
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from shared.core.errors import Unavailable
from shared.core.log import fields as log_fields
from shared.core.log import job_id as log_job_id
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator
from shared.generators.several import Several
from shared.jobs.reasons import GENERATOR_REMOVED
from shared.jobs.store import Lost
from shared.metrics.process import MeasureStep, unmeasured
from shared.polling import claims, outcomes, steps, storage_failures, unsettled
from shared.polling.checking import make_checker
from shared.polling.claims import ClaimedJob
from shared.polling.client_pool import ClientPool
from shared.polling.kept_results import KeptResults
from shared.polling.lease import Lease, Leases
from shared.polling.memory import Memory
from shared.polling.outcomes import Decision, Retried, Written
from shared.polling.pace import Pace
from shared.polling.slow_pictures import SlowPictures
from shared.polling.steps import Step
from shared.services import Services

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A claimed job with its lease and its generator, which is None when it is no longer configured.

    `is_slow`: its generator's calls have taken long lately.
    """

    lease: Lease
    found: tuple[Generator, GeneratorAddress] | None
    is_slow: bool = False

    @property
    def claim(self) -> ClaimedJob:
        """Return the claim."""
        return self.lease.claim

    @property
    def waits(self) -> bool:
        """Return whether the step's call waits for the generator's work."""
        sent = self.claim.remote_id is not None
        return sent and self.found is not None and (self.found[0].synchronous or self.found[0].waits)

    @property
    def takes_long(self) -> bool:
        """Return whether the step may last for long."""
        return self.is_slow or self.waits


@dataclass(frozen=True, slots=True)
class Done:
    """A step whose outcome is to be written: its name, when it began (`perf_counter`), its decision or its error.

    A decision of None is already written.
    """

    taken: Taken
    name: str
    began: float
    decision: Decision | Exception | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A step with what came of writing it; None where it failed a job that had killed too many workers."""

    done: Done
    result: outcomes.Result | Exception | None

    @property
    def kept(self) -> Taken | None:
        """Return what to do next under the same claim, None if the claim has ended."""
        if not isinstance(self.result, Written) or self.result.kept is None:
            return None
        taken = self.done.taken
        return replace(taken, lease=replace(taken.lease, claim=self.result.kept))

    @property
    def requeued(self) -> bool:
        """Return whether the job is back in the queue."""
        return isinstance(self.result, Written) and self.result.name == "requeued"

    @property
    def next_step_s(self) -> float | None:
        """Return the seconds until the job's next step, None when it left its generator or the claim is gone."""
        return self.result.next_step_s if isinstance(self.result, Written) else None


@dataclass
class Worker:
    """Does the steps of one process. `stopping` makes steps that wait for a picture end soon."""

    services: Services
    pool: ClientPool
    measure: MeasureStep = unmeasured
    stopping: threading.Event = field(default_factory=threading.Event)
    memory: Memory = field(default_factory=Memory)
    kept: KeptResults = field(default_factory=KeptResults)
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        """Prepare the renewal of leases, which begins with the first claim."""
        self._leases = Leases(self.services.db)
        self._unanswered: list[UUID] = []
        self.slow_pictures = SlowPictures(self.services)
        self.checker = make_checker(self.services.settings)

    def claim(self, job_id: UUID) -> Taken | None:
        """Claim this job if its next step is due and no other worker holds it.

        The caller must `do` what it was given, and `write` it.
        """
        with self._claiming(1) as (connection, tokens):
            claim = claims.claim(connection, job_id, *tokens)
        return self._take(claim) if claim else None

    def claim_due(self, limit: int, floor: datetime | None = None, without: Sequence[str] = ()) -> list[Taken]:
        """Claim up to `limit` jobs whose next step is due since `floor`, like `claim`.

        Those at the generators `without` are left to other processes.
        """
        with self._claiming(limit) as (connection, tokens):
            due = claims.claim_due(connection, tokens, floor, without)
        return [self._take(claim) for claim in due]

    @contextmanager
    def _claiming(self, limit: int) -> Iterator[tuple[Connection, list[UUID]]]:
        """Open a connection for so many new claims, with their tokens; end claims whose answer was lost before.

        Without that their leases would run out, and this worker would be taken for dead. Only one thread claims, the
        pump's.
        """
        if self._unanswered:
            unsettled.give_back(self.services.db, self._unanswered)
        with self.services.db.statement() as connection:
            self._unanswered = claims.new_tokens(limit)
            yield connection, self._unanswered
        self._unanswered = []

    def do(self, taken: Taken) -> Done:
        """Do the step that is due, without writing its outcome. Threads may work on several steps at once."""
        began, name, decision = time.perf_counter(), "send", None
        with _named(taken.claim):
            try:
                if not self._gives_up(taken.claim):
                    name, decision = self._decide(taken)
            except Exception as error:  # `write` reports it
                return Done(taken, name, began, error)
        return Done(taken, name, began, decision)

    def write(self, steps_done: Sequence[Done], *, keep: bool = False) -> list[Ended]:
        """Write the outcomes of steps, all in one batch, and end their claims.

        With `keep` a claim goes on where the next step is due as soon as the job is sent; the caller must `do` it.
        """
        ended: list[Ended] = []
        try:
            ended = self._write(steps_done, keep=keep)
        finally:
            kept = {end.done.taken.claim.attempt_token for end in ended if end.kept}
            for done in steps_done:
                if done.taken.claim.attempt_token not in kept:
                    self._leases.drop(done.taken.claim)
        self._leases.settle([end.done.taken.claim for end in ended if isinstance(end.result, Unavailable | Lost)])
        return ended

    def _write(self, steps_done: Sequence[Done], *, keep: bool) -> list[Ended]:
        decided = [(done.taken.claim, done.decision) for done in steps_done if isinstance(done.decision, Decision)]
        written = iter(outcomes.write(self.services.db, decided, keep=keep) if decided else ())
        ended = [
            Ended(done, next(written) if isinstance(done.decision, Decision) else done.decision) for done in steps_done
        ]
        for end in ended:
            if end.next_step_s is None:
                self.kept.drop(end.done.taken.claim.id)
            if end.result is not None:
                self._report(end)
        return ended

    def settle_all_but(self, attempt_tokens: Container[UUID]) -> None:
        """End the claims without these tokens. An error has left them without a step, so nothing else ends them."""
        self._leases.settle_all_but(attempt_tokens)

    def work(self, taken: Taken) -> float | None:
        """Do one step and write it; return the seconds until the next one, None when the job left its generator.

        Raises Unavailable, and what else prevented the step.
        """
        [ended] = self.write([self.do(taken)])
        if isinstance(ended.result, Exception) and not isinstance(ended.result, Lost):
            raise ended.result
        return ended.next_step_s

    def close(self) -> None:
        """Close the generators' connections, and end the process that checks pictures."""
        self.pool.close()
        if self.checker:
            self.checker.close()

    def _take(self, claim: ClaimedJob) -> Taken:
        is_slow = self.pool.latency.is_slow(claim.generator)
        return Taken(self._leases.keep(claim), self.pool.find(claim.generator), is_slow)

    def _gives_up(self, claim: ClaimedJob) -> bool:
        """Write it down if a worker died under the job; return whether that was once too often."""
        if not claim.crashed:
            return False
        _log.warning("a worker died under this job", extra=log_fields(crashes=claim.crashes))
        return outcomes.write_crash(self.services.db, claim)

    def _decide(self, taken: Taken) -> tuple[str, Decision]:
        """Do the step; return its name and what it came to."""
        claim = taken.claim
        if taken.found is None:
            return "send", Decision(Retried(GENERATOR_REMOVED))
        client, address = taken.found
        step = Step(
            claim,
            Several(client),
            address.protocol,
            self.services.storage,
            stop=lambda: taken.lease.unwanted.is_set() or self.stopping.is_set(),
            unwanted=taken.lease.unwanted.is_set,
            memory=self.memory,
            kept=self.kept,
            usual_s=None if claim.is_training else self.pace.usual_s(claim.generator, claim.cost),
            storage_failing_s=lambda: self._storage_failing_s(claim.id),
            slow_pictures=self.slow_pictures,
            max_adapter_bytes=self.services.settings.max_adapter_mb * 1_000_000,
            longest_job_s=self.services.settings.longest_job_s,
            likeness_days=self.services.settings.likeness_days,
            checker=self.checker,
        )
        began = time.monotonic()
        decision = steps.begin(step)
        if not taken.waits and not claim.sources:
            self.pool.latency.record(claim.generator, time.monotonic() - began)
        if isinstance(decision, Decision):
            return step.name, decision
        if decision.draws:
            with self.services.db.statement() as connection:
                claims.record_processing(connection, claim.id, claim.attempt_token)
        elif claim.sent_s is not None and not client.waits and not claim.is_training:
            self.pace.record(claim.generator, claim.cost, claim.sent_s)
        return "fetch", steps.fetch(step, draws=decision.draws)

    def _storage_failing_s(self, job_id: UUID) -> float | None:
        with self.services.db.statement() as connection:
            return storage_failures.failing_s(connection, job_id)

    def _report(self, ended: Ended) -> None:
        """Measure the step, and log it with what it came to."""
        done, result = ended.done, ended.result
        outcome = _OUTCOMES.get(type(result), "error") if not isinstance(result, Written) else result.name
        seconds = time.perf_counter() - done.began
        self.measure(done.name, outcome, seconds)
        # A job is polled again and again; polls that change nothing are logged only for those who look closely.
        level = logging.DEBUG if (done.name, outcome) == ("ask", "goes_on") else logging.INFO
        with _named(done.taken.claim):
            line = log_fields(step=done.name, outcome=outcome, ms=round(seconds * 1000, 1))
            error = result if outcome == "error" and isinstance(result, Exception) else None
            _log.log(level, "step", extra=line, exc_info=error)


_OUTCOMES: dict[type, str] = {Lost: "lost", Unavailable: "unavailable"}


@contextmanager
def _named(claim: ClaimedJob) -> Iterator[None]:
    """Name the job in the log lines of the block."""
    token = log_job_id.set(str(claim.id))
    try:
        yield
    finally:
        log_job_id.reset(token)
