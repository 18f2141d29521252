"""Sending mail, over what EASEL_MAIL_URL names: an SMTP server, AWS SES, or a folder for a laptop and for tests.

A mailer serves one round of mails and is closed after it. What a server says is told by its number alone, since its
words may repeat an address.
"""

import os
import re
import smtplib
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

PATIENCE_S = 20
"""How long one answer of a mail server may take."""

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class MailRefused(Exception):
    """This mail will never be taken: its recipient or its content was refused for good."""


class MailDelayed(Exception):
    """This mail was not taken now; another one may be."""


class MailServerDown(MailDelayed):
    """No mail is taken now: there is no connection, or what the server was told of Easel is wrong."""


@dataclass(frozen=True)
class Readiness:
    """What a mailer found when it was asked to look: how it is set up, and what may still stand against a mail."""

    words: str
    doubts: tuple[str, ...] = ()


class Mailer(Protocol):
    """Hands mails over to whoever delivers them, each to the one address in its `To`."""

    def send(self, message: EmailMessage) -> None:
        """Returns when the mail is taken. Raises MailRefused, MailDelayed or MailServerDown."""

    def check(self) -> Readiness:
        """Look whether mail would be taken, without sending any. Raises MailServerDown."""

    def close(self) -> None:
        """Let go of the connection."""


def connect(settings: Settings) -> Mailer:
    """The mailer for EASEL_MAIL_URL, which must be set. Nothing is sent before the first mail."""
    url = urlsplit(settings.mail_url)
    if url.scheme == "ses":
        return SesMailer(url.netloc, parseaddr(settings.mail_from)[1])
    if url.scheme == "file":
        return FileMailer(Path(unquote(url.path)))
    return SmtpMailer(url, local_name=settings.mail_from.rpartition("@")[2].rstrip(">"))


class SmtpMailer:
    """Over SMTP, several mails on one connection. `smtps` is encrypted from the start; `smtp` becomes so before a name
    and a password are sent, which go unencrypted to this machine alone."""

    def __init__(self, url: SplitResult, *, local_name: str) -> None:
        self._url = url
        self._local_name = local_name
        self._connection: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        connection = self._connection or self._connect()
        try:
            connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _)] = error.recipients.values()
            raise self._refusal(code) from None
        except smtplib.SMTPDataError as error:
            raise self._refusal(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefused("the server takes ASCII addresses alone") from None
        except (smtplib.SMTPException, OSError) as error:
            self._abandon()
            raise MailServerDown(_in_words(error)) from None

    def check(self) -> Readiness:
        connection = self._connection or self._connect()
        try:
            connection.ehlo_or_helo_if_needed()
            code, _ = connection.noop()
        except (smtplib.SMTPException, OSError) as error:
            self._abandon()
            raise MailServerDown(_in_words(error)) from None
        if code != 250:
            raise MailServerDown(f"the server answered {code}")
        return Readiness("the server answers" + (" and takes the name and the password" if self._url.username else ""))

    def close(self) -> None:
        if self._connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
            self._abandon()

    def _abandon(self) -> None:
        """Without another word: the server may no longer answer."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> smtplib.SMTP:
        url, secure = self._url, self._url.scheme == "smtps"
        host = url.hostname or ""
        port = url.port or (465 if secure else 587 if url.username else 25)
        context = ssl.create_default_context()
        # A name of its own, since smtplib would ask the network for one.
        options: dict[str, Any] = {"local_hostname": self._local_name, "timeout": PATIENCE_S}
        try:
            if secure:
                self._connection = smtplib.SMTP_SSL(host, port, context=context, **options)
            else:
                self._connection = smtplib.SMTP(host, port, **options)
            if url.username:
                self._log_in(self._connection, context, encrypted=secure)
        except (smtplib.SMTPException, OSError) as error:
            self._abandon()
            raise MailServerDown(_in_words(error)) from None
        return self._connection

    def _log_in(self, connection: smtplib.SMTP, context: ssl.SSLContext, *, encrypted: bool) -> None:
        connection.ehlo_or_helo_if_needed()
        if not encrypted and (connection.has_extn("starttls") or self._url.hostname not in _THIS_MACHINE):
            connection.starttls(context=context)
        connection.login(unquote(self._url.username or ""), unquote(self._url.password or ""))

    def _refusal(self, code: int) -> MailRefused | MailDelayed:
        """What an answer about one mail means: 421 ends the connection, 4xx is for now, 5xx for good (RFC 5321)."""
        words = f"the server answered {code}"
        if code == 421:
            self._abandon()
            return MailServerDown(words)
        return MailRefused(words) if code >= 500 else MailDelayed(words)


class SesMailer:
    """Over AWS SES of a region, with the credentials of the environment or of the machine's role."""

    def __init__(self, region: str, sender: str) -> None:
        self._region = region
        self._sender = sender

    def send(self, message: EmailMessage) -> None:
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
            raise MailServerDown(_in_words(error)) from None

    def check(self) -> Readiness:
        from botocore.exceptions import BotoCoreError, ClientError

        doubts = []
        try:
            account = self._client.get_account()
            if not account.get("SendingEnabled"):
                doubts.append("SES has switched sending off for this account.")
            if not account.get("ProductionAccessEnabled"):
                doubts.append("The account is in SES's sandbox: only verified addresses get mail until AWS lifts that.")
            if not self._is_verified():
                doubts.append(f"SES has verified neither {self._sender} nor its domain, and sends nothing from there.")
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code != "AccessDeniedException":
                raise MailServerDown(f"SES answered {code}") from None
            doubts.append("This machine's role may not ask SES about the account, so only a mail can show it.")
        except BotoCoreError as error:
            raise MailServerDown(_in_words(error)) from None
        return Readiness(f"SES of {self._region} answers", tuple(doubts))

    def _is_verified(self) -> bool:
        for identity in (self._sender, self._sender.rpartition("@")[2]):
            try:
                if self._client.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"):
                    return True
            except self._client.exceptions.NotFoundException:
                continue
        return False

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> Any:
        import boto3  # AWS's own service, and only where a deployment names it: 200 ms that others need not pay
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=PATIENCE_S, retries={"total_max_attempts": 1})
        return boto3.client("sesv2", region_name=self._region, config=config)


class FileMailer:
    """Into a folder: each mail whole or not at all, as a file that is named after its Message-ID. A mail that is sent
    again replaces itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        name = re.sub(r"[^\w-]", "", message["Message-ID"].partition("@")[0])
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=self._folder, suffix=".new")
            with os.fdopen(descriptor, "wb") as file:
                file.write(_in_bytes(message))
            Path(unfinished).replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise MailServerDown(_in_words(error)) from None

    def check(self) -> Readiness:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
        except OSError as error:
            raise MailServerDown(_in_words(error)) from None
        return Readiness("mails are written into a folder, and nobody gets them")

    def close(self) -> None:
        """Nothing is open between two mails."""


def _in_bytes(message: EmailMessage) -> bytes:
    """As RFC 5322 has it; with an address outside ASCII, as RFC 6532 does."""
    ascii_alone = all(address.addr_spec.isascii() for address in message["To"].addresses)
    return message.as_bytes(policy=policy.SMTP if ascii_alone else policy.SMTPUTF8)


def _in_words(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f"the server answered {code}" if code else f"the server cannot be used ({type(error).__name__})"
