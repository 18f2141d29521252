"""Reading what SES reports about mails: bounces and complaints, as SNS hands them to SQS.

A message is SES's JSON itself (raw delivery), or SNS's envelope with that JSON as a text. SES writes it in two formats:
feedback notifications of an identity (`notificationType`), and published events of a configuration set (`eventType`).
"""

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from shared.core.words import address_key

Why = Literal["bounced", "complained"]

_MOST_RECIPIENTS = 50
"""Recipients of one mail, by the limits of SES."""

_CONFIRMATIONS = ("Successfully validated SNS topic", "You have successfully subscribed")
"""How the texts begin that SES sends to a topic when it is named to it."""


class EventUnreadable(Exception):
    """A message is in none of the known formats. The text says why, without the message."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """To these addresses no mail is to be sent any more, because of a mail that was sent at `sent_at`."""

    why: Why
    addresses: tuple[str, ...]
    sent_at: datetime | None


class _Recipient(BaseModel):
    address: str = Field(alias="emailAddress", max_length=1000)


class _Bounce(BaseModel):
    kind: str = Field(alias="bounceType")
    recipients: list[_Recipient] = Field(alias="bouncedRecipients", max_length=_MOST_RECIPIENTS)


class _Complaint(BaseModel):
    # `not-spam`: the recipient says that the mail was taken for spam wrongly.
    feedback: str | None = Field(None, alias="complaintFeedbackType")
    recipients: list[_Recipient] = Field(alias="complainedRecipients", max_length=_MOST_RECIPIENTS)


class _Mail(BaseModel):
    timestamp: datetime | None = None
    destination: list[str] = Field(default_factory=list, max_length=_MOST_RECIPIENTS)


class _Event(BaseModel):
    notification: str | None = Field(None, alias="notificationType")
    event: str | None = Field(None, alias="eventType")
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None
    mail: _Mail = Field(default_factory=_Mail)


_EVENT = TypeAdapter(_Event)


def read(body: str) -> Refusal | None:
    """Return which addresses a message stops, and why; None for one that stops none, such as a transient bounce.

    Raises:
        EventUnreadable: It is no message of SES.
    """
    if body.startswith(_CONFIRMATIONS):
        return None
    report = _parse(body)
    if isinstance(report, dict) and "Message" in report:
        text = report["Message"]
        if not isinstance(text, str):
            raise EventUnreadable("the envelope's message is no text")
        if text.startswith(_CONFIRMATIONS):
            return None
        report = _parse(text)
    try:
        event = _EVENT.validate_python(report)
    except ValidationError as error:
        places = sorted({".".join(map(str, found["loc"])) for found in error.errors(include_input=False)})
        raise EventUnreadable(f"invalid: {', '.join(places)[:100]}") from None
    return _find_refusal(event)


def _parse(text: str) -> Any:  # noqa: ANN401 # any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise EventUnreadable("it is not JSON") from None


def _find_refusal(event: _Event) -> Refusal | None:
    kind = event.event or event.notification
    if kind == "Bounce":
        if event.bounce is None:
            raise EventUnreadable("a bounce without what bounced")
        if event.bounce.kind != "Permanent":
            return None
        return _refusal("bounced", event.bounce.recipients, event.mail)
    if kind == "Complaint":
        if event.complaint is None:
            raise EventUnreadable("a complaint without who complained")
        if event.complaint.feedback == "not-spam":
            return None
        return _refusal("complained", event.complaint.recipients, event.mail)
    if kind is None:
        raise EventUnreadable("it has neither notificationType nor eventType")
    return None


def _refusal(why: Why, recipients: list[_Recipient], mail: _Mail) -> Refusal:
    """Return the refusal, with each address as accounts may have stored it.

    A provider may report the address to which the mail was forwarded. Easel's mails have one recipient each, so that is
    the account's in any case.
    """
    named = [recipient.address for recipient in recipients]
    if len(mail.destination) == 1:
        named += mail.destination
    addresses = dict.fromkeys(spelling for address in named for spelling in _spellings(address))
    return Refusal(why, tuple(addresses), mail.timestamp)


def _spellings(address: str) -> list[str]:
    """Return an address as in the account, and with its domain in Unicode, which is sent in ASCII."""
    plain = address_key(parseaddr(address)[1])
    local, _, domain = plain.rpartition("@")
    try:
        return [plain, address_key(f"{local}@{domain.encode('ascii').decode('idna')}")]
    except UnicodeError:
        return [plain]
