"""The Celery side of the poller: a task that wakes the pump. Pump and rounds run in each process of the pool.

A lost, duplicate or late message only changes latency: the pump asks the database what is due, and so do the rounds.
"""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable

from celery import Celery, signals

from shared.clients.broker import WAKE
from shared.core import log
from shared.generators import connect
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator
from shared.metrics.process import MeasureStep, unmeasured
from shared.notify import push_keys
from shared.polling import periodic
from shared.polling.client_pool import ClientPool
from shared.polling.pump import AT_ONCE, STOP_S, Pump
from shared.polling.rounds import Round, Rounds
from shared.polling.sweep import sweep
from shared.polling.worker import Worker
from shared.services import Services

SWEEP_S = 1.0
COLLECT_S = 10.0
REPORT_S = 60.0

_log = logging.getLogger(__name__)


def create_app(
    services: Services,
    measure: MeasureStep = unmeasured,
    at_once: int = AT_ONCE,
    connect: Callable[[GeneratorAddress], Generator] = connect,
    alive: Callable[[], object] | None = None,
) -> Celery:
    """Return the worker's Celery app. `measure` is called after every step, in the process that did it.

    at_once: how many short steps each process of the pool does at once. connect: makes the clients of generators.
    alive: called by each process of the pool about once a second.

    Raises:
        SettingsError: EASEL_GENERATORS cannot be read, or a key that it names is missing.
    """
    worker = Worker(services, ClientPool(services.generators, connect), measure)
    pump = Pump(worker, at_once)
    rounds = Rounds(services.db, list_rounds(worker, pump.wake), worker.stopping, alive)
    app = services.celery
    app.conf.update(worker_consumer="poller.patient_consumer:PatientConsumer")

    @app.task(name=WAKE, shared=False)  # a shared one would also be a task of every other application of the process
    def wake() -> None:
        pump.wake()

    def begin(**_: object) -> None:
        services.db.forget()  # a child must not share its parent's sockets
        pump.wake()
        rounds.start()

    def end(**_: object) -> None:
        until = time.monotonic() + STOP_S
        end_within(STOP_S + 2)
        pump.stop()
        rounds.stop(max(0.0, until - time.monotonic()))
        worker.close()
        services.db.close()

    # With a weak reference the closures would be collected.
    signals.worker_before_create_process.connect(share_memory, weak=False)
    signals.worker_process_init.connect(begin, weak=False)
    signals.worker_process_shutdown.connect(end, weak=False)
    signals.setup_logging.connect(lambda **_: log.configure(services.settings.log_level), weak=False)
    return app


def share_memory(**_: object) -> None:
    """Keep the garbage collector away from what a child shares with this process: it would copy every page of it."""
    gc.collect()
    gc.freeze()


def end_within(seconds: float) -> None:
    """End this process after this time, even if it still waits. Its claims are found like those of a killed process."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def list_rounds(worker: Worker, wake: Callable[[], None]) -> list[Round]:
    """Return all that is done from time to time. wake: called by a sweep that has found something to do."""
    services = worker.services

    def sweep_jobs() -> None:
        if sweep(services, worker.pool):
            wake()

    def collect() -> None:
        push_keys.ensure(services)
        if deleted := periodic.collect(services, worker.stopping.is_set):
            _log.info("deleted %d objects that nobody refers to", deleted)

    senders = periodic.list_senders(services, worker.stopping.is_set)
    return [
        Round("sweep", SWEEP_S, sweep_jobs),
        Round("collection", COLLECT_S, collect),
        Round("report", REPORT_S, lambda: periodic.report(services)),
        *(Round(sender.kind, sender.every_s, sender.send, sender.outboxes) for sender in senders),
    ]
