"""The page of the mails that `make run` wrote: what it shows, and to whom."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from local import mail_files, mail_page
from shared.core.settings import Settings
from shared.notify.mail import FileMailer

PNG = b"\x89PNG\r\n\x1a\n full"
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class Page:
    """The page's routes in this process, as a client at an address asks them by a host."""

    def __init__(self, mail_url: str, client: str, host: str) -> None:
        app = Starlette(routes=mail_page.routes(settings_of(mail_url)))
        self._transport = httpx.ASGITransport(app, client=(client, 5000))
        self._host = host

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=f"http://{self._host}") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


def settings_of(mail_url: str) -> Settings:
    return Settings.from_environment(
        {
            "EASEL_DATABASE_URL": "postgresql://db.example.com/easel",
            "EASEL_BROKER_URL": "redis://broker.example.com",
            "EASEL_MAIL_URL": mail_url,
        }
    )


@pytest.fixture
def open_page(tmp_path: Path) -> Callable[..., Page]:
    def open_page(client: str = "127.0.0.1", host: str = "127.0.0.1:8080", url: str | None = None) -> Page:
        return Page(url or tmp_path.as_uri(), client, host)

    return open_page


def write(folder: Path, number: int = 1, subject: str = "Your picture is ready") -> None:
    message = EmailMessage()
    message["From"] = "Easel <easel@example.com>"
    message["To"] = "ada@example.com"
    message["Subject"] = subject
    message["Message-ID"] = f"<mail-{number}@example.com>"
    message["Date"] = datetime(2030, 1, 2, tzinfo=UTC)
    message.set_content(f"the text {HOSTILE}")
    message.add_alternative(f'<html><head></head><body><img src="cid:a@easel">{HOSTILE}</body></html>', subtype="html")
    html = list(message.iter_parts())[1]
    assert isinstance(html, EmailMessage)
    html.add_related(b"small", "image", "jpeg", cid="<a@easel>")
    message.add_attachment(PNG, "image", "png", filename="easel-1.png")
    message.add_attachment(HOSTILE.encode(), "text", "html", filename=f"{HOSTILE}.html")
    FileMailer(folder).send(message)


def test_the_mails_are_listed_newest_first(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    page = open_page()
    assert "No mail yet" in page.get("/dev/mail").text
    for number in range(mail_files.MOST_LISTED + 5):
        write(tmp_path, number, f"number {number}")
    (tmp_path / "unfinished.new").write_text("half a mail")
    answer = page.get("/dev/mail")
    listed = [int(number) for number in re.findall(r'href="/dev/mail/mail-(\d+)"', answer.text)]
    assert listed == list(range(mail_files.MOST_LISTED + 4, 4, -1))
    assert f"The newest {mail_files.MOST_LISTED} of {mail_files.MOST_LISTED + 5}." in answer.text
    assert "answers only this machine" in answer.text
    assert str(tmp_path) in answer.text


def test_a_mail_is_shown_with_all_its_parts(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    write(tmp_path)
    page = open_page()
    shown = page.get("/dev/mail/mail-1")
    assert "ada@example.com" in shown.text
    assert "the text &lt;script&gt;" in shown.text
    assert 'src="/dev/mail/mail-1/0"' in shown.text
    html = page.get("/dev/mail/mail-1/html").text
    assert 'src="data:image/jpeg;base64,c21hbGw="' in html
    assert "cid:" not in html
    picture = page.get("/dev/mail/mail-1/0")
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    raw = page.get("/dev/mail/mail-1/raw")
    assert raw.content == (tmp_path / "mail-1.eml").read_bytes()
    assert raw.headers["content-type"].startswith("text/plain")


def test_nothing_in_a_mail_runs(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    write(tmp_path, subject=HOSTILE)
    page = open_page()
    for path in ("/dev/mail", "/dev/mail/mail-1"):
        answer = page.get(path)
        assert "<script" not in answer.text
        assert "onerror=&quot;" in answer.text
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none';")
    [frame] = re.findall("<iframe [^>]*>", page.get("/dev/mail/mail-1").text)
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
    html = page.get("/dev/mail/mail-1/html")
    assert HOSTILE in html.text, "it is the mail's own"
    rules = html.headers["content-security-policy"]
    assert rules.startswith("default-src 'none';")
    assert "sandbox" in rules
    assert "allow-scripts" not in rules
    assert "allow-same-origin" not in rules
    attached = page.get("/dev/mail/mail-1/1")
    assert attached.headers["content-type"] == "application/octet-stream"
    assert attached.headers["content-disposition"] == "attachment"


@pytest.mark.parametrize(
    ("client", "host", "headers"),
    [
        ("192.0.2.7", "127.0.0.1:8080", {}),
        ("127.0.0.1", "easel.example.com", {}),
        ("127.0.0.1", "127.0.0.1.example.com", {}),
        ("127.0.0.1", "127.0.0.1:8080", {"X-Forwarded-For": "192.0.2.7"}),
        ("127.0.0.1", "127.0.0.1:8080", {"Forwarded": "for=192.0.2.7"}),
    ],
)
def test_it_answers_only_this_machine(
    tmp_path: Path, open_page: Callable[..., Page], client: str, host: str, headers: dict[str, str]
) -> None:
    write(tmp_path)
    page = open_page(client, host)
    for path in ("", "/mail-1", "/mail-1/html", "/mail-1/raw", "/mail-1/0", "/style.css"):
        assert page.get(f"/dev/mail{path}", headers=headers).status_code == 403
    assert open_page("::1", "localhost:8080").get("/dev/mail").status_code == 200


@pytest.mark.parametrize("name", ["..%2fsecret", "%2e%2e%2fsecret", "secret.eml", "mail-2", "x" * 300, "%00", "%D0%B0"])
def test_no_other_file_is_read(tmp_path: Path, open_page: Callable[..., Page], name: str) -> None:
    folder = tmp_path / "mail"
    write(folder)
    (tmp_path / "secret.eml").write_text("Subject: secret\n\nsecret")
    page = open_page(url=folder.as_uri())
    for path in ("", "/html", "/raw", "/0"):
        assert page.get(f"/dev/mail/{name}{path}").status_code == 404
    assert page.get("/dev/mail/mail-1/9").status_code == 404


def test_broken_files_are_shown_as_they_are(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    (tmp_path / "empty.eml").write_bytes(b"")
    (tmp_path / "noise.eml").write_bytes(bytes(range(256)) * 50)
    (tmp_path / "large.eml").write_bytes(b"Subject: large\n\n" + b"x" * mail_files.MAX_MAIL_BYTES)
    page = open_page()
    assert page.get("/dev/mail").status_code == 200
    for name, status in (("empty", 200), ("noise", 200), ("large", 404)):
        assert page.get(f"/dev/mail/{name}").status_code == status


def test_it_speaks_russian(open_page: Callable[..., Page]) -> None:
    answer = open_page().get("/dev/mail", headers={"Accept-Language": "ru-RU,ru;q=0.9"})
    assert "Писем ещё нет" in answer.text
    assert '<html lang="ru">' in answer.text
    assert mail_page.WORDS["en"].keys() == mail_page.WORDS["ru"].keys()


def test_it_says_when_mails_go_elsewhere(open_page: Callable[..., Page]) -> None:
    page = open_page(url="smtp://easel:secret@mail.example.com")
    answer = page.get("/dev/mail")
    assert "EASEL_MAIL_URL names a mail server" in answer.text
    assert "secret" not in answer.text
    assert page.get("/dev/mail/mail-1").status_code == 404


def test_the_raw_file_is_what_the_mailer_wrote(tmp_path: Path) -> None:
    write(tmp_path)
    mail = mail_files.read_mail(tmp_path, "mail-1")
    assert mail is not None
    assert mail.raw.count(b"\r\n") > 10
    assert [name for name, _ in mail.headers][:2] == ["From", "To"]
