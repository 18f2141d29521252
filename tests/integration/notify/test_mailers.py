"""Each way of sending mail: real SMTP with and without TLS, SES emulated by moto, and a folder."""

from collections.abc import Callable, Iterator
from contextlib import closing
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from local.ports import free_port
from shared.core.settings import Settings
from shared.notify import mail
from shared.services import Services
from tests.support.mail_server import MailServer, certificate

PASSWORD = "correct horse: battery/staple"
QUOTED = "correct%20horse%3A%20battery%2Fstaple"


@pytest.fixture
def settings(session_services: Services) -> Callable[[str], Settings]:
    return lambda url: session_services.settings.model_copy(
        update={"mail_url": url, "mail_from": "Easel <easel@example.com>"}
    )


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a server's TLS context whose certificate this process trusts."""
    context, public = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    return context


def new_mail(recipient: str = "ada@example.com", name: str = "one") -> EmailMessage:
    username, domain = recipient.split("@")
    message = EmailMessage()
    message["From"] = Address("Easel", addr_spec="easel@example.com")
    message["To"] = Address(username=username, domain=domain)
    message["Subject"] = "Ваша картина готова"
    message["Message-ID"] = f"<{name}@example.com>"
    message.set_content("синий огонь\n")
    return message


def send(settings: Settings, *messages: EmailMessage) -> None:
    with closing(mail.connect(settings)) as mailer:
        for message in messages:
            mailer.send(message)


def test_several_mails_go_over_one_connection(settings: Callable[[str], Settings], server: MailServer) -> None:
    send(settings(server.url), new_mail(), new_mail("bob@example.com"))
    assert [(received.sender, received.recipient) for received in server.mails] == [
        ("easel@example.com", "ada@example.com"),
        ("easel@example.com", "bob@example.com"),
    ]
    message = server.mails[0].message
    assert message["Subject"] == "Ваша картина готова"
    assert message.get_content().splitlines() == ["синий огонь"]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("place", "answer", "error"),
    [
        ("on_recipient", "550 no such user ada@example.com", mail.RecipientRefused),
        ("on_recipient", "450 greylisted", mail.MailDelayed),
        ("on_recipient", "421 closing", mail.MailServerDown),
        ("on_data", "554 looks like spam", mail.MailRefused),
        ("on_data", "451 later", mail.MailDelayed),
        ("on_data", "421 closing", mail.MailServerDown),
        ("on_sender", "550 not you", mail.MailServerDown),
        ("on_sender", "451 later", mail.MailServerDown),
    ],
)
def test_each_refusal_is_classified(
    settings: Callable[[str], Settings], server: MailServer, place: str, answer: str, error: type[Exception]
) -> None:
    setattr(server, place, answer)
    with closing(mail.connect(settings(server.url))) as mailer:
        with pytest.raises(mail.MailRefused if issubclass(error, mail.MailRefused) else mail.MailDelayed) as caught:
            mailer.send(new_mail())
        assert type(caught.value) is error
        assert str(caught.value) == f"the server answered {answer[:3]}", (
            "the server's text, which contains addresses, is not repeated"
        )
        setattr(server, place, "250 OK")
        mailer.send(new_mail())
    assert len(server.mails) == 1, "the mailer can be used afterwards"


def test_no_server_listens(settings: Callable[[str], Settings]) -> None:
    with pytest.raises(mail.MailServerDown, match="ConnectionRefusedError"):
        send(settings(f"smtp://127.0.0.1:{free_port()}"), new_mail())


def test_a_password_is_sent_over_tls(settings: Callable[[str], Settings], trusted: Any) -> None:
    with MailServer(password=PASSWORD, tls_context=trusted) as server:
        send(settings(f"smtp://easel%40example.com:{QUOTED}@127.0.0.1:{server.port}"), new_mail())
        assert (len(server.mails), server.logins) == (1, ["easel@example.com"])
        with pytest.raises(mail.MailServerDown, match="535"):
            send(settings(f"smtp://easel:wrong@127.0.0.1:{server.port}"), new_mail())


def test_the_cause_is_named(settings: Callable[[str], Settings], trusted: Any) -> None:
    with MailServer(password=PASSWORD, tls_context=trusted) as server:
        for url, cause in (
            (f"smtp://easel:wrong@127.0.0.1:{server.port}", r"refuses the user or its password \(535\)"),
            (f"smtp://easel:%C3%A9@127.0.0.1:{server.port}", "letters that are not ASCII"),
            (f"smtps://127.0.0.1:{server.port}", "speaks no TLS at this port"),
            ("smtp://mail.invalid:25", "host name is unknown"),
            (f"smtp://127.0.0.1:{free_port()}", "no server listens"),
        ):
            with closing(mail.connect(settings(url))) as mailer, pytest.raises(mail.MailServerDown, match=cause):
                mailer.check()


def test_without_a_login_mail_is_encrypted_where_the_server_offers_it(
    settings: Callable[[str], Settings], tmp_path: Path
) -> None:
    """The certificate is not checked: without the offer the mail would go unencrypted."""
    context, _ = certificate(tmp_path)
    with MailServer(tls_context=context, require_starttls=True) as server:
        send(settings(server.url), new_mail(), new_mail(name="two"))
        with closing(mail.connect(settings(server.url))) as mailer:
            mailer.check()
        assert len(server.mails) == 2


def test_no_password_for_an_untrusted_server(settings: Callable[[str], Settings], tmp_path: Path) -> None:
    """The client does not trust the certificate."""
    context, _ = certificate(tmp_path)
    with MailServer(password=PASSWORD, tls_context=context) as server:
        with pytest.raises(mail.MailServerDown, match="SSLCertVerificationError"):
            send(settings(f"smtp://easel:{QUOTED}@127.0.0.1:{server.port}"), new_mail())
        assert (server.mails, server.logins) == ([], [])


def test_a_password_is_sent_unencrypted_only_to_this_machine(
    settings: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer(password=PASSWORD, auth_require_tls=False) as server:
        url = f"smtp://easel:{QUOTED}@127.0.0.1:{server.port}"
        send(settings(url), new_mail())
        monkeypatch.setattr(mail, "_LOOPBACK", frozenset())
        with pytest.raises(mail.MailServerDown, match="SMTPNotSupportedError"):
            send(settings(url), new_mail())
        assert (len(server.mails), len(server.logins)) == (1, 1)


def test_smtps_is_encrypted_from_the_start(settings: Callable[[str], Settings], trusted: Any) -> None:
    with MailServer(password=PASSWORD, ssl_context=trusted, auth_require_tls=False) as server:
        send(settings(f"smtps://easel:{QUOTED}@127.0.0.1:{server.port}"), new_mail())
        assert (len(server.mails), server.logins) == (1, ["easel"])


def test_an_address_outside_ascii(settings: Callable[[str], Settings], server: MailServer) -> None:
    with pytest.raises(mail.MailRefused):
        send(settings(server.url), new_mail("ада@example.com"))
    with MailServer(enable_SMTPUTF8=True) as modern:
        send(settings(modern.url), new_mail("ада@example.com"))
        assert [received.recipient for received in modern.mails] == ["ада@example.com"]


def test_a_folder_contains_each_mail_once_and_complete(settings: Callable[[str], Settings], tmp_path: Path) -> None:
    folder = tmp_path / "new folder"
    send(settings(folder.as_uri()), new_mail(), new_mail(name="two"), new_mail("ада@example.com", name="two"))
    assert sorted(file.name for file in folder.iterdir()) == ["one.eml", "two.eml"]
    assert b"\r\n\r\n" in (folder / "one.eml").read_bytes()
    assert "ада@example.com" in (folder / "two.eml").read_text()


def test_a_folder_that_cannot_be_written(settings: Callable[[str], Settings], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(mail.MailServerDown, match=r"NotADirectoryError|FileExistsError"):
        send(settings((tmp_path / "file").as_uri()), new_mail())


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "key")
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_ses_accepts_a_mail(settings: Callable[[str], Settings]) -> None:
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.ses.models import ses_backends

    with pytest.raises(mail.MailDelayed, match="MessageRejected"):
        send(settings("ses://eu-central-1"), new_mail())
    boto3.client("sesv2", region_name="eu-central-1").create_email_identity(EmailIdentity="easel@example.com")
    send(settings("ses://eu-central-1"), new_mail())
    [sent] = ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages
    assert set(sent.destinations) == {"ada@example.com"}
    assert "Message-ID: <one@example.com>" in sent.raw_data


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("BadRequestException", mail.MailRefused),
        ("TooManyRequestsException", mail.MailServerDown),
        ("AccountSuspendedException", mail.MailServerDown),
    ],
)
def test_ses_refuses_a_mail(settings: Callable[[str], Settings], code: str, error: type[Exception]) -> None:
    mailer = cast(mail.SesMailer, mail.connect(settings("ses://eu-central-1")))
    with Stubber(mailer._client) as stub:
        stub.add_client_error("send_email", code)
        with pytest.raises(error, match=code):
            mailer.send(new_mail())


def test_ses_without_credentials(settings: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it caches earlier credentials
    with pytest.raises(mail.MailServerDown, match="NoCredentialsError"):
        send(settings("ses://eu-central-1"), new_mail())


@pytest.mark.usefixtures("aws")
def test_ses_reports_why_a_mail_cannot_be_sent(settings: Callable[[str], Settings]) -> None:
    mailer = cast(mail.SesMailer, mail.connect(settings("ses://eu-central-1")))
    with Stubber(mailer._client) as stub:
        stub.add_response("get_account", {"SendingEnabled": False, "ProductionAccessEnabled": False})
        for _ in range(2):
            stub.add_client_error("get_email_identity", "NotFoundException")
        ready = mailer.check()
    assert ready.summary == "SES of eu-central-1 answers"
    assert [word for doubt in ready.warnings for word in ("off", "sandbox", "verified neither") if word in doubt] == [
        "off",
        "sandbox",
        "verified neither",
    ]


@pytest.mark.usefixtures("aws")
def test_ses_is_ready_with_a_verified_domain(settings: Callable[[str], Settings]) -> None:
    mailer = cast(mail.SesMailer, mail.connect(settings("ses://eu-central-1")))
    with Stubber(mailer._client) as stub:
        stub.add_response("get_account", {"SendingEnabled": True, "ProductionAccessEnabled": True})
        stub.add_client_error("get_email_identity", "NotFoundException")
        asked = {"EmailIdentity": "example.com"}
        stub.add_response("get_email_identity", {"VerifiedForSendingStatus": True}, expected_params=asked)
        assert mailer.check().warnings == ()


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException"])
def test_ses_without_permission_to_query(settings: Callable[[str], Settings], code: str) -> None:
    mailer = cast(mail.SesMailer, mail.connect(settings("ses://eu-central-1")))
    with Stubber(mailer._client) as stub:
        stub.add_client_error("get_account", code)
        if code == "AccessDeniedException":
            [warning] = mailer.check().warnings
            assert "only a test mail can show" in warning
        else:
            with pytest.raises(mail.MailServerDown, match=code):
                mailer.check()
