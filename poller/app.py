"""The Celery side of the poller: tasks that take at most a job id, and the beat that sweeps each second.

A lost, doubled or late message changes nothing but latency: every task asks the database what is due.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from celery import Celery, signals
from sqlalchemy import Row

from shared.clients.broker import ADVANCE, COLLECT, LONGEST_COUNTDOWN_S, MAIL, REPORT, START, SWEEP
from shared.core import log
from shared.core.errors import Unavailable
from shared.metrics.process import MeasureStep, unmeasured
from shared.polling.worker import Poller
from shared.services import Services

SWEEP_S = 1.0
COLLECT_S = 10.0
REPORT_S = 60.0

_log = logging.getLogger(__name__)


def create_app(services: Services, measure: MeasureStep = unmeasured) -> Celery:
    """The Celery app of worker and beat. `measure` is told of every step, in the process that did it. Raises
    SettingsError when EASEL_GENERATORS cannot be read."""
    poller = Poller(services, services.addresses, measure=measure)
    app = services.celery
    app.conf.update(
        beat_schedule={
            "sweep": {"task": SWEEP, "schedule": SWEEP_S, "options": {"expires": 5 * SWEEP_S}},
            "collect": {"task": COLLECT, "schedule": COLLECT_S, "options": {"expires": COLLECT_S}},
            "report": {"task": REPORT, "schedule": REPORT_S, "options": {"expires": REPORT_S}},
        },
    )
    threads = LongSteps(poller)
    _add_tasks(app, poller, threads)
    _add_errands(app, poller)
    # Prefork: a child must not share its parent's sockets. The weak reference of a signal would let the closure go.
    signals.worker_process_init.connect(lambda **_: services.db.forget(), weak=False)
    signals.worker_process_shutdown.connect(lambda **_: threads.stop(), weak=False)
    signals.setup_logging.connect(lambda **_: log.configure(services.settings.log_level), weak=False)
    return app


class LongSteps:
    """Steps that wait for a synchronous generator, each in a thread of its own; and the mail, in one.

    A process of the pool does one task at a time, and a picture may take ten minutes: in the process itself, two such
    pictures would hold up every other job. There are never more threads than these generators have places, since a
    job holds its place for as long as its step waits.
    """

    STOP_S = 20.0

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._threads: set[threading.Thread] = set()

    def run(self, go_on: Callable[[], None]) -> None:
        """Do it apart from the caller, who need not wait."""

        def work() -> None:
            try:
                go_on()
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=work, name="long step", daemon=True)
        self._threads.add(thread)
        thread.start()

    def stop(self) -> None:
        """Have the steps let go of their jobs, wait for that for a while, and close the connections. What is left after
        that loses its lease, and another worker finds it."""
        self._poller.stop()
        end = time.monotonic() + self.STOP_S
        for thread in tuple(self._threads):
            thread.join(max(0.0, end - time.monotonic()))
        self._poller.close()


def _add_tasks(app: Celery, poller: Poller, long_steps: LongSteps) -> None:
    def look(job_ids: list[UUID], countdown_s: float = 0) -> None:
        for job_id in job_ids:
            options: dict[str, Any] = {"countdown": min(countdown_s, LONGEST_COUNTDOWN_S)} if countdown_s > 0 else {}
            app.send_task(ADVANCE, [str(job_id)], **options)

    def go_on(claim: Row[Any]) -> None:
        with _patient():
            delay_s = poller.work(claim)
            if delay_s is None:
                look(poller.start())
            else:
                look([claim.id], delay_s)

    def send_mail() -> None:
        with _patient():
            poller.send_mail()

    @app.task(name=START)
    def start() -> None:
        with _patient():
            look(poller.start())

    @app.task(name=ADVANCE)
    def advance(job_id: str) -> None:
        with _patient():
            claim = poller.claim(UUID(job_id))
            if claim is None:
                look(poller.start())
            elif poller.takes_long(claim):
                long_steps.run(lambda: go_on(claim))
            else:
                go_on(claim)

    @app.task(name=SWEEP)
    def sweep() -> None:
        with _patient():
            look(poller.sweep())
            if poller.has_mail():
                app.send_task(MAIL, expires=5 * SWEEP_S)

    @app.task(name=MAIL)
    def mail() -> None:
        long_steps.run(send_mail)


def _add_errands(app: Celery, poller: Poller) -> None:
    """What has to be done now and then, about no job in particular."""

    @app.task(name=COLLECT)
    def collect() -> None:
        with _patient():
            if deleted := poller.collect():
                _log.info("deleted %d objects that nobody refers to", deleted)

    @app.task(name=REPORT)
    def report() -> None:
        with _patient():
            poller.report()


@contextmanager
def _patient() -> Iterator[None]:
    """The poller's loop: whatever goes wrong in a task is logged here, and the next sweep finds the job again."""
    try:
        yield
    except Unavailable as error:
        _log.warning("left for the next sweep: %s", error.detail)
    except Exception:
        _log.exception("a task failed; the next sweep finds its job again")
