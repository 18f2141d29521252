"""Sending mail through what EASEL_MAIL_URL names: an SMTP server, AWS SES, or a folder for a laptop and for tests.

A mailer is used for one round of mails and then closed. Errors contain only the number of a server's answer, since its
text may repeat an address.
"""

import os
import re
import smtplib
import socket
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from shared.core.settings import Settings

ANSWER_TIMEOUT_S = 20
"""Time limit for one answer of a mail server."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class MailRefused(Exception):
    """The server rejected the recipient or the content permanently."""

    code = "mail_refused"


class RecipientRefused(MailRefused):
    """The server rejected the recipient permanently: no other mail will arrive there either."""

    code = "mail_recipient_refused"


class MailDelayed(Exception):
    """The server did not accept this mail now; it may accept another one."""

    code = "mail_delayed"


class MailServerDown(MailDelayed):
    """The server accepts no mail now: there is no connection, or Easel's credentials are wrong."""

    code = "mail_server_down"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result of a mailer's check: a summary, and warnings about what may still prevent delivery."""

    summary: str
    warnings: tuple[str, ...] = ()


class Mailer(Protocol):
    """Hands mails over for delivery, each to the one address in its `To`."""

    def send(self, message: EmailMessage) -> None:
        """Send the mail; return once it is accepted.

        Raises:
            MailRefused: This mail will never be accepted.
            MailDelayed: This mail is not accepted now.
            MailServerDown: No mail is accepted now.
        """

    def check(self) -> Readiness:
        """Check whether mail would be accepted, without sending any.

        Raises:
            MailServerDown: No mail is accepted now.
        """

    def close(self) -> None:
        """Close the connection."""


def connect(settings: Settings) -> Mailer:
    """Return the mailer for EASEL_MAIL_URL, which must be set. It connects at the first mail."""
    url = urlsplit(settings.mail_url)
    if url.scheme == "ses":
        return SesMailer(url.netloc, parseaddr(settings.mail_from)[1])
    if url.scheme == "file":
        return FileMailer(Path(unquote(url.path)))
    return SmtpMailer(url, local_name=settings.mail_from.rpartition("@")[2].rstrip(">"))


class SmtpMailer:
    """Sends over SMTP, several mails on one connection.

    `smtps` is encrypted from the start, `smtp` wherever the server offers it. A user name and password are only sent
    encrypted to a server with a valid certificate, or to this machine. Without them the certificate is not checked
    (RFC 7435): an attacker who could forge it could also remove the offer.
    """

    def __init__(self, url: SplitResult, *, local_name: str) -> None:
        self._url = url
        self._local_name = local_name
        self._connection: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        """Send the mail; see `Mailer`."""
        connection = self._connection or self._connect()
        try:
            connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            refusal = self._refusal(code)
            raise (RecipientRefused(str(refusal)) if isinstance(refusal, MailRefused) else refusal) from None
        except smtplib.SMTPDataError as error:
            raise self._refusal(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefused("the server accepts only ASCII addresses") from None
        except (smtplib.SMTPException, OSError) as error:
            self._abandon()
            raise MailServerDown(_describe(error)) from None

    def check(self) -> Readiness:
        """Connect, sign in where a user is named, and send NOOP; see `Mailer`."""
        connection = self._connection or self._connect()
        try:
            connection.ehlo_or_helo_if_needed()
            code, _ = connection.noop()
        except (smtplib.SMTPException, OSError) as error:
            self._abandon()
            raise MailServerDown(_describe(error)) from None
        if code != 250:
            raise MailServerDown(f"the server answered {code}")
        return Readiness("the server answers" + (" and accepts user and password" if self._url.username else ""))

    def close(self) -> None:
        """End the connection with QUIT."""
        if self._connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
            self._abandon()

    def _abandon(self) -> None:
        """Close the connection without QUIT, since the server may no longer answer."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> smtplib.SMTP:
        url, secure = self._url, self._url.scheme == "smtps"
        host = url.hostname or ""
        port = url.port or (465 if secure else 587 if url.username else 25)
        context = ssl.create_default_context()
        # Given here, since smtplib would ask the network for a name.
        options: dict[str, Any] = {"local_hostname": self._local_name, "timeout": ANSWER_TIMEOUT_S}
        try:
            if secure:
                self._connection = smtplib.SMTP_SSL(host, port, context=context, **options)
            else:
                self._connection = smtplib.SMTP(host, port, **options)
            if not secure:
                self._encrypt(self._connection, context)
            if url.username:
                self._connection.login(unquote(url.username), unquote(url.password or ""))
        except (smtplib.SMTPException, OSError, UnicodeEncodeError) as error:
            self._abandon()
            raise MailServerDown(_describe(error)) from None
        return self._connection

    def _encrypt(self, connection: smtplib.SMTP, context: ssl.SSLContext) -> None:
        """Begin TLS if the server offers it, or if a password is to be sent to another machine."""
        connection.ehlo_or_helo_if_needed()
        if not self._url.username:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if connection.has_extn("starttls") or (self._url.username and self._url.hostname not in _LOOPBACK):
            connection.starttls(context=context)

    def _refusal(self, code: int) -> MailRefused | MailDelayed:
        """Return the error for an answer: 421 ends the connection, 4xx is temporary, 5xx permanent (RFC 5321)."""
        message = f"the server answered {code}"
        if code == 421:
            self._abandon()
            return MailServerDown(message)
        return MailRefused(message) if code >= 500 else MailDelayed(message)


class SesMailer:
    """Sends over AWS SES of a region, with the credentials of the environment or of the machine's role."""

    def __init__(self, region: str, sender: str) -> None:
        self._region = region
        self._sender = sender

    def send(self, message: EmailMessage) -> None:
        """Send the mail through SES; see `Mailer`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.send_email(
                Destination={"ToAddresses": [address.addr_spec for address in message["To"].addresses]},
                Content={"Raw": {"Data": _in_bytes(message)}},
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            # MessageRejected may be about the content or about an account that is still in SES's sandbox.
            kinds = {"BadRequestException": MailRefused, "MessageRejected": MailDelayed}
            raise kinds.get(code, MailServerDown)(f"SES answered {code}") from None
        except BotoCoreError as error:
            raise MailServerDown(_describe(error)) from None

    def check(self) -> Readiness:
        """Ask SES about the account and the sender's identity; see `Mailer`."""
        from botocore.exceptions import BotoCoreError, ClientError

        warnings = []
        try:
            account = self._client.get_account()
            if not account.get("SendingEnabled"):
                warnings.append("SES has switched sending off for this account.")
            if not account.get("ProductionAccessEnabled"):
                warnings.append(
                    "The account is in SES's sandbox: only verified addresses get mail until AWS ends that."
                )
            if not self._is_verified():
                warnings.append(f"SES has verified neither {self._sender} nor its domain, and sends nothing from it.")
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code != "AccessDeniedException":
                raise MailServerDown(f"SES answered {code}") from None
            warnings.append(
                "This machine's role may not read the SES account; only a test mail can show whether it works."
            )
        except BotoCoreError as error:
            raise MailServerDown(_describe(error)) from None
        return Readiness(f"SES of {self._region} answers", tuple(warnings))

    def _is_verified(self) -> bool:
        for identity in (self._sender, self._sender.rpartition("@")[2]):
            try:
                if self._client.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"):
                    return True
            except self._client.exceptions.NotFoundException:
                continue
        return False

    def close(self) -> None:
        """Close the client, if one was made."""
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 # boto3's clients have no types
        import boto3  # takes 200 ms to import, and only deployments with SES need it
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=ANSWER_TIMEOUT_S, retries={"total_max_attempts": 1})
        return boto3.client("sesv2", region_name=self._region, config=config)


class FileMailer:
    """Writes each mail completely or not at all into a folder, to a file that is named after its Message-ID.

    A mail that is sent again replaces its file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write the mail into the folder under its Message-ID; see `Mailer`."""
        name = re.sub(r"[^\w-]", "", message["Message-ID"].partition("@")[0])
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=self._folder, suffix=".new")
            with os.fdopen(descriptor, "wb") as file:
                file.write(_in_bytes(message))
            Path(unfinished).replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise MailServerDown(_describe(error)) from None

    def check(self) -> Readiness:
        """Check that the folder can be written to; see `Mailer`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
        except OSError as error:
            raise MailServerDown(_describe(error)) from None
        return Readiness("mails are written into a folder and not delivered")

    def close(self) -> None:
        """Do nothing: no connection is open between two mails."""


def _in_bytes(message: EmailMessage) -> bytes:
    """Encode a mail by RFC 5322, or by RFC 6532 if it has a non-ASCII address."""
    ascii_only = all(address.addr_spec.isascii() for address in message["To"].addresses)
    return message.as_bytes(policy=policy.SMTP if ascii_only else policy.SMTPUTF8)


_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "the server refuses the user or its password"),
    (smtplib.SMTPNotSupportedError, "the server offers no encryption, without which no password is sent, or no login"),
    (UnicodeEncodeError, "the server's login cannot carry letters that are not ASCII in user or password"),
    (socket.gaierror, "the server's host name is unknown"),
    (ssl.SSLCertVerificationError, "the server's certificate is not valid"),
    (ssl.SSLError, "the server speaks no TLS at this port; smtps:// is for port 465, smtp:// for the others"),
    (ConnectionRefusedError, "no server listens at this address"),
    (TimeoutError, "the server did not answer in time"),
)


def _describe(error: Exception) -> str:
    """Return what is wrong, with the answer's code or the error's type, but without texts, which hold addresses."""
    code = getattr(error, "smtp_code", None)
    cause = next((words for kind, words in _CAUSES if isinstance(error, kind)), None)
    if code and cause is None:
        return f"the server answered {code}"
    return f"{cause or 'the server cannot be used'} ({code or type(error).__name__})"
