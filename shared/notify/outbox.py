"""The outbox of mails: sending those that are due.

A mail is sent at least once: after a crash between the server's answer and the commit it is sent a second time, with
the same Message-ID, so that many mailboxes show it once.
"""

import logging
from contextlib import closing
from itertools import cycle

from shared.core import rate_limits
from shared.core.errors import RateLimited
from shared.core.log import job_id as log_job_id
from shared.generators.base import Stop, never_stop
from shared.notify import delivery_errors, mail, mail_pictures
from shared.notify import store as mail_store
from shared.notify.messages import compose
from shared.notify.store import MailClaim
from shared.services import Services

_log = logging.getLogger(__name__)


def send_due(services: Services, stop: Stop = never_stop) -> int:
    """Send every mail that is due, one after the other; return how many were accepted.

    It returns early if `stop()` is true, and if the server accepts no mail at all: the current mail is retried later,
    and the others stay due. It waits for the server, so run it in its own thread.
    """
    sent = 0
    empty = set[str]()
    with closing(mail.connect(services.settings)) as mailer:
        try:
            # From each outbox in turn, so that many mails about jobs do not hold up those about groups.
            for outbox in cycle(mail_store.OUTBOXES):
                if stop() or len(empty) == len(mail_store.OUTBOXES):
                    break
                with services.db.statement() as connection:
                    claim = mail_store.claim(connection, outbox)
                if claim is None:
                    empty.add(outbox)
                    continue
                log_job_id.set(str(claim.id))
                sent += _send(services, mailer, claim)
        except mail.MailServerDown:
            pass  # already logged, and the mail is postponed
        finally:
            log_job_id.set(None)
    return sent


def _send(services: Services, mailer: mail.Mailer, claim: MailClaim) -> bool:
    """Send the claimed mail, then drop or postpone it; return whether it was accepted.

    Raises:
        MailServerDown: The server accepts no mail.
    """
    limit = rate_limits.Limit("mails", services.settings.mails_per_day, rate_limits.DAY_S)
    if claim.jobs and not _may_be_sent(services, limit, claim):
        return False
    accepted = False
    try:
        if claim.jobs:  # those of a group may have been deleted one by one
            mailer.send(compose(claim, services.settings, mail_pictures.read(services, claim)))
            accepted = True
    except mail.MailRefused as error:
        _log.warning("a mail is given up: %s", error)
        with services.db.begin() as connection:
            delivery_errors.record(connection, "mail", error.code, given_up=1)
            if isinstance(error, mail.RecipientRefused):
                mail_store.stop(connection, claim.user_id, "refused")
    except mail.MailDelayed as error:
        _log.warning("a mail waits: %s", error)
        with services.db.begin() as connection:
            mail_store.postpone(connection, claim)
            rate_limits.give_back(connection, limit, claim.email)
            delivery_errors.record(connection, "mail", error.code)
        if isinstance(error, mail.MailServerDown):
            raise
        return False
    with services.db.statement() as connection:
        mail_store.drop(connection, claim)
    return accepted


def _may_be_sent(services: Services, limit: rate_limits.Limit, claim: MailClaim) -> bool:
    """Count a mail to its address; return False and postpone it if there were too many."""
    with services.db.statement() as connection:
        try:
            rate_limits.take(connection, limit, claim.email)
        except RateLimited as reached:
            mail_store.delay(connection, claim, reached.retry_after_s or 1)
            return False
    return True
