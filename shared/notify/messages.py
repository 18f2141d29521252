"""The mail at the end of a job or of a group: text and HTML, pictures small inside it and in full beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy, default
from email.utils import make_msgid, parseaddr
from typing import cast

from email_validator import EmailNotValidError, validate_email

from shared.core.settings import Settings
from shared.notify import mail
from shared.notify.mail_html import one_line, page, shorten
from shared.notify.mail_stories import write_story
from shared.notify.store import MailClaim

MAX_MAIL_BYTES = 8_000_000
"""Pictures are attached while the mail stays under this; many servers accept 10 MB."""

MOST_INSIDE = 12
"""Pictures that are shown inside a mail; it only links to the others, which may still be attached."""

MOST_ATTACHED = 50

_MAX_SUBJECT_CHARACTERS = 60
_BASE64 = 78 / 57
"""Bytes of the mail for each byte of an attachment: base64 in lines of 76 characters."""
_WORDS_BYTES, _WORDS_OF_A_JOB_BYTES = 100_000, 5_000


class _WholeHeader(UniqueUnstructuredHeader):
    """A header on one line: the email package would fold a long URL into encoded words, which mail programs ignore."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> "EmailPolicy[EmailMessage]":
    """Return how mails are written: only in ASCII, since a relay that converts 8-bit text would break a signature."""
    headers = HeaderRegistry()
    headers.map_to_type("list-unsubscribe", _WholeHeader)  # type: ignore[arg-type] # it becomes one
    return default.clone(cte_type="7bit", header_factory=headers)


@dataclass(frozen=True, slots=True)
class MailPicture:
    """A picture for the mail: a small JPEG to be shown inside, and the PNG in full to be attached, as far as wanted."""

    thumbnail: bytes | None
    full: bytes | None


def attachable(size_bytes: int, used_bytes: int, jobs: int = 1) -> bool:
    """Return whether a file fits into a mail about so many jobs whose other files have `used_bytes` before encoding."""
    words_bytes = _WORDS_BYTES + jobs * _WORDS_OF_A_JOB_BYTES
    return (size_bytes + used_bytes) * _BASE64 + words_bytes < MAX_MAIL_BYTES


def compose(claim: MailClaim, settings: Settings, pictures: Mapping[str, MailPicture] | None = None) -> EmailMessage:
    """Return the mail about a finished job or group. The same end always gives the same mail.

    pictures: by the id of the image; those that are missing are only linked to.

    Raises:
        MailRefused: Nothing can be sent to the account's address.
    """
    pictures = pictures or {}
    shown = {image_id: picture.thumbnail for image_id, picture in pictures.items() if picture.thumbnail is not None}
    story = write_story(claim, settings.public_url, shown.keys())
    message = begin(claim.email, settings)
    _set_headers(message, claim, settings, story.outcome)
    message.set_content("\n\n".join(story.text) + "\n")
    message.add_alternative(page(claim.language, story.html), subtype="html")
    html_part = cast(list[EmailMessage], message.get_payload())[1]
    for image in claim.images:
        if image.id in shown:
            html_part.add_related(shown[image.id], "image", "jpeg", cid=f"<{image.id}@easel>", disposition="inline")
    for number, image in enumerate(claim.images, 1):
        full = pictures[image.id].full if image.id in pictures else None
        if full is not None:
            message.add_attachment(full, "image", "png", filename=f"easel-{number}.png")
    message["Content-Language"] = claim.language  # at last, because each new part clears the headers of the content
    _fix_boundaries(message, _mail_id(claim))
    return message


def begin(email: str, settings: Settings) -> EmailMessage:
    """Return a mail without subject, date and content. Raises MailRefused if nothing can be sent to this address."""
    title, sender = parseaddr(settings.mail_from)
    message = EmailMessage(policy=_policy())
    message["From"] = Address(title, addr_spec=sender)
    message["To"] = _address(email)
    message["Auto-Submitted"] = "auto-generated"
    return message


def sender_domain(settings: Settings) -> str:
    """Return the domain that this site's Message-IDs end with."""
    return parseaddr(settings.mail_from)[1].rpartition("@")[2]


def compose_test(email: str, settings: Settings) -> EmailMessage:
    """Return a mail with which an operator checks that mail arrives.

    Raises:
        MailRefused: Nothing can be sent to this address.
    """
    message = begin(email, settings)
    message["Subject"] = "Easel can send mail"
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = make_msgid(domain=sender_domain(settings))
    message.set_content(f"This is a test mail. An operator of {settings.public_url} sent it.\n")
    return message


def _set_headers(message: EmailMessage, claim: MailClaim, settings: Settings, outcome: str) -> None:
    """Set the headers. The email package encodes them; the prompt and the address are put on one line before."""
    # The email package would decode encoded words in a prompt, including line ends (CVE-2024-6923).
    prompt = one_line(claim.jobs[0].prompt)
    subject = shorten(prompt, _MAX_SUBJECT_CHARACTERS).replace("=?", "= ?")
    message["Subject"] = f"{outcome}: {subject}" if subject else outcome
    message["Date"] = claim.finished_at
    message["Message-ID"] = f"<{_mail_id(claim)}@{sender_domain(settings)}>"
    # One click (RFC 8058): the mail program sends a POST, so that scanners, which only follow links, change nothing.
    message["List-Unsubscribe"] = f"<{settings.public_url}/v1/unsubscribe/{claim.unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _mail_id(claim: MailClaim) -> str:
    # A job that was requeued ends again, and that is another mail.
    return f"{claim.id}.{claim.requeues}" if claim.requeues else str(claim.id)


def _fix_boundaries(message: EmailMessage, mail_id: str) -> None:
    """Give each multipart the same boundary at every attempt. `=_` is in no line of base64 or quoted-printable."""
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{mail_id}.{number}")


def _address(email: str) -> Address:
    """Parse an address, its domain in ASCII; the part before the @ may have other characters."""
    try:
        valid = validate_email(email, check_deliverability=False, test_environment=False)
    except EmailNotValidError:
        raise mail.MailRefused("no mail can be sent to the account's address") from None
    return Address(username=valid.local_part, domain=valid.ascii_domain)
