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
from shared.notify import mail, mail_stories, messages
from shared.notify.mail_html import one_line
from shared.notify.mail_words import WORDS
from shared.notify.store import MailClaim, MailImage, MailJob
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


def job_of(prompt: str = "a lighthouse", count: int = 1, number: int = 0) -> MailJob:
    """Return a job with so many pictures; those of another number have other ids."""
    names = [f"image-{number + index}" for index in range(count)]
    images = tuple(MailImage(name, "key", "thumbnail", 3) for name in names)
    return MailJob(str(UUID(int=1 + number)), prompt, "succeeded", None, count, images)


def claim_of(*jobs: MailJob, language: str = "en") -> MailClaim:
    return MailClaim(
        outbox="mails", id=JOB_ID, due_at=FINISHED_AT, attempts=1, user_id=JOB_ID, email="ada@example.com",
        language=language, unsubscribe="ab" * 32, finished_at=FINISHED_AT, requeues=0, cancelled=0,
        jobs=jobs or (job_of(),), confirmed=True,
    )  # fmt: skip


def composed(prompt: str, email: str = "ada@example.com") -> EmailMessage:
    claim = replace(claim_of(MailJob(str(JOB_ID), prompt, "failed", prompt, 1, ())), email=email)
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
    assert sum(line.startswith("    ") for line in lines) == (1 if one_line(prompt) else 0)
    assert lines[-1].startswith("You asked Easel for this mail.")


@pytest.mark.parametrize("prompt", HOSTILE, ids=ascii)
def test_a_hostile_prompt_adds_no_header(prompt: str, tmp_path: Path) -> None:
    check_harmless(prompt, tmp_path)


@settings(max_examples=300)
@given(
    prompt=some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
    | some.from_regex(r"( ?=\?utf-8\?[qb]\?[!-~]{0,40}\?=){1,3}", fullmatch=True)
)
def test_no_prompt_adds_a_header(prompt: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    check_harmless(prompt, tmp_path_factory.getbasetemp() / "mails")


@settings(max_examples=300)
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
    read = parsed(messages.compose(claim_of(job_of(count=3)), SETTINGS, pictures))
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


@pytest.mark.parametrize("claim", [claim_of(job_of("маяк ночью " * 9)), claim_of(language="ru")])
def test_no_relay_has_to_change_a_byte(claim: MailClaim) -> None:
    """What is not ASCII, or on long lines, a relay would convert, which breaks a signature."""
    pictures = {"image-0": messages.MailPicture(b"\xff\xd8small", b"\x89PNG\r\n\n\rfull")}
    raw = messages.compose(claim, SETTINGS, pictures).as_bytes(policy=policy.SMTP)
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert max(map(len, lines)) <= 200
    assert b"List-Unsubscribe: <https://easel.example.com/v1/unsubscribe/" + b"ab" * 32 + b">" in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


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
        parser.feed(html_of(parsed(messages.compose(claim_of(job_of(prompt)), SETTINGS))))
        return [tag for tag in parser.seen if tag[0] != "blockquote"]

    assert tags(prompt) == tags("a lighthouse")
    assert tags(f'"><img src=x onerror=alert(1)>{prompt}') == tags("a lighthouse")


def test_the_language_is_the_accounts() -> None:
    read = parsed(messages.compose(claim_of(job_of(count=2), language="ru"), SETTINGS))
    assert read["Subject"] == "Ваши картины готовы (2): a lighthouse"
    assert read["Content-Language"] == "ru"
    assert '<html lang="ru">' in html_of(read)
    assert "Постоянные ссылки" in text_of(read)
    assert WORDS["en"].keys() == WORDS["ru"].keys()


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
    first, second = job_of(count=2).images
    claim = claim_of(replace(job_of(), images=(replace(first, has_video=True), second)))
    link = f"{SETTINGS.public_url}/i/image-0?timelapse=1"
    read = parsed(messages.compose(claim, SETTINGS, {"image-0": messages.MailPicture(b"small", None)}))
    assert text_of(read).count("?timelapse=1") == 1
    assert link in text_of(read)
    assert f'<a href="{link}">{link}<br><img src="cid:image-0@easel"' in html_of(read)
    bare = html_of(parsed(messages.compose(claim, SETTINGS)))
    assert f'<a href="{link}">{link}</a>' in bare
    assert "cid:" not in bare


def group_of(*jobs: MailJob, language: str = "en", cancelled: int = 0) -> MailClaim:
    return replace(claim_of(*jobs, language=language), outbox="group_mails", cancelled=cancelled)


def test_a_group_names_its_jobs_and_why_some_failed() -> None:
    failed = MailJob(str(UUID(int=9)), "a <b>castle</b>", "failed", "The generator is broken.", 2, ())
    claim = group_of(job_of("a lighthouse", 2), failed, job_of("a ship", 1, number=5), cancelled=3)
    pictures = {f"image-{number}": messages.MailPicture(b"small", None) for number in (0, 1, 5)}
    read = parsed(messages.compose(claim, SETTINGS, pictures))
    assert read["Subject"] == "3 of your 5 pictures are ready: a lighthouse"
    site = SETTINGS.public_url
    assert "\n".join(text_of(read).splitlines()).split("\n\n")[:8] == [
        "3 of your 5 pictures are ready.",
        "    a lighthouse",
        f"{site}/pictures/{UUID(int=1)}\n{site}/i/image-0\n{site}/i/image-1",
        "    a ship",
        f"{site}/pictures/{UUID(int=6)}\n{site}/i/image-5",
        "These could not be made, and do not count against today's quota:",
        "    a <b>castle</b>",
        f"The generator is broken.\n{site}/pictures/{UUID(int=9)}",
    ]
    assert "Cancelled jobs: 3." in text_of(read)
    page = html_of(read)
    assert page.count("<img") == 3
    assert "a &lt;b&gt;castle&lt;/b&gt;" in page
    assert "Cancelled jobs: 3." in page


@pytest.mark.parametrize(
    ("language", "state", "subject"),
    [
        ("en", "succeeded", "Your likeness is ready: Rex"),
        ("en", "failed", "Your likeness could not be trained: Rex"),
        ("ru", "succeeded", "Ваш образ готов: Rex"),
    ],
)
def test_a_training_is_no_picture(language: str, state: str, subject: str) -> None:
    job = MailJob(str(JOB_ID), "Rex", state, "The generator is broken.", 1, (), is_training=True)
    assert parsed(messages.compose(claim_of(job, language=language), SETTINGS))["Subject"] == subject


def test_a_group_in_russian() -> None:
    failed = MailJob(str(UUID(int=9)), "замок", "failed", "The generator is broken.", 1, ())
    read = parsed(messages.compose(group_of(job_of("маяк"), failed, language="ru"), SETTINGS))
    assert read["Subject"] == "Картины готовы: 1 из 2: маяк"
    assert "Эти не получились" in text_of(read)
    assert "Эти не получились" in html_of(read)


def test_a_group_of_the_most_jobs_fits() -> None:
    """Whatever is in the prompts and the reasons, the mail stays under its limit with what `attachable` admits."""
    wide = "\U0001f30a" * 2000
    jobs = [job_of(wide, 4, number=4 * index) for index in range(100)]
    jobs += [MailJob(str(UUID(int=1000 + index)), wide, "failed", "x" * 200, 4, ()) for index in range(100)]
    most = max(size for size in range(0, 8_000_000, 1000) if messages.attachable(size, 0, len(jobs)))
    pictures = {"image-0": messages.MailPicture(b"x", b"y" * most)}
    message = messages.compose(group_of(*jobs), SETTINGS, pictures)
    assert len(message.as_bytes(policy=policy.SMTP)) < messages.MAX_MAIL_BYTES
    assert text_of(message).count(f"{SETTINGS.public_url}/i/") == mail_stories.MOST_LINKS
    assert text_of(message).count(f"{SETTINGS.public_url}/pictures/") == 200
