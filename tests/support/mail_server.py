"""An SMTP server on the loopback interface, which keeps accepted mails and refuses what a test wants refused."""

import asyncio
import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.ports import free_port

TAKEN = "250 OK"


@dataclass(frozen=True)
class Received:
    """A mail with its envelope."""

    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


class MailServer:
    """Serves inside `with`.

    `mails` are the accepted ones; `on_sender`, `on_recipient` and `on_data` are its answers; while `holding` is
    true it does not answer DATA. `logins` are the user names of the attempts to log in.
    """

    def __init__(self, *, password: str | None = None, **options: Any) -> None:
        self.mails: list[Received] = []
        self.logins: list[str] = []
        self.connections = 0
        self.on_sender = self.on_recipient = self.on_data = TAKEN
        self.holding = False
        self._password = password
        if password is not None:
            options["authenticator"] = self._check
        self._options: dict[str, Any] = {"enable_SMTPUTF8": False, **options}
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60, **self._options)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.holding = False
        self._controller.stop()

    def of(self, recipient: str) -> list[Received]:
        """Return the mails to one address."""
        return [mail for mail in self.mails if mail.recipient == recipient]

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]) -> Any:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.on_sender == TAKEN:
            envelope.mail_from = address
        return self.on_sender

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.on_recipient == TAKEN:
            envelope.rcpt_tos.append(address)
        return self.on_recipient

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        for _ in range(3000):  # at most a minute
            if not self.holding:
                break
            await asyncio.sleep(0.02)
        if self.on_data == TAKEN:
            [recipient] = envelope.rcpt_tos
            self.mails.append(Received(envelope.mail_from, recipient, envelope.content))
        return self.on_data

    def _check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == self._password, handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context for 127.0.0.1, and the file of the certificate that a client has to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public
