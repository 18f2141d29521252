"""The Celery side of the poller: tasks that take at most a job id, and the beat that sweeps each second.

A lost, doubled or late message changes nothing but latency: every task asks the database what is due.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from celery import Celery, signals

from shared import log
from shared.errors import Unavailable
from shared.generators.base import parse_addresses
from shared.polling import Poller
from shared.queue import ADVANCE, COLLECT, LONGEST_COUNTDOWN_S, START, SWEEP
from shared.services import Services
from shared.settings import SettingsError

SWEEP_S = 1.0
COLLECT_S = 10.0

_log = logging.getLogger(__name__)


def create_app(services: Services) -> Celery:
    """The Celery app of worker and beat. Raises SettingsError when EASEL_GENERATORS cannot be read."""
    try:
        addresses = parse_addresses(services.settings.generators)
    except ValueError as error:
        raise SettingsError(f"EASEL_GENERATORS cannot be read: {error}") from None
    app = services.celery
    poller = Poller(services, addresses)
    app.conf.update(
        beat_schedule={
            "sweep": {"task": SWEEP, "schedule": SWEEP_S, "options": {"expires": 5 * SWEEP_S}},
            "collect": {"task": COLLECT, "schedule": COLLECT_S, "options": {"expires": COLLECT_S}},
        },
    )
    _add_tasks(app, poller)
    # Prefork: a child must not share its parent's sockets. The weak reference of a signal would let the closure go.
    signals.worker_process_init.connect(lambda **_: services.db.forget(), weak=False)
    signals.worker_process_shutdown.connect(lambda **_: poller.close(), weak=False)
    signals.setup_logging.connect(lambda **_: log.configure(services.settings.log_level), weak=False)
    return app


def _add_tasks(app: Celery, poller: Poller) -> None:
    def look(job_ids: list[UUID], countdown_s: float = 0) -> None:
        for job_id in job_ids:
            options: dict[str, Any] = {"countdown": min(countdown_s, LONGEST_COUNTDOWN_S)} if countdown_s > 0 else {}
            app.send_task(ADVANCE, [str(job_id)], **options)

    @app.task(name=START)
    def start() -> None:
        with _patient():
            look(poller.start())

    @app.task(name=ADVANCE)
    def advance(job_id: str) -> None:
        with _patient():
            delay_s = poller.advance(UUID(job_id))
            if delay_s is None:
                look(poller.start())
            else:
                look([UUID(job_id)], delay_s)

    @app.task(name=SWEEP)
    def sweep() -> None:
        with _patient():
            look(poller.sweep())

    @app.task(name=COLLECT)
    def collect() -> None:
        with _patient():
            if deleted := poller.collect():
                _log.info("deleted %d objects that nobody refers to", deleted)


@contextmanager
def _patient() -> Iterator[None]:
    """The poller's loop: whatever goes wrong in a task is logged here, and the next sweep finds the job again."""
    try:
        yield
    except Unavailable as error:
        _log.warning("left for the next sweep: %s", error.detail)
    except Exception:
        _log.exception("a task failed; the next sweep finds its job again")
