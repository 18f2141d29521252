"""A worker: claim a job, do the step that is due, write what it came to. Free of Celery.

No call waits for a job: each does what is due, writes it, and returns when the next step is.
"""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from shared.core.errors import Unavailable
from shared.core.log import fields as log_fields
from shared.core.log import job_id as log_job_id
from shared.jobs.reasons import GENERATOR_REMOVED
from shared.jobs.store import Lost
from shared.metrics.process import MeasureStep, unmeasured
from shared.polling import claims, lease, outcomes, steps
from shared.polling.claims import ClaimedJob
from shared.polling.client_pool import ClientPool
from shared.polling.outcomes import Decision, Retried
from shared.polling.steps import ReadyToFetch, Step
from shared.services import Services

_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """Does the steps of one process. `stopping` makes steps that wait for a picture end soon."""

    services: Services
    pool: ClientPool
    measure: MeasureStep = unmeasured
    stopping: threading.Event = field(default_factory=threading.Event)

    def claim(self, job_id: UUID) -> ClaimedJob | None:
        """Claim the job if a step is due and no other worker holds it.

        The caller must run `work` on the returned claim immediately.
        """
        with self.services.db.statement() as connection:
            return claims.claim(connection, job_id)

    def takes_long(self, claim: ClaimedJob) -> bool:
        """Return whether the claimed step may last for minutes, because its generator draws while the step waits."""
        if claim.remote_id is None:
            return False  # a send, which is short everywhere
        found = self.pool.find(claim.generator)
        return found is not None and found[0].synchronous

    def work(self, claim: ClaimedJob) -> float | None:
        """Do the claimed step; return the seconds until the next one, None when the job left its generator.

        Threads may work on several claims at once. Raises Unavailable.
        """
        log_job_id.set(str(claim.id))
        try:
            return self._work(claim)
        except Lost:
            return None
        except Unavailable:
            with suppress(Lost, Unavailable):
                outcomes.abandon(self.services.db, claim)
            raise
        finally:
            log_job_id.set(None)

    def _work(self, claim: ClaimedJob) -> float | None:
        db = self.services.db
        if claim.crashed:
            _log.warning("a worker died under this job", extra=log_fields(crashes=claim.crashes))
            if outcomes.write_crash(db, claim):
                return None
        found = self.pool.find(claim.generator)
        if found is None:
            return outcomes.write(db, claim, Decision(Retried(GENERATOR_REMOVED))).next_step_s
        client, address = found
        with lease.kept(db, claim) as unwanted:
            step = Step(
                claim,
                client,
                address.protocol,
                self.services.storage,
                stop=lambda: unwanted.is_set() or self.stopping.is_set(),
            )
            return self._measured(step)

    def _measured(self, step: Step) -> float | None:
        """Run the step; measure it and log it with what it came to."""
        name, outcome, begin = step.name, "error", time.perf_counter()
        try:
            decision = steps.begin(step)
            if isinstance(decision, ReadyToFetch):
                if decision.draws:
                    with self.services.db.statement() as connection:
                        claims.record_processing(connection, step.claim.id, step.claim.attempt_token)
                name = "fetch"
                decision = steps.fetch(step, draws=decision.draws)
            written = outcomes.write(self.services.db, step.claim, decision)
            outcome = written.name
        except Lost:
            outcome = "lost"
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        else:
            return written.next_step_s
        finally:
            seconds = time.perf_counter() - begin
            self.measure(name, outcome, seconds)
            # A job is polled again and again; polls that change nothing are logged only for those who look closely.
            level = logging.DEBUG if (name, outcome) == ("ask", "goes_on") else logging.INFO
            _log.log(level, "step", extra=log_fields(step=name, outcome=outcome, ms=round(seconds * 1000, 1)))
