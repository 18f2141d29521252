"""What the poller does from time to time about no job in particular: collect garbage, report, notify."""

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.core.log import fields as log_fields
from shared.gallery import reports
from shared.generators.base import Stop, never_stop
from shared.metrics import store as metrics_store
from shared.notify import delivery_errors, expiry, outbox, outbox_rows
from shared.notify.outbox_rows import Outbox
from shared.polling import claims, dispatch, garbage, generator_errors, wait_reasons
from shared.polling.patience import patient
from shared.services import Services

_log = logging.getLogger(__name__)


def collect(services: Services, stop: Stop = never_stop) -> int:
    """Delete unreferenced objects, expired rows and closed accounts; return how many objects.

    It lasts for some seconds at most, also while much is due. Mail, webhooks and pushes that failed for a day are
    dropped.
    """
    expiry.give_up_old(services)
    with services.db.statement() as connection:
        wait_reasons.prune(connection)
        metrics_store.compact(connection)
        claims.drop_old_leases(connection)
        delivery_errors.drop_old(connection)
        generator_errors.drop_old(connection)
        reports.drop_old(connection)
        closed = user_store.list_closed(connection)
    accounts.delete_rows(services, closed)
    garbage.retire(services)
    return garbage.empty_garbage(services, stop=stop).objects


def report(services: Services) -> None:
    """Log the state of the queue, from which alarms are made where no metrics are collected.

    The failures are those since the last such line of any process, so that they can be added up.
    """
    with services.db.begin() as connection:
        dispatch.lock_clock(connection)
        found = metrics_store.report(connection)
    _log.info("queue", extra=log_fields(**asdict(found)))


def has_notifications(services: Services) -> bool:
    """Return whether a notification or an export is due; mails count only where the site sends mail."""
    outboxes: list[Outbox] = [
        "webhooks",
        "pushes",
        "exports",
        *(outbox_rows.MAIL_OUTBOXES if services.sends_mail else ()),
    ]
    with services.db.statement() as connection:
        return outbox_rows.are_due(connection, outboxes)


@dataclass
class Sender:
    """Sends notifications of one kind, makes exports, or collects, in one thread of a process at a time.

    send_due: does what is due until it is to stop, and returns how many were accepted. kind: for the log, in plural.
    done: what is done with them, also for the log.
    """

    services: Services
    stopping: threading.Event
    send_due: Callable[[Services, Stop], int] = outbox.send_due
    kind: str = "mails"
    done: str = "sent"
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Send what is due, in a thread."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._send_patiently, name=self.kind, daemon=True)
            self._thread.start()

    def stop(self, patience_s: float) -> None:
        """Wait for the thread, at most so long; what is not sent by then is due again later."""
        if self._thread is not None:
            self._thread.join(patience_s)

    def send(self) -> None:
        """Send what is due, unless another thread does: a hanging receiver must not block more of them."""
        if not self._sending.acquire(blocking=False):
            return
        try:
            if sent := self.send_due(self.services, self.stopping.is_set):
                _log.info("%s %s: %d", self.kind, self.done, sent)
        finally:
            self._sending.release()

    def _send_patiently(self) -> None:
        with patient(f"a round of {self.kind}"):
            self.send()
