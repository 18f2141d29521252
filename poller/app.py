"""The Celery side of the poller: tasks that take at most a job id, and the beat that sweeps each second.

A lost, duplicate or late message only changes latency: every task asks the database what is due.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from celery import Celery, signals

from shared.clients.broker import ADVANCE, COLLECT, LONGEST_COUNTDOWN_S, MAIL, REPORT, START, SWEEP
from shared.core import log
from shared.core.errors import Unavailable
from shared.metrics.process import MeasureStep, unmeasured
from shared.notify import outbox
from shared.polling import dispatch, periodic
from shared.polling.claims import ClaimedJob
from shared.polling.client_pool import ClientPool
from shared.polling.periodic import MailSender
from shared.polling.sweep import sweep
from shared.polling.worker import Worker
from shared.services import Services

SWEEP_S = 1.0
COLLECT_S = 10.0
REPORT_S = 60.0

_log = logging.getLogger(__name__)


def create_app(services: Services, measure: MeasureStep = unmeasured) -> Celery:
    """Return the Celery app of worker and beat. `measure` is called after every step, in the process that did it.

    Raises:
        SettingsError: EASEL_GENERATORS cannot be read.
    """
    pool = ClientPool(services.addresses)
    worker = Worker(services, pool, measure)
    app = services.celery
    app.conf.update(
        beat_schedule={
            "sweep": {"task": SWEEP, "schedule": SWEEP_S, "options": {"expires": 5 * SWEEP_S}},
            "collect": {"task": COLLECT, "schedule": COLLECT_S, "options": {"expires": COLLECT_S}},
            "report": {"task": REPORT, "schedule": REPORT_S, "options": {"expires": REPORT_S}},
        },
    )
    threads = LongSteps(worker)
    _add_job_tasks(app, worker, threads)
    _add_periodic_tasks(app, services, MailSender(services, worker.stopping), threads)
    # Prefork: a child must not share its parent's sockets. With a weak reference the closure would be collected.
    signals.worker_process_init.connect(lambda **_: services.db.forget(), weak=False)
    signals.worker_process_shutdown.connect(lambda **_: threads.stop(), weak=False)
    signals.setup_logging.connect(lambda **_: log.configure(services.settings.log_level), weak=False)
    return app


class LongSteps:
    """Threads for what takes long: steps that wait for a synchronous generator, and the mail.

    A process of the pool does one task at a time, and a picture may take ten minutes: in the process itself, two such
    pictures would block every other job. There are never more threads than these generators have places, because a job
    holds its place for as long as its step waits.
    """

    STOP_S = 20.0

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._threads: set[threading.Thread] = set()

    def run(self, work: Callable[[], None]) -> None:
        """Run it in a thread; the caller does not wait."""

        def run() -> None:
            try:
                work()
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="long step", daemon=True)
        self._threads.add(thread)
        thread.start()

    def stop(self) -> None:
        """Have the steps release their jobs, wait for that up to `STOP_S`, and close every connection.

        A step that is still running then loses its lease, and another worker finds its job.
        """
        self._worker.stopping.set()
        end = time.monotonic() + self.STOP_S
        for thread in tuple(self._threads):
            thread.join(max(0.0, end - time.monotonic()))
        self._worker.pool.close()
        self._worker.services.db.close()


def _request_steps(app: Celery, job_ids: list[UUID], countdown_s: float = 0) -> None:
    countdown = min(countdown_s, LONGEST_COUNTDOWN_S) if countdown_s > 0 else None
    for job_id in job_ids:
        app.send_task(ADVANCE, [str(job_id)], countdown=countdown)


def _add_job_tasks(app: Celery, worker: Worker, long_steps: LongSteps) -> None:
    services, pool = worker.services, worker.pool

    def start_jobs() -> None:
        _request_steps(app, dispatch.start(services, pool.list_names()))

    def work(claim: ClaimedJob) -> None:
        with _patient():
            next_step_s = worker.work(claim)
            if next_step_s is None:
                start_jobs()
            else:
                _request_steps(app, [claim.id], next_step_s)

    @app.task(name=START)
    def start() -> None:
        with _patient():
            start_jobs()

    @app.task(name=ADVANCE)
    def advance(job_id: str) -> None:
        with _patient():
            claim = worker.claim(UUID(job_id))
            if claim is None:
                start_jobs()
            elif worker.takes_long(claim):
                long_steps.run(lambda: work(claim))
            else:
                work(claim)

    @app.task(name=SWEEP)
    def sweep_jobs() -> None:
        with _patient():
            _request_steps(app, sweep(services, pool))
            if outbox.are_due(services):
                app.send_task(MAIL, expires=5 * SWEEP_S)


def _add_periodic_tasks(app: Celery, services: Services, mail: MailSender, long_steps: LongSteps) -> None:
    def send_mail() -> None:
        with _patient():
            mail.send()

    @app.task(name=MAIL)
    def start_mail() -> None:
        long_steps.run(send_mail)

    @app.task(name=COLLECT)
    def collect() -> None:
        with _patient():
            if deleted := periodic.collect(services):
                _log.info("deleted %d objects that nobody refers to", deleted)

    @app.task(name=REPORT)
    def report() -> None:
        with _patient():
            periodic.report(services)


@contextmanager
def _patient() -> Iterator[None]:
    """Log any error of a task; the next sweep finds its job again."""
    try:
        yield
    except Unavailable as error:
        _log.warning("left for the next sweep: %s", error.detail)
    except Exception:
        _log.exception("a task failed; the next sweep finds its job again")
