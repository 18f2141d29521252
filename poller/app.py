"""The Celery side of the poller: tasks without arguments that wake the pump, and the beat that sweeps each second.

A lost, duplicate or late message only changes latency: the pump asks the database what is due.
"""

import threading
from collections.abc import Callable, Sequence

from celery import Celery, signals

from shared.clients.broker import COLLECT, MAIL, MAIL_EVENTS, REPORT, SWEEP, WAKE
from shared.core import log
from shared.exports import making
from shared.generators import connect
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator
from shared.metrics.process import MeasureStep, unmeasured
from shared.notify import bounces, push_keys, pushes, webhooks
from shared.polling import periodic
from shared.polling.client_pool import ClientPool
from shared.polling.patience import patient
from shared.polling.periodic import Sender
from shared.polling.pump import AT_ONCE, STOP_S, Pump
from shared.polling.sweep import sweep
from shared.polling.worker import Worker
from shared.services import Services

SWEEP_S = 1.0
COLLECT_S = 10.0
REPORT_S = 60.0
MAIL_EVENTS_S = 60.0

_MAIL_EVENTS_SCHEDULE = {
    "mail events": {"task": MAIL_EVENTS, "schedule": MAIL_EVENTS_S, "options": {"expires": MAIL_EVENTS_S}}
}


def create_app(
    services: Services,
    measure: MeasureStep = unmeasured,
    at_once: int = AT_ONCE,
    connect: Callable[[GeneratorAddress], Generator] = connect,
) -> Celery:
    """Return the Celery app of worker and beat. `measure` is called after every step, in the process that did it.

    at_once: how many short steps each process of the pool does at once. connect: makes the clients of generators.

    Raises:
        SettingsError: EASEL_GENERATORS cannot be read, or a key that it names is missing.
    """
    worker = Worker(services, ClientPool(services.generators, connect), measure)
    pump, senders = Pump(worker, at_once), _senders(services, worker.stopping)
    stops = Sender(services, worker.stopping, bounces.take, "addresses", "stopped")
    app = services.celery
    app.conf.update(
        worker_consumer="poller.patient_consumer:PatientConsumer",
        beat_schedule={
            "sweep": {"task": SWEEP, "schedule": SWEEP_S, "options": {"expires": 5 * SWEEP_S}},
            "collect": {"task": COLLECT, "schedule": COLLECT_S, "options": {"expires": COLLECT_S}},
            "report": {"task": REPORT, "schedule": REPORT_S, "options": {"expires": REPORT_S}},
            **(_MAIL_EVENTS_SCHEDULE if services.settings.mail_events_url else {}),
        },
    )
    collector = Sender(services, worker.stopping, periodic.collect, "unused objects", "deleted")
    _add_tasks(app, worker, pump, senders, collector)

    @app.task(name=MAIL_EVENTS, shared=False)
    def take_mail_events() -> None:
        stops.start()

    def begin(**_: object) -> None:
        services.db.forget()  # a child must not share its parent's sockets
        pump.wake()

    def end(**_: object) -> None:
        pump.stop()
        for sender in (*senders, stops, collector):
            sender.stop(STOP_S)
        worker.close()
        services.db.close()

    # With a weak reference the closures would be collected.
    signals.worker_process_init.connect(begin, weak=False)
    signals.worker_process_shutdown.connect(end, weak=False)
    signals.setup_logging.connect(lambda **_: log.configure(services.settings.log_level), weak=False)
    return app


def _senders(services: Services, stopping: threading.Event) -> tuple[Sender, ...]:
    return (
        Sender(services, stopping),
        Sender(services, stopping, webhooks.send_due, "webhooks"),
        Sender(services, stopping, pushes.send_due, "pushes"),
        Sender(services, stopping, making.make_due, "files of exports", "made"),
    )


def _add_tasks(app: Celery, worker: Worker, pump: Pump, senders: Sequence[Sender], collector: Sender) -> None:
    services = worker.services

    # Shared tasks, Celery's default, would also be those of every other application of the process.
    @app.task(name=WAKE, shared=False)
    def wake() -> None:
        pump.wake()

    @app.task(name=SWEEP, shared=False)
    def sweep_jobs() -> None:
        with patient("a sweep"):
            if sweep(services, worker.pool):
                pump.wake()
            if periodic.has_notifications(services):
                app.send_task(MAIL, expires=5 * SWEEP_S)

    @app.task(name=MAIL, shared=False)
    def notify() -> None:
        for sender in senders:
            sender.start()

    @app.task(name=COLLECT, shared=False)
    def collect() -> None:
        with patient("a collection"):
            push_keys.ensure(services)
        collector.start()

    @app.task(name=REPORT, shared=False)
    def report() -> None:
        with patient("a report"):
            periodic.report(services)
