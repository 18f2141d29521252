"""The outbox of mails: sending those that are due.

A mail is sent at least once: after a crash between the server's answer and the commit it is sent a second time, with
the same Message-ID, so that many mailboxes show it once.
"""

import logging
from contextlib import closing
from email.message import EmailMessage
from itertools import cycle

from shared.accounts import account_mails
from shared.accounts.account_mails import AccountMail
from shared.core import rate_limits
from shared.core.errors import RateLimited
from shared.core.limits import DAY_S
from shared.core.log import job_id as log_job_id
from shared.generators.base import Stop, never_stop
from shared.notify import account_messages, delivery_errors, mail, mail_pictures, outbox_rows
from shared.notify import store as mail_store
from shared.notify.messages import compose
from shared.notify.outbox_rows import MAIL_OUTBOXES, Outbox
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
            for outbox in cycle(MAIL_OUTBOXES):
                if stop() or len(empty) == len(MAIL_OUTBOXES):
                    break
                claim = _claim(services, outbox)
                if claim is None:
                    empty.add(outbox)
                    continue
                log_job_id.set(str(claim.id) if isinstance(claim, MailClaim) else None)
                sent += _send(services, mailer, claim)
        except mail.MailServerDown:
            pass  # already logged, and the mail is postponed
        finally:
            log_job_id.set(None)
    return sent


def _claim(services: Services, outbox: Outbox) -> MailClaim | AccountMail | None:
    with services.db.statement() as connection:
        if outbox == "account_mails":
            return account_mails.claim(connection)
        return mail_store.claim(connection, "group_mails" if outbox == "group_mails" else "mails")


def _send(services: Services, mailer: mail.Mailer, claim: MailClaim | AccountMail) -> bool:
    """Send the claimed mail, then drop or postpone it; return whether it was accepted.

    Raises:
        MailServerDown: The server accepts no mail.
    """
    # Counted apart, so that mail about jobs does not hold up a link for a new password.
    name = "mails" if isinstance(claim, MailClaim) else "account mails"
    limit = rate_limits.Limit(name, services.settings.mails_per_day, DAY_S)
    is_wanted = _is_wanted(services, claim)
    if is_wanted and not _may_be_sent(services, limit, claim):
        return False
    accepted = False
    try:
        message = _compose(services, claim) if is_wanted else None
        if message is not None:
            mailer.send(message)
            accepted = True
    except mail.MailRefused as error:
        _log.warning("a mail is given up: %s", error)
        with services.db.begin() as connection:
            delivery_errors.record(connection, "mail", error.code, given_up=1)
            if isinstance(error, mail.RecipientRefused) and isinstance(claim, MailClaim):
                mail_store.stop(connection, claim.user_id, "refused")
    except mail.MailDelayed as error:
        _log.warning("a mail waits: %s", error)
        with services.db.begin() as connection:
            if isinstance(claim, AccountMail):
                account_mails.withdraw_links(connection, claim)
            mail_store.postpone(connection, claim)
            rate_limits.give_back(connection, limit, claim.email)
            delivery_errors.record(connection, "mail", error.code)
        if isinstance(error, mail.MailServerDown):
            raise
        return False
    with services.db.statement() as connection:
        mail_store.drop(connection, claim)
    return accepted


def _is_wanted(services: Services, claim: MailClaim | AccountMail) -> bool:
    """Return whether there is something to send, to somebody who gets mail."""
    if isinstance(claim, AccountMail):
        return claim.has_recipient
    # The jobs of a group may have been deleted one by one, and the site may confirm addresses only since they began.
    return bool(claim.jobs) and services.may_mail(confirmed=claim.confirmed)


def _may_be_sent(services: Services, limit: rate_limits.Limit, claim: MailClaim | AccountMail) -> bool:
    """Count a mail to its address; return False and postpone it if there were too many."""
    with services.db.statement() as connection:
        try:
            rate_limits.take(connection, limit, claim.email)
        except RateLimited as reached:
            delay_s = reached.retry_after_s or 1
            if isinstance(claim, MailClaim):
                mail_store.delay(connection, claim, delay_s)
            else:
                outbox_rows.postpone(connection, claim.outbox, claim.id, claim.due_at, delay_s)
            return False
    return True


def _compose(services: Services, claim: MailClaim | AccountMail) -> EmailMessage | None:
    """Return the mail, None if its address has as many links as it may have."""
    if isinstance(claim, AccountMail):
        return account_messages.prepare(services, claim)
    return compose(claim, services.settings, mail_pictures.read(services, claim))
