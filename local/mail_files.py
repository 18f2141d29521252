"""The mails that were written into a folder instead of being sent, as far as a page shows them."""

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

MOST_LISTED = 100
MAX_MAIL_BYTES = 32_000_000
_HEAD_BYTES = 32_000
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_SHOWN_PICTURES = frozenset({"image/png", "image/jpeg"})


@dataclass(frozen=True, slots=True)
class Summary:
    """A mail in the list. `name` is that of its file without the ending."""

    name: str
    to: str
    subject: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail."""

    name: str
    content_type: str
    content: bytes

    @property
    def is_picture(self) -> bool:
        """Return whether browsers show it, and it cannot contain scripts."""
        return self.content_type in _SHOWN_PICTURES


@dataclass(frozen=True, slots=True)
class Mail:
    """A whole mail. `html` has its own pictures inside; it is the mail's, so nothing in it is to be trusted."""

    headers: list[tuple[str, str]]
    text: str
    html: str
    attachments: list[Attachment]
    raw: bytes

    @property
    def subject(self) -> str:
        """Return the subject, which may be empty."""
        return next((value for name, value in self.headers if name.lower() == "subject"), "")


def list_mails(folder: Path) -> tuple[list[Summary], int]:
    """Return the newest mails, at most MOST_LISTED, and how many there are."""
    found: list[tuple[float, Path]] = []
    for path in folder.glob("*.eml"):
        if _NAME.fullmatch(path.stem):
            try:
                found.append((path.stat().st_mtime, path))
            except FileNotFoundError:
                continue
    newest = sorted(found, reverse=True)[:MOST_LISTED]
    return [summary for at, path in newest if (summary := _summarize(path, at))], len(found)


def read_mail(folder: Path, name: str) -> Mail | None:
    """Return a mail; None if there is none of this name, or it is too large."""
    path = folder / f"{name}.eml"
    try:
        if not _NAME.fullmatch(name) or path.stat().st_size > MAX_MAIL_BYTES:
            return None
        raw = path.read_bytes()
    except OSError:
        return None
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    attachments = [
        Attachment(part.get_filename() or "", part.get_content_type(), _content(part))
        for part in message.iter_attachments()
        if isinstance(part, EmailMessage)
    ]
    headers = [(header, str(value)) for header, value in message.items()]
    return Mail(headers, _body(message, "plain"), _with_pictures(message, _body(message, "html")), attachments, raw)


def _summarize(path: Path, at: float) -> Summary | None:
    try:
        with path.open("rb") as file:
            message = message_from_bytes(file.read(_HEAD_BYTES), policy=policy.default)
    except OSError:
        return None
    return Summary(path.stem, str(message["To"]), str(message["Subject"]), datetime.fromtimestamp(at, UTC))


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def _with_pictures(message: EmailMessage, html: str) -> str:
    """Return the HTML with each `cid:` address replaced by the picture itself, and its links opening new tabs."""
    related = message.get_body(("related",))
    for part in related.iter_attachments() if related is not None else ():
        cid = str(part["Content-ID"] or "").strip("<>")
        if cid and part.get_content_type() in _SHOWN_PICTURES and isinstance(part, EmailMessage):
            picture = f"data:{part.get_content_type()};base64,{b64encode(_content(part)).decode()}"
            html = html.replace(f'"cid:{cid}"', f'"{picture}"')
    return html.replace("<head>", '<head><base target="_blank">', 1)


def _content(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
