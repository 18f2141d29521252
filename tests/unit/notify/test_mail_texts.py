"""The text of a mail with any prompt and address: no additional header, no line that the prompt could forge."""

from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.core.settings import Settings
from shared.notify import mail, outbox
from shared.notify.store import MailClaim

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
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
    "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
}  # fmt: skip


def composed(prompt: str, email: str = "ada@example.com") -> EmailMessage:
    claim = MailClaim(
        job_id=JOB_ID, attempts=1, email=email, prompt=prompt, state="failed", error_message=prompt,
        finished_at=FINISHED_AT, requeues=0, n=1, image_ids=[],
    )  # fmt: skip
    return outbox.compose(claim, SETTINGS)


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
    lines = read.get_content().splitlines()
    assert sum(line.startswith("    ") for line in lines) == (1 if outbox._one_line(prompt) else 0)
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
