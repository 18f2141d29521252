"""Wake-ups over the broker. The jobs are in Postgres; a lost, duplicate or late wake-up only affects latency."""

import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from celery import Celery
from kombu.exceptions import KombuError
from kombu.transport import TRANSPORT_ALIASES

from shared.core.errors import Unavailable
from shared.core.settings import Settings, SettingsError

if TYPE_CHECKING:
    import shared.clients.redis_transport  # noqa: F401 # loaded by its name; so the bundle has it

QUEUE = "easel"
WAKE = "easel.wake"

CHECK_S = 3.0
CHECK_KEY, CHECK_KEPT_S = f"{QUEUE}.health", 60
"""What a check writes, and for how long the broker keeps it."""

PREFETCH = 8
"""Messages that a worker prefetches for each of its processes. A task takes milliseconds."""

_log = logging.getLogger(__name__)


def celery_app(settings: Settings) -> Celery:
    """Return the Celery app of the senders and the poller: JSON only, no results, no state kept in the broker."""
    # By name, so that functions on SQS load no Redis. An address with a scheme leaves no other way to choose the class.
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "shared.clients.redis_transport:Transport"))
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
        broker_channel_error_retry=True,  # such as of a Redis that has become a replica, or whose disk is full
        broker_transport_options=_transport_options(settings.broker_url),
        task_time_limit=60,  # billiard keeps a few hundred bytes of each task for so long
        timezone="UTC",
    )
    return app


class WakeUps:
    """Notifies the poller that a job can be started, or that a running one is to be looked at now.

    It never fails, since the sweep finds the job in any case.
    """

    PAUSE_S = 0.02
    """Between two wake-ups that `soon` sends: the poller does everything that is due whenever it is woken."""

    AFTER_FAILURE_S = 5.0

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._broken_until = 0.0
        self._changed = threading.Condition()
        self._wanted = self._sending = False
        self._sender: threading.Thread | None = None

    def wake(self) -> None:
        """Wake the poller now. Call it after the commit."""
        if time.monotonic() >= self._broken_until:
            self._send()

    def soon(self) -> None:
        """Wake the poller in a moment, without waiting for the broker. Call it after the commit.

        A thread sends one wake-up for all calls since it began to send the last one. So each call is followed by a
        wake-up, and none is lost in a burst. A process that ends or is frozen calls `flush` before.
        """
        with self._changed:
            self._wanted = True
            if self._sender is None or not self._sender.is_alive():
                self._sender = threading.Thread(target=self._send_wanted, name="wake-ups", daemon=True)
                self._sender.start()
            self._changed.notify_all()

    def flush(self, limit_s: float) -> None:
        """Wait until all wake-ups of `soon` have been sent, but no longer than this."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._wanted or self._sending), limit_s)

    def _send_wanted(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
                self._wanted, self._sending = False, True
            try:
                self.wake()
            finally:
                with self._changed:
                    self._sending = False
                    self._changed.notify_all()
            time.sleep(self.PAUSE_S)

    def _send(self) -> None:
        try:
            self._app.send_task(WAKE, retry=False)
        except _broker_errors(self._app) as error:
            self._broken_until = time.monotonic() + self.AFTER_FAILURE_S
            _log.warning("no wake-up sent, the sweep will find the job: %s", type(error).__name__)

    def check(self) -> None:
        """Check that the broker accepts writes. Whether SQS does shows only in what the poller does.

        Raises:
            Unavailable: It does not; `detail` has the reason.
        """
        options = {} if self._is_sqs else {"socket_timeout": CHECK_S, "retry_on_timeout": False}
        try:
            with self._app.connection_for_write(transport_options=options) as connection:
                channel = connection.default_channel
                if not self._is_sqs:
                    channel.client.set(CHECK_KEY, 1, ex=CHECK_KEPT_S)  # type: ignore[attr-defined] # redis.Redis
        except _broker_errors(self._app) as error:
            raise Unavailable(f"The broker {reason(error)}.") from None

    def count_workers(self, patience_s: float) -> int | None:
        """Return how many workers answer a ping through the broker within this time; None if it cannot carry one (SQS).

        Raises:
            Unavailable: The broker cannot be reached.
        """
        if self._is_sqs:
            return None
        try:
            return len(self._app.control.broadcast("ping", reply=True, timeout=patience_s) or ())
        except _broker_errors(self._app) as error:
            raise Unavailable(f"The broker {reason(error)}.") from None

    def server_version(self) -> tuple[int, ...] | None:
        """Return the version of the Redis server, such as (7, 2, 4); None if it is none or does not say.

        Raises:
            Unavailable: The broker cannot be reached.
        """
        if self._is_sqs:
            return None
        try:
            with self._app.connection_for_write() as connection:
                server = connection.default_channel.client.info("server")  # type: ignore[attr-defined] # redis.Redis
        except _broker_errors(self._app) as error:
            raise Unavailable(f"The broker {reason(error)}.") from None
        found = re.match(r"\d+(\.\d+)+", str(server.get("redis_version", "")))
        return tuple(map(int, found[0].split("."))) if found else None

    @property
    def _is_sqs(self) -> bool:
        return str(self._app.conf.broker_url).startswith("sqs")


def check_mode(app: Celery) -> None:
    """Check that the broker is no Redis cluster, in which the keys of one message may be at different servers.

    A broker that cannot be asked passes: it may be starting.

    Raises:
        SettingsError: It is one.
    """
    if str(app.conf.broker_url).startswith("sqs"):
        return
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
            mode = connection.default_channel.client.info("cluster")  # type: ignore[attr-defined] # redis.Redis
    except _broker_errors(app):
        return
    if mode.get("cluster_enabled"):
        raise SettingsError(
            "EASEL_BROKER_URL names a Redis in cluster mode, over which Celery cannot carry messages. Use one with"
            " cluster mode disabled; replicas for a failover are fine."
        )


def _broker_errors(app: Celery) -> tuple[type[Exception], ...]:
    """Return the exceptions of a broken broker. kombu translates lost connections, but not every refusal."""
    if str(app.conf.broker_url).startswith("sqs"):
        from botocore.exceptions import BotoCoreError, ClientError

        return (KombuError, OSError, BotoCoreError, ClientError)
    from redis.exceptions import RedisError

    return (KombuError, OSError, RedisError)


_REASONS = (
    ("AuthenticationError", "refuses the user or its password"),
    ("AuthenticationWrongNumberOfArgsError", "refuses the user or its password"),
    ("NoPermissionError", "does not permit this user to send messages"),
    ("DB index is out of range", "has no database of this number"),
    ("MovedError", "is a cluster, over which no messages can be carried"),
    ("ClusterCrossSlotError", "is a cluster, over which no messages can be carried"),
    ("ClusterDownError", "is a cluster, over which no messages can be carried"),
    ("SSLError", "cannot be reached over an encrypted connection; see rediss:// and the certificates"),
    ("SSLCertVerificationError", "has a certificate that is not trusted"),
    ("OutOfMemoryError", "is full (maxmemory) and accepts no messages"),
    ("ReadOnlyError", "accepts no messages: it is a replica"),
    ("BusyLoadingError", "is still loading its data"),
    ("MasterDownError", "is a replica whose primary is down"),
    ("MISCONF", "accepts no messages: it cannot write its data to disk"),
    ("gaierror", "has a host name that is unknown"),
    ("NOREPLICAS", "accepts no messages: it lacks the replicas that it is set to have"),
)
"""For a class of redis-py's errors, or a code in an error's text, what is wrong with the broker."""


def reason(error: BaseException) -> str:
    """Complete the sentence "The broker ..." without the error's text, which may repeat an address."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    for cause in causes:
        for sign, reason in _REASONS:
            if type(cause).__name__ == sign or sign in str(cause):
                return reason
    return "cannot be reached"


def _broker_url(url: str) -> str:
    # kombu derives AWS's address from the region; an emulator's has to be given.
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
    secure = parts.scheme == "sqs"
    queue_url = f"{'https' if secure else 'http'}://{parts.netloc}{parts.path}"
    return {
        "region": region_of(parts.hostname or ""),
        "is_secure": secure,
        "predefined_queues": {QUEUE: {"url": queue_url}},
        "wait_time_seconds": 5,
        # A sender must not wait for minutes, as boto3 would, for a broker that is down. A worker's long poll takes 5 s.
        "client-config": {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 3}},
    }


def region_of(host: str) -> str:
    """Return the region that the host of an SQS address names; the old form, queue.amazonaws.com, names none."""
    named = re.search(r"(?:^|\.)([a-z]{2,}(?:-[a-z]+)+-[0-9])\.", host)
    return named[1] if named else "us-east-1"
