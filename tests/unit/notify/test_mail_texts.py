"""The text of a mail with any prompt and address: no additional header, no line that the prompt could forge."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.core.settings import Settings
from shared.notify import mail, messages
from shared.notify.store import MailClaim, MailImage
from tests.support.mail_server import text_of

SETTINGS = Settings.from_environment(
    {
        "EASEL_DATABASE_URL": "postgresql://db.example.com/easel",
        "EASEL_BROKER_URL": "redis://broker.example.com",
        "EASEL_PUBLIC_URL": "https://easel.example.com",
    }
)
JOB_ID = UUID(int=1)
FINISHED_AT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

HOSTILE = [
    "a\r\nBcc: eve@example.com\r\n\r\nhello",
    "a\nSubject: other",
    "a\u2028Bcc: eve@example.com",
    "a\x85To: eve@example.com",
    "=?utf-8?q?=0D=0ABcc:_eve@example.com?=",
    "\x1b[31mred\x07",
    "\u202egnp.exe",
    "x" * 2000,
    "é" * 2000,
    "\U0001f30a" * 2000,
    "<script>alert(1)</script>",
    ".\r\n.\r\nMAIL FROM:<eve@example.com>",
    "From eve",
    " \t\r\n ",
    "",
    "%s %(prompt)s {prompt}",
]
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language",
    "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type", "MIME-Version",
}  # fmt: skip


def composed(prompt: str, email: str = "ada@example.com") -> EmailMessage:
    claim = MailClaim(
        job_id=JOB_ID, attempts=1, email=email, prompt=prompt, state="failed", error_message=prompt,
        finished_at=FINISHED_AT, requeues=0, n=1, images=(), user_id=JOB_ID, language="en", unsubscribe="00",
    )  # fmt: skip
    return messages.compose(claim, SETTINGS)


def check_harmless(prompt: str, tmp: Path) -> None:
    """Check the parsed mail: each expected header once, and the prompt on one line of the text."""
    message = composed(prompt)
    mailer = mail.FileMailer(tmp)
    mailer.send(message)
    raw = (tmp / f"{JOB_ID}.eml").read_bytes()
    read = message_from_bytes(raw, policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert sorted(read.keys()) == sorted(HEADERS)
    assert read["To"] == "ada@example.com"
    assert read["Subject"].lstrip().startswith("Your picture could not be made")
    assert "\n" not in read["Subject"]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    lines = text_of(read).splitlines()
    assert sum(line.startswith("    ") for line in lines) == (1 if messages._one_line(prompt) else 0)
    assert lines[-1].startswith("You asked Easel for this mail.")


@pytest.mark.parametrize("prompt", HOSTILE, ids=ascii)
def test_a_hostile_prompt_adds_no_header(prompt: str, tmp_path: Path) -> None:
    check_harmless(prompt, tmp_path)


@settings(max_examples=300, deadline=None)
@given(
    prompt=some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
    | some.from_regex(r"( ?=\?utf-8\?[qb]\?[!-~]{0,40}\?=){1,3}", fullmatch=True)
)
def test_no_prompt_adds_a_header(prompt: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    check_harmless(prompt, tmp_path_factory.getbasetemp() / "mails")


@settings(max_examples=300, deadline=None)
@given(email=some.text(max_size=60) | some.emails())
def test_no_address_adds_a_header(email: str) -> None:
    with suppress(mail.MailRefused):
        message = composed("a lighthouse", email)
        assert sorted(message.keys()) == sorted(HEADERS)
        assert len(message["To"].addresses) == 1
        assert "\n" not in str(message["To"])


def test_an_address_of_another_alphabet() -> None:
    assert composed("x", "ada@пример.рф")["To"] == "ada@xn--e1afmkfd.xn--p1ai"
    assert composed("x", "ада@example.com")["To"].addresses[0].username == "ада"


def claim_of(prompt: str = "a lighthouse", language: str = "en", count: int = 1) -> MailClaim:
    return MailClaim(
        job_id=JOB_ID, attempts=1, email="ada@example.com", prompt=prompt, state="succeeded", error_message=None,
        finished_at=FINISHED_AT, requeues=0, n=count, user_id=JOB_ID, language=language, unsubscribe="ab" * 32,
        images=tuple(MailImage(f"image-{number}", "key", "thumbnail", 3) for number in range(count)),
    )  # fmt: skip


def parsed(message: EmailMessage) -> EmailMessage:
    read = message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_pictures_are_inside_and_beside() -> None:
    pictures = {
        "image-0": messages.MailPicture(b"small", b"full"),
        "image-1": messages.MailPicture(b"small too", None),
    }
    read = parsed(messages.compose(claim_of(count=3), SETTINGS, pictures))
    related = read.get_body(("related",))
    assert related is not None
    inline = {str(part["Content-ID"]): part.get_content() for part in related.iter_attachments()}
    assert inline == {"<image-0@easel>": b"small", "<image-1@easel>": b"small too"}
    [attached] = read.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("easel-1.png", b"full")
    page = html_of(read)
    assert page.count("<img") == 2
    assert 'src="cid:image-0@easel" alt="Picture 1"' in page
    assert "prefers-color-scheme:dark" in page
    for number in range(3):
        assert f"https://easel.example.com/i/image-{number}" in page
        assert f"https://easel.example.com/i/image-{number}" in text_of(read)
    # RFC 8058: both headers, and an https URL.
    assert read["List-Unsubscribe"] == f"<https://easel.example.com/v1/unsubscribe/{'ab' * 32}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_same_end_gives_the_same_bytes() -> None:
    pictures = {"image-0": messages.MailPicture(b"small", b"full")}
    first, second = (messages.compose(claim_of(), SETTINGS, pictures).as_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("prompt", HOSTILE, ids=ascii)
def test_a_prompt_is_never_markup(prompt: str) -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[tuple[str, object]] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.seen.append((tag, tuple(attrs)))

    def tags(prompt: str) -> list[tuple[str, object]]:
        parser = Tags()
        parser.feed(html_of(parsed(messages.compose(claim_of(prompt), SETTINGS))))
        return [tag for tag in parser.seen if tag[0] != "blockquote"]

    assert tags(prompt) == tags("a lighthouse")
    assert tags(f'"><img src=x onerror=alert(1)>{prompt}') == tags("a lighthouse")


def test_the_language_is_the_accounts() -> None:
    read = parsed(messages.compose(claim_of(language="ru", count=2), SETTINGS))
    assert read["Subject"] == "Ваши картины готовы (2): a lighthouse"
    assert read["Content-Language"] == "ru"
    assert '<html lang="ru">' in html_of(read)
    assert "Постоянные ссылки" in text_of(read)
    assert messages.WORDS["en"].keys() == messages.WORDS["ru"].keys()


def test_what_fits_is_attached() -> None:
    full = 5_000_000
    assert messages.attachable(full, 100_000)
    assert not messages.attachable(full, full)
    pictures = {"image-0": messages.MailPicture(b"x", b"y" * full)}
    raw = messages.compose(claim_of(), SETTINGS, pictures).as_bytes(policy=policy.SMTP)
    assert full < len(raw) < messages.MAX_MAIL_BYTES
    most = max(size for size in range(0, 8_000_000, 1000) if messages.attachable(size, 0))
    largest = {"image-0": messages.MailPicture(b"x", b"y" * most)}
    assert len(messages.compose(claim_of(), SETTINGS, largest).as_bytes(policy=policy.SMTP)) < messages.MAX_MAIL_BYTES


def test_a_video_is_a_link_with_its_poster() -> None:
    claim = claim_of(count=2)
    claim = replace(claim, images=(replace(claim.images[0], has_video=True), claim.images[1]))
    link = f"{SETTINGS.public_url}/i/image-0?timelapse=1"
    read = parsed(messages.compose(claim, SETTINGS, {"image-0": messages.MailPicture(b"small", None)}))
    assert text_of(read).count("?timelapse=1") == 1
    assert link in text_of(read)
    assert f'<a href="{link}">{link}<br><img src="cid:image-0@easel"' in html_of(read)
    bare = html_of(parsed(messages.compose(claim, SETTINGS)))
    assert f'<a href="{link}">{link}</a>' in bare
    assert "cid:" not in bare
