"""Mails about accounts. They hold no text of the person who caused them, only the account's own address."""

from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import urlencode, urlsplit

from shared.accounts import account_mails
from shared.accounts.account_mails import AccountMail, LinkKind
from shared.accounts.devices import is_recognized
from shared.accounts.tokens import new_token, token_hash
from shared.core.limits import DAY_S
from shared.core.settings import Settings
from shared.notify import messages
from shared.notify.account_words import UNKNOWN_DEVICE, WORDS
from shared.notify.mail_html import escape, page
from shared.services import Services

RESET_LIFETIME_S = 30 * 60

CONFIRMATION_LIFETIME_S = DAY_S

_LINKS: dict[str, tuple[LinkKind, str, float]] = {
    "reset": ("reset", "/reset", RESET_LIFETIME_S),
    "email_change": ("email", "/verify", CONFIRMATION_LIFETIME_S),
    "signup": ("signup", "/verify", CONFIRMATION_LIFETIME_S),
    "confirmation": ("confirm", "/verify", CONFIRMATION_LIFETIME_S),
}
"""For each kind of mail with a link: the link's kind, its page, and how long it works."""

_ASKED_PASSWORD = {"signup": "new", "confirmation": "current"}
"""For each kind of mail whose link needs a password: which, for the page."""


def prepare(services: Services, mail: AccountMail) -> EmailMessage | None:
    """Return the mail, with a new link if it is to have one; None if its address has as many as it may have.

    Raises:
        MailRefused: Nothing can be sent to the address.
    """
    if mail.kind not in _LINKS:
        return compose(mail, services.settings, f"{services.settings.public_url}/reset")
    kind, path, lifetime_s = _LINKS[mail.kind]
    secret = new_token()
    with services.db.begin() as connection:
        if not account_mails.issue_link(connection, mail, kind, token_hash(secret) or b"", lifetime_s):
            return None
    # After the #, which browsers send to no server. Password managers store the new password with the address.
    fields = {"token": secret, "email": mail.email}
    if mail.kind in _ASKED_PASSWORD:
        fields["password"] = _ASKED_PASSWORD[mail.kind]
    return compose(mail, services.settings, f"{services.settings.public_url}{path}#{urlencode(fields)}")


def compose(mail: AccountMail, settings: Settings, link: str) -> EmailMessage:
    """Return the mail as text and HTML. Raises MailRefused."""
    values = {"email": mail.email, "site": settings.public_url, "host": urlsplit(settings.public_url).netloc}
    # A program may call itself anything, even the address of a site, which mail programs would make a link.
    is_shown = mail.device is not None and is_recognized(mail.device)
    values["device"] = str(mail.device) if is_shown else UNKNOWN_DEVICE[mail.language]
    values["time"] = f"{mail.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    subject, *paragraphs = (words.format(link=link, **values) for words in WORDS[mail.language][mail.kind])
    message = messages.begin(mail.email, settings)
    message["Subject"] = subject
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = f"<{mail.id}@{messages.sender_domain(settings)}>"
    message.set_content("\n\n".join(paragraphs) + "\n")
    html = [f"<h1>{escape(subject)}</h1>"]
    for words in paragraphs:
        shown = escape(words)
        html.append(f'<p><a href="{shown}">{shown}</a></p>' if words == link else f"<p>{shown}</p>")
    message.add_alternative(page(mail.language, html), subtype="html")
    message["Content-Language"] = mail.language  # at last, because each new part clears the headers of the content
    return message
