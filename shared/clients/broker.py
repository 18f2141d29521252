"""Wake-ups over the broker. The jobs are in Postgres; a lost, doubled or late wake-up changes nothing but latency."""

import logging
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from celery import Celery
from kombu.exceptions import KombuError

from shared.core.errors import Unavailable
from shared.core.settings import Settings

QUEUE = "easel"
START, ADVANCE, SWEEP, COLLECT, MAIL = "easel.start", "easel.advance", "easel.sweep", "easel.collect", "easel.mail"
REPORT = "easel.report"

LONGEST_COUNTDOWN_S = 60
"""Past the broker's visibility time-out a longer countdown would be delivered again and again (kombu 305)."""

PREFETCH = 8
"""Messages that a worker holds for each of its processes. A look that is not due yet is among them, so that with 1, the
usual advice, a worker soon only waits. A step takes milliseconds, and the sweep finds what a dead worker held."""

_log = logging.getLogger(__name__)


def celery_app(settings: Settings) -> Celery:
    """Return the Celery app of senders and poller: JSON only, no results, nothing kept in the broker."""
    app = Celery("easel", broker=_broker_url(settings.broker_url), set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        worker_prefetch_multiplier=PREFETCH,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(settings.broker_url),
        task_time_limit=300,
        timezone="UTC",
    )
    return app


class WakeUps:
    """Tells the poller that there is something to start.

    A burst is told once: within 20 ms of a wake-up the next one is left out, because the poller starts every job that
    has a place whenever it is woken, and sweeps each second in any case.
    """

    BURST_S = 0.02
    AFTER_FAILURE_S = 5.0

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._told_until = 0.0
        self._broken_until = 0.0

    def wake(self) -> None:
        """Wake the poller. Call it after the commit; it never fails, since the sweep finds the job anyway."""
        now = time.monotonic()
        if now < max(self._told_until, self._broken_until):
            return
        self._told_until = now + self.BURST_S
        self._send(START)

    def look_at(self, job_id: UUID) -> None:
        """Have the poller look at one generating job now. Like `wake`, it never fails."""
        if time.monotonic() >= self._broken_until:
            self._send(ADVANCE, str(job_id))

    def _send(self, task: str, *arguments: str) -> None:
        try:
            self._app.send_task(task, arguments, retry=False, expires=LONGEST_COUNTDOWN_S)
        except _broker_errors(self._app) as error:
            self._broken_until = time.monotonic() + self.AFTER_FAILURE_S
            _log.warning("no wake-up sent, the sweep will find the job: %s", type(error).__name__)

    def check(self) -> None:
        """Ask the broker whether it answers.

        Raises:
            Unavailable: The broker cannot be reached.
        """
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=3)
        except _broker_errors(self._app):
            raise Unavailable("The broker cannot be reached.") from None

    def count_workers(self, patience_s: float) -> int | None:
        """Count the workers that answer a ping through the broker within this time; None where it carries none (SQS).

        Raises:
            Unavailable: The broker cannot be reached.
        """
        if str(self._app.conf.broker_url).startswith("sqs"):
            return None
        try:
            return len(self._app.control.broadcast("ping", reply=True, timeout=patience_s) or ())
        except _broker_errors(self._app):
            raise Unavailable("The broker cannot be reached.") from None


def _broker_errors(app: Celery) -> tuple[type[Exception], ...]:
    """Return the exceptions of a broker's failure. kombu translates lost connections, but not every refusal."""
    if str(app.conf.broker_url).startswith("sqs"):
        from botocore.exceptions import BotoCoreError, ClientError

        return (KombuError, OSError, BotoCoreError, ClientError)
    from redis.exceptions import RedisError

    return (KombuError, OSError, RedisError)


def _broker_url(url: str) -> str:
    # For AWS itself kombu finds the address by the region; an emulator has to be named.
    if url.startswith("sqs://"):
        return "sqs://"
    return f"sqs://{urlsplit(url).netloc}" if url.startswith("sqs+http://") else url


def _transport_options(url: str) -> dict[str, Any]:
    if not url.startswith("sqs"):
        return {
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "retry_on_timeout": True,
            "visibility_timeout": 3600,
            "max_retries": 0,  # a sender does not wait for a broker that is down; kombu would, for 6 s
        }
    # sqs://sqs.eu-central-1.amazonaws.com/123456789012/easel, or sqs+http:// for an emulator
    parts = urlsplit(url)
    host = parts.hostname or ""
    region = host.split(".")[1] if host.endswith("amazonaws.com") else "us-east-1"
    secure = parts.scheme == "sqs"
    queue_url = f"{'https' if secure else 'http'}://{parts.netloc}{parts.path}"
    return {
        "region": region,
        "is_secure": secure,
        "predefined_queues": {QUEUE: {"url": queue_url}},
        "wait_time_seconds": 5,
        # A sender does not wait long for a broker that is down; boto3 would, for minutes. A worker's look waits 5 s.
        "client-config": {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 3}},
    }
