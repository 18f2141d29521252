"""The mail at the end of a job: text and HTML, the pictures small inside it and in full beside it.

The HTML can be read without its pictures and in dark mode. Whatever comes from a prompt is escaped there, and on one
line everywhere.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from typing import cast

from email_validator import EmailNotValidError, validate_email

from shared.core.settings import Settings
from shared.jobs.states import State
from shared.notify import mail
from shared.notify.store import MailClaim

MAX_MAIL_BYTES = 8_000_000
"""Pictures are attached while the mail stays under this; many servers accept 10 MB."""

_MAX_SUBJECT_CHARACTERS, _MAX_BODY_CHARACTERS = 60, 300
_BASE64 = 78 / 57
"""Bytes of the mail for each byte of an attachment: base64 in lines of 76 characters."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "one": "Your picture is ready",
        "many": "Your {n} pictures are ready",
        "one_failed": "Your picture could not be made",
        "many_failed": "Your {n} pictures could not be made",
        "quota": "The job does not count against today's quota.",
        "job": "The job, with its recipe and its timeline:",
        "links": "Links that never expire:",
        "picture": "Picture {n}",
        "video": "The video of its making:",
        "off": "You asked Easel for this mail. Your account at {site} turns it off.",
    },
    "ru": {
        "one": "Ваша картина готова",
        "many": "Ваши картины готовы ({n})",
        "one_failed": "Ваша картина не получилась",
        "many_failed": "Ваши картины не получились ({n})",
        "quota": "Задание не засчитывается в сегодняшнюю норму.",
        "job": "Задание, его рецепт и ход работы:",
        "links": "Постоянные ссылки:",
        "picture": "Картина {n}",
        "video": "Видео о том, как она писалась:",
        "off": "Вы просили Easel об этом письме. Отключить письма можно в учётной записи: {site}.",
    },
}

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:24px;background:#fff;color:#222;font:16px/1.5 system-ui,sans-serif}"
    "a{color:#0b57d0}img{max-width:100%;height:auto;border-radius:6px}"
    ".quiet{color:#666;font-size:14px}"
    "@media (prefers-color-scheme:dark){body{background:#1b1b1d;color:#eee}a{color:#8ab4f8}.quiet{color:#aaa}}"
)


@dataclass(frozen=True, slots=True)
class MailPicture:
    """A picture for the mail: a small JPEG, and the PNG in full if it is to be attached."""

    thumbnail: bytes
    full: bytes | None


def attachable(size_bytes: int, used_bytes: int) -> bool:
    """Return whether a file still fits into a mail whose other parts have `used_bytes` before they are encoded."""
    return (size_bytes + used_bytes) * _BASE64 + 100_000 < MAX_MAIL_BYTES


def compose(claim: MailClaim, settings: Settings, pictures: Mapping[str, MailPicture] | None = None) -> EmailMessage:
    """Return the mail about a finished job. The same end of a job always gives the same mail.

    pictures: by the id of the image; those that are missing are only linked to.

    Raises:
        MailRefused: Nothing can be sent to the account's address.
    """
    pictures = pictures or {}
    words = WORDS[claim.language]
    count = len(claim.image_ids) or claim.n
    failed = claim.state != State.SUCCEEDED.value
    key = ("one" if count == 1 else "many") + ("_failed" if failed else "")
    outcome = words[key].format(n=count)
    prompt = _one_line(claim.prompt)
    message = EmailMessage()
    _set_headers(message, claim, settings, outcome, prompt)
    message.set_content("\n\n".join(_text(claim, settings, words, outcome, prompt)) + "\n")
    message.add_alternative(_html(claim, settings, words, outcome, prompt, pictures), subtype="html")
    html_part = cast(list[EmailMessage], message.get_payload())[1]
    for image_id in claim.image_ids:
        if image_id in pictures:
            data = pictures[image_id].thumbnail
            html_part.add_related(data, "image", "jpeg", cid=f"<{image_id}@easel>", disposition="inline")
    for number, image_id in enumerate(claim.image_ids, 1):
        full = pictures[image_id].full if image_id in pictures else None
        if full is not None:
            message.add_attachment(full, "image", "png", filename=f"easel-{number}.png")
    message["Content-Language"] = claim.language  # at last, because each new part clears the headers of the content
    _fix_boundaries(message, _mail_id(claim))
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


def _set_headers(message: EmailMessage, claim: MailClaim, settings: Settings, outcome: str, prompt: str) -> None:
    """Set the headers. The email package encodes them; the prompt and the address are put on one line before."""
    title, sender = parseaddr(settings.mail_from)
    message["From"] = Address(title, addr_spec=sender)
    message["To"] = _address(claim.email)
    # The email package would decode encoded words in a prompt, including line ends (CVE-2024-6923).
    subject = _shorten(prompt, _MAX_SUBJECT_CHARACTERS).replace("=?", "= ?")
    message["Subject"] = f"{outcome}: {subject}" if subject else outcome
    message["Date"] = claim.finished_at
    message["Message-ID"] = f"<{_mail_id(claim)}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    # One click (RFC 8058): the mail program sends a POST, so that scanners, which only follow links, change nothing.
    message["List-Unsubscribe"] = f"<{settings.public_url}/v1/unsubscribe/{claim.unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _mail_id(claim: MailClaim) -> str:
    # A job that was requeued ends again, and that is another mail.
    return f"{claim.job_id}.{claim.requeues}" if claim.requeues else str(claim.job_id)


def _text(claim: MailClaim, settings: Settings, words: dict[str, str], outcome: str, prompt: str) -> list[str]:
    parts = [f"{outcome}."]
    if claim.state != State.SUCCEEDED.value:
        parts = [f"{outcome}. {_one_line(claim.error_message or '')}", words["quota"]]
    if prompt:
        parts.append(f"    {_shorten(prompt, _MAX_BODY_CHARACTERS)}")
    parts.append(f"{words['job']}\n{settings.public_url}/pictures/{claim.job_id}")
    if claim.image_ids:
        links = [f"{settings.public_url}/i/{image_id}" for image_id in claim.image_ids]
        parts.append("\n".join([words["links"], *links]))
    parts += [f"{words['video']}\n{_video_url(settings, image_id)}" for image_id in _videos(claim)]
    parts.append(words["off"].format(site=settings.public_url))
    return parts


def _html(
    claim: MailClaim,
    settings: Settings,
    words: dict[str, str],
    outcome: str,
    prompt: str,
    pictures: Mapping[str, MailPicture],
) -> str:
    """Return the HTML. Every value is escaped; there is no script, and nothing is loaded from the network."""
    parts = [f"<h1>{_escape(outcome)}</h1>"]
    if claim.state != State.SUCCEEDED.value:
        parts += [f"<p>{_escape(_one_line(claim.error_message or ''))}</p>", f"<p>{_escape(words['quota'])}</p>"]
    if prompt:
        parts.append(f'<blockquote dir="auto">{_escape(_shorten(prompt, _MAX_BODY_CHARACTERS))}</blockquote>')
    for number, image_id in enumerate(claim.image_ids, 1):
        title = _escape(words["picture"].format(n=number))
        shown = f'<img src="cid:{image_id}@easel" alt="{title}" width="256">' if image_id in pictures else title
        parts.append(f'<p><a href="{_escape(settings.public_url)}/i/{image_id}">{shown}</a></p>')
    for image_id in _videos(claim):
        url = _escape(_video_url(settings, image_id))
        poster = f'<br><img src="cid:{image_id}@easel" alt="" width="256">' if image_id in pictures else ""
        parts.append(f'<p>{_escape(words["video"])} <a href="{url}">{url}{poster}</a></p>')
    url = f"{_escape(settings.public_url)}/pictures/{claim.job_id}"
    parts.append(f'<p>{_escape(words["job"])} <a href="{url}">{url}</a></p>')
    parts.append(f'<p class="quiet">{_escape(words["off"].format(site=settings.public_url))}</p>')
    head = f'<meta charset="utf-8"><meta name="color-scheme" content="light dark"><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="{claim.language}"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _videos(claim: MailClaim) -> list[str]:
    """Return the ids of the pictures of whose making there is a video."""
    return [image.id for image in claim.images if image.has_video]


def _video_url(settings: Settings, image_id: str) -> str:
    return f"{settings.public_url}/i/{image_id}?timelapse=1"


def _fix_boundaries(message: EmailMessage, mail_id: str) -> None:
    """Give each multipart the same boundary at every attempt. `=_` is in no line of base64 or quoted-printable."""
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{mail_id}.{number}")


def _escape(text: str) -> str:
    return html.escape(text, quote=True)


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
