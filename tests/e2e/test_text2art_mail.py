"""The form of Text2Art: prompt, quality, type and aspect go in, and a mail with picture and video comes out.

The mail arrives at a real SMTP server and is read by a parser that shares nothing with the one that wrote it
(fast-mail-parser, on Rust's mailparse).
"""

import io
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import pytest
import requests
from fast_mail_parser import PyMail, parse_email
from PIL import Image

from tests.support.api_user import ApiUser
from tests.support.mail_server import MailServer
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.waiting import until

FORM = {"quality": "draft", "type": "painting", "aspect": "widescreen", "timelapse": True, "notify": "email"}
WORDS = {
    "en": ("a castle above the clouds | watercolour", "Your picture is ready: ", "The video of its making:"),
    "ru": ("маяк ночью | акварель", "Ваша картина готова: ", "Видео о том, как она писалась:"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def mailing_site(server: MailServer) -> Iterator[RunningSite]:
    """Start a stack that sends its mail to the server."""
    with TemporaryDirectory(prefix="easel-mail-") as folder:
        site = RunningSite(Path(folder) / "home", empty=True)
        site.environment |= {"EASEL_MAIL_URL": server.url, "EASEL_MAIL_FROM": "Easel <pictures@example.com>"}
        try:
            site.start()
            yield site
        finally:
            site.stop()


@pytest.fixture(params=["ru", *repeats("en")])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fetch(url: str) -> requests.Response:
    """Return what a mail program gets at a link: without any cookie or token."""
    answer = requests.get(url, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def check_pictures(site: RunningSite, job: dict[str, Any], mail: PyMail) -> None:
    """Check that the picture is inside as a thumbnail, attached in full, and behind its link."""
    [image] = job["images"]
    [page] = mail.text_html
    inside, attached = mail.attachments
    assert (inside.mimetype, inside.disposition) == ("image/jpeg", "inline")
    assert inside.content_id is not None
    assert f'src="cid:{inside.content_id}"' in page
    thumbnail = Image.open(io.BytesIO(inside.content))
    assert thumbnail.width > thumbnail.height > 100
    assert (attached.mimetype, attached.filename, attached.disposition) == ("image/png", "easel-1.png", "attachment")
    assert attached.content == fetch(f"{site.url}/i/{image['id']}").content
    assert Image.open(io.BytesIO(attached.content)).size == (image["width"], image["height"])
    for text in (page, mail.text_plain[0]):
        assert f"{site.url}/i/{image['id']}" in text
        assert f"{site.url}/pictures/{job['id']}" in text


def check_video(mail: PyMail, words: str) -> None:
    """Check that the video is a link with its poster inside the mail, and that it plays."""
    [page] = mail.text_html
    [(url, poster)] = re.findall(r'<a href="([^"]+\?timelapse=1)">[^<]*<br><img src="cid:([^"]+)"', page)
    assert poster == mail.attachments[0].content_id
    for text in (page, mail.text_plain[0]):
        assert words in text
        assert url in text
    video = fetch(url)
    assert video.headers["Content-Type"] == "video/mp4"
    with av.open(io.BytesIO(video.content), "r") as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert len(list(container.decode(stream))) > 10


def check_dkim_neutral(raw: bytes) -> None:
    """Check that no relay has a reason to rewrite what a signature covers: ASCII, short lines, CRLF, no blank ends."""
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert max(map(len, lines)) <= 998
    head = lines[: lines.index(b"")]
    assert not [line for line in head if line != line.rstrip()]
    names = [line.partition(b":")[0].lower() for line in head if not line.startswith((b" ", b"\t"))]
    assert len(names) == len(set(names))
    message = message_from_bytes(raw, policy=policy.SMTP.clone(refold_source="none"))
    assert message.as_bytes() == raw
    encodings = {part["Content-Transfer-Encoding"] for part in message.walk() if not part.is_multipart()}
    assert encodings <= {"7bit", "quoted-printable", "base64"}


def check_one_click(user: ApiUser, raw: bytes) -> None:
    """Check the headers as they are in the file, since parsers decode more than mail programs do, and the POST."""
    [url] = re.findall(rb"^List-Unsubscribe: <(http[!-~]+)>\r$", raw, re.MULTILINE)
    assert re.findall(rb"^List-Unsubscribe-Post: (.+)\r$", raw, re.MULTILINE) == [b"List-Unsubscribe=One-Click"]
    assert requests.get(url.decode(), timeout=60).status_code == 405, "a scanner that follows links ends nothing"
    assert user.call("GET", "/v1/me").json()["user"]["mail_stopped"] is None
    for _ in range(2):
        clicked = requests.post(url.decode(), data={"List-Unsubscribe": "One-Click"}, timeout=60)
        assert clicked.status_code == 200, clicked.text
    assert user.call("GET", "/v1/me").json()["user"]["mail_stopped"] == "unsubscribed"


def test_the_form_ends_in_a_mail_with_picture_and_video(
    mailing_site: RunningSite, server: MailServer, language: str
) -> None:
    prompt, outcome, video = WORDS[language]
    with ApiUser(mailing_site.url) as user:
        assert user.call("PATCH", "/v1/me", json={"language": language}).status_code == 200
        answer = user.call("POST", "/v1/jobs", json={"prompt": prompt, **FORM})
        assert answer.status_code == 202, answer.text
        [job] = user.finished(120)
        assert job["state"] == "succeeded", job
        assert {name: job["settings"][name] for name in FORM} == FORM
        [received] = until(lambda: server.of(user.email), "the mail", 60)
        assert received.sender == "pictures@example.com"
        check_dkim_neutral(received.content)
        mail = parse_email(received.content)
        assert mail.warnings == []
        assert mail.subject == outcome + prompt
        assert (mail.headers["To"], mail.headers["From"]) == ([user.email], ["Easel <pictures@example.com>"])
        assert f'<html lang="{language}">' in mail.text_html[0]
        check_pictures(mailing_site, job, mail)
        check_video(mail, video)
        check_one_click(user, received.content)
