"""The mail at the end of a job: its text, and sending the mails that are due.

A mail is sent at least once: after a crash between the server's answer and the commit it is sent a second time, with
the same Message-ID, so that many mailboxes show it once.
"""

import logging
from contextlib import closing
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr

from email_validator import EmailNotValidError, validate_email

from shared.core.log import job_id as log_job_id
from shared.core.settings import Settings
from shared.generators.base import Stop, never_stop
from shared.jobs.states import State
from shared.notify import mail
from shared.notify import store as mail_store
from shared.notify.store import MailClaim
from shared.services import Services

GIVEN_UP_AT_ONCE = 500
_MAX_SUBJECT_CHARACTERS, _MAX_BODY_CHARACTERS = 60, 300

_log = logging.getLogger(__name__)


def are_due(services: Services) -> bool:
    """Return whether `send_due` has something to send; always False if the site sends no mail."""
    if not services.sends_mail:
        return False
    with services.db.statement() as connection:
        return mail_store.is_any_due(connection)


def send_due(services: Services, stop: Stop = never_stop) -> int:
    """Send every mail that is due, one after the other; return how many were accepted.

    It returns early if `stop()` is true, and if the server accepts no mail at all: the current mail is retried later,
    and the others stay due. It waits for the server, so run it in its own thread.
    """
    sent = 0
    with closing(mail.connect(services.settings)) as mailer:
        try:
            while not stop():
                with services.db.statement() as connection:
                    claim = mail_store.claim(connection)
                if claim is None:
                    break
                log_job_id.set(str(claim.job_id))
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
    accepted = False
    try:
        mailer.send(compose(claim, services.settings))
        accepted = True
    except mail.MailRefused as error:
        _log.warning("a mail is given up: %s", error)
    except mail.MailDelayed as error:
        _log.warning("a mail waits: %s", error)
        with services.db.statement() as connection:
            mail_store.postpone(connection, claim.job_id, claim.attempts)
        if isinstance(error, mail.MailServerDown):
            raise
        return False
    with services.db.statement() as connection:
        mail_store.drop(connection, claim.job_id, claim.attempts)
    return accepted


def give_up_old(services: Services) -> None:
    """Drop mails that could not be sent for a day, at most GIVEN_UP_AT_ONCE, and log their jobs."""
    with services.db.statement() as connection:
        for job_id in mail_store.drop_old(connection, GIVEN_UP_AT_ONCE):
            _log.warning("a mail is given up after a day: that of job %s", job_id)


def compose(claim: MailClaim, settings: Settings) -> EmailMessage:
    """Return the mail about a finished job. The same end of a job always gives the same mail.

    The email package encodes the headers; the prompt and the address are put on one line before.

    Raises:
        MailRefused: Nothing can be sent to the account's address.
    """
    title, sender = parseaddr(settings.mail_from)
    prompt = _one_line(claim.prompt)
    outcome, parts = _outcome(claim)
    message = EmailMessage()
    message["From"] = Address(title, addr_spec=sender)
    message["To"] = _address(claim.email)
    # The email package would decode encoded words in a prompt, including line ends (CVE-2024-6923).
    subject = _shorten(prompt, _MAX_SUBJECT_CHARACTERS).replace("=?", "= ?")
    message["Subject"] = f"{outcome}: {subject}" if subject else outcome
    message["Date"] = claim.finished_at
    # A job that was requeued ends again, and that is another mail.
    mail_id = f"{claim.job_id}.{claim.requeues}" if claim.requeues else str(claim.job_id)
    message["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if prompt:
        parts.append(f"    {_shorten(prompt, _MAX_BODY_CHARACTERS)}")
    parts.append(f"The job, with its recipe and its timeline:\n{settings.public_url}/pictures/{claim.job_id}")
    if claim.image_ids:
        links = [f"{settings.public_url}/i/{image_id}" for image_id in claim.image_ids]
        parts.append("\n".join(["Links that never expire:", *links]))
    parts.append(f"You asked Easel for this mail. Your account at {settings.public_url} turns it off.")
    message.set_content("\n\n".join(parts) + "\n")
    return message


def compose_test(email: str, settings: Settings) -> EmailMessage:
    """Return a mail with which an operator checks that mail arrives.

    Raises:
        MailRefused: Nothing can be sent to this address.
    """
    title, sender = parseaddr(settings.mail_from)
    message = EmailMessage()
    message["From"] = Address(title, addr_spec=sender)
    message["To"] = _address(email)
    message["Subject"] = "Easel can send mail"
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"This is a test mail. An operator of {settings.public_url} sent it.\n")
    return message


def _outcome(claim: MailClaim) -> tuple[str, list[str]]:
    """Return how the job ended, for the subject, and the first parts of the text."""
    count = len(claim.image_ids) or claim.n
    pictures = "Your picture" if count == 1 else f"Your {count} pictures"
    if claim.state == State.SUCCEEDED.value:
        outcome = f"{pictures} {'is' if count == 1 else 'are'} ready"
        return outcome, [f"{outcome}."]
    outcome = f"{pictures} could not be made"
    reason = _one_line(claim.error_message or "")
    return outcome, [f"{outcome}. {reason}", "The job does not count against today's quota."]


def _address(email: str) -> Address:
    """Parse an address, its domain in ASCII; the part before the @ may have other characters."""
    try:
        valid = validate_email(email, check_deliverability=False, test_environment=False)
    except EmailNotValidError:
        raise mail.MailRefused("no mail can be sent to the account's address") from None
    return Address(username=valid.local_part, domain=valid.ascii_domain)


def _one_line(text: str) -> str:
    """Remove line ends, control characters and marks that change the direction of writing."""
    return " ".join("".join(filter(str.isprintable, word)) for word in text.split()).strip()


def _shorten(text: str, max_characters: int) -> str:
    return text if len(text) <= max_characters else f"{text[: max_characters - 1].rstrip()}…"
