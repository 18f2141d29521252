"""The mail at the end of a job: what it says, and sending what is due.

A mail is sent once, and at least once: a crash in the moment between the server's answer and the note of it sends the
mail a second time, with the same Message-ID, by which many mailboxes show it once.
"""

import logging
from contextlib import closing
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Row

from shared.core.log import job_id as log_job_id
from shared.core.settings import Settings
from shared.generators.base import Stop, never
from shared.jobs.states import State
from shared.notify import mail
from shared.notify import store as mail_store
from shared.services import Services

_SUBJECT_CHARACTERS, _BODY_CHARACTERS = 60, 300

_log = logging.getLogger(__name__)


def are_due(services: Services) -> bool:
    """Whether `send_due` would send something. False where no mail is set up."""
    if not services.sends_mail:
        return False
    with services.db.statement() as connection:
        return mail_store.is_any_due(connection)


def send_due(services: Services, stop: Stop = never) -> int:
    """Send every mail that is due, one after the other; return how many were taken.

    Ends early when `stop` says so, and when the server takes no mail at all: the mail at hand is tried again later, and
    the others stay due. It waits for the server, so it belongs into a thread of its own.
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
            pass  # said and written down already
        finally:
            log_job_id.set(None)
    return sent


def _send(services: Services, mailer: mail.Mailer, claim: Row[Any]) -> bool:
    """Send the claimed mail and write down what became of it. Returns whether it was taken; raises MailServerDown."""
    taken = False
    try:
        mailer.send(compose(claim, services.settings))
        taken = True
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
    return taken


def give_up_old(services: Services) -> None:
    """Drop the mails that could not be sent for a day, and say of which jobs they were."""
    with services.db.statement() as connection:
        for job_id in mail_store.drop_old(connection):
            _log.warning("a mail is given up after a day: that of job %s", job_id)


def compose(job: Row[Any], settings: Settings) -> EmailMessage:
    """The mail about a finished job, from a claim of `mail_store`. The same job always makes the same mail.

    Raises MailRefused for an address to which nothing can be sent. Headers are made by the email package, which encodes
    them; the prompt and the address are brought onto one line before.
    """
    title, sender = parseaddr(settings.mail_from)
    prompt = _one_line(job.prompt)
    said, parts = _ending(job)
    message = EmailMessage()
    message["From"] = Address(title, addr_spec=sender)
    message["To"] = _address(job.email)
    # The email package would decode encoded words that stand in a prompt, line ends and all (CVE-2024-6923).
    subject = _beginning(prompt, _SUBJECT_CHARACTERS).replace("=?", "= ?")
    message["Subject"] = f"{said}: {subject}" if subject else said
    message["Date"] = job.finished_at
    # A job that was put back ends once more, and that is another mail.
    ending = f"{job.job_id}.{job.requeues}" if job.requeues else job.job_id
    message["Message-ID"] = f"<{ending}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if prompt:
        parts.append(f"    {_beginning(prompt, _BODY_CHARACTERS)}")
    parts.append(f"The job, with its recipe and its timeline:\n{settings.public_url}/pictures/{job.job_id}")
    if job.image_ids:
        links = [f"{settings.public_url}/i/{image_id}" for image_id in job.image_ids]
        parts.append("\n".join(["Links that never expire:", *links]))
    parts.append(f"You asked Easel for this mail. Your account at {settings.public_url} turns it off.")
    message.set_content("\n\n".join(parts) + "\n")
    return message


def compose_trial(email: str, settings: Settings) -> EmailMessage:
    """A mail with which an operator sees that mail arrives. Raises MailRefused for an address that is none."""
    title, sender = parseaddr(settings.mail_from)
    message = EmailMessage()
    message["From"] = Address(title, addr_spec=sender)
    message["To"] = _address(email)
    message["Subject"] = "Easel can send mail"
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"This is a trial. An operator of {settings.public_url} had it sent.\n")
    return message


def _ending(job: Row[Any]) -> tuple[str, list[str]]:
    """How the job ended: for the subject, and as the first parts of the text."""
    count = len(job.image_ids) or job.n
    them = "Your picture" if count == 1 else f"Your {count} pictures"
    if job.state == State.SUCCEEDED.value:
        said = f"{them} {'is' if count == 1 else 'are'} ready"
        return said, [f"{said}."]
    said = f"{them} could not be made"
    return said, [f"{said}. {_one_line(job.error_message)}", "The job does not count against today's quota."]


def _address(email: str) -> Address:
    """The address, its domain in ASCII: what stands before the @ may be another alphabet's."""
    try:
        valid = validate_email(email, check_deliverability=False, test_environment=False)
    except EmailNotValidError:
        raise mail.MailRefused("the account's address is none to which mail can be sent") from None
    return Address(username=valid.local_part, domain=valid.ascii_domain)


def _one_line(text: str) -> str:
    """The text's words alone: no line ends, no control characters, nothing that turns the direction of writing."""
    return " ".join("".join(letter for letter in word if letter.isprintable()) for word in text.split()).strip()


def _beginning(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"
