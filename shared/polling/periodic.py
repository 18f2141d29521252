"""What the poller does from time to time about no job in particular: collect garbage, report, notify."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass

from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.core.log import fields as log_fields
from shared.exports import making
from shared.gallery import reports
from shared.generators.base import Stop, never_stop
from shared.metrics import store as metrics_store
from shared.notify import bounces, delivery_errors, expiry, outbox, outbox_rows, pushes, webhooks
from shared.notify.outbox_rows import Outbox
from shared.polling import dispatch, garbage, generator_errors, lease_store, wait_reasons
from shared.services import Services

SEND_S = 1.0
MAIL_EVENTS_S = 60.0

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
        lease_store.drop_old_leases(connection)
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


@dataclass(frozen=True)
class Sender:
    """Sends notifications of one kind, or makes exports.

    send_due: sends what is due until it is to stop, and returns how many were accepted. kind: for the log, in plural.
    done: what is done with them, also for the log. outboxes: if there are any, it is called while one has a row due.
    """

    services: Services
    stop: Stop
    send_due: Callable[[Services, Stop], int]
    kind: str
    done: str = "sent"
    outboxes: tuple[Outbox, ...] = ()
    every_s: float = SEND_S

    def send(self) -> None:
        """Send what is due."""
        if sent := self.send_due(self.services, self.stop):
            _log.info("%s %s: %d", self.kind, self.done, sent)


def list_senders(services: Services, stop: Stop) -> list[Sender]:
    """Return what sends notifications and makes exports on this site."""
    senders = [
        Sender(services, stop, webhooks.send_due, "webhooks", outboxes=("webhooks",)),
        Sender(services, stop, pushes.send_due, "pushes", outboxes=("pushes",)),
        Sender(services, stop, making.make_due, "files of exports", "made", ("exports",)),
    ]
    if services.sends_mail:
        senders.append(Sender(services, stop, outbox.send_due, "mails", outboxes=outbox_rows.MAIL_OUTBOXES))
    if services.settings.mail_events_url:
        senders.append(Sender(services, stop, bounces.take, "addresses", "stopped", every_s=MAIL_EVENTS_S))
    return senders
