"""Passkeys and mail: notices of them, of a new device, and a password reset, which removes them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.services import Services
from tests.support.authenticator import Authenticator
from tests.support.doors import Door, Doors
from tests.support.mailbox import Mailbox

SITE = "https://easel.example.com"
DOMAIN = "easel.example.com"
PASSWORD = "four unusual words here"
EMAIL = "grace@example.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def mailbox(with_settings: Callable[..., Services], tmp_path: Path) -> Mailbox:
    """Deliver the site's mail into a folder."""
    folder = tmp_path / "mail"
    return Mailbox(with_settings(mail_url=f"file://{folder}", public_url=SITE), folder)


@pytest.fixture
def site(doors: Doors, mailbox: Mailbox) -> Door:
    return doors.open(mailbox.services)


@pytest.fixture
def grace(site: Door) -> dict[str, str]:
    """Sign up in Firefox; return the headers of the session."""
    body = {"email": EMAIL, "password": PASSWORD}
    answer = site.post("/v1/signup", json=body, headers={"User-Agent": FIREFOX})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def phone(site: Door, grace: dict[str, str]) -> Authenticator:
    phone = Authenticator(SITE, DOMAIN)
    begun = site.post("/v1/passkey-options", json={"password": PASSWORD}, headers=grace)
    body = {"name": "a phone", "credential": phone.make(begun.json()["options"])}
    assert site.post("/v1/passkeys", json=body, headers=grace).status_code == 201
    return phone


def log_in(site: Door, phone: Authenticator, agent: str = FIREFOX) -> Any:
    asked = site.post("/v1/login/passkey/options").json()["options"]
    body = {"credential": phone.sign(asked)}
    return site.post("/v1/login/passkey", json=body, headers={"User-Agent": agent})


def test_the_account_is_notified(site: Door, grace: dict[str, str], phone: Authenticator, mailbox: Mailbox) -> None:
    [notice] = mailbox.collect()
    assert "A new passkey for easel.example.com" in notice
    assert f"{SITE}/reset" in notice
    assert "a phone" not in notice, "a mail holds no text of the person who caused it"
    [passkey] = site.get("/v1/passkeys", headers=grace).json()["passkeys"]
    removed = site.request("DELETE", f"/v1/passkeys/{passkey['id']}", json={"password": PASSWORD}, headers=grace)
    assert removed.status_code == 204
    [notice] = mailbox.collect()
    assert "was removed" in notice


def test_a_new_device_is_reported(site: Door, phone: Authenticator, mailbox: Mailbox) -> None:
    mailbox.collect()
    assert log_in(site, phone).status_code == 200
    assert mailbox.collect() == []
    assert log_in(site, phone, FIREFOX.replace("X11; Linux", "Windows")).status_code == 200
    [notice] = mailbox.collect()
    assert "Firefox, Windows" in notice


def test_a_new_password_by_mail_removes_them(
    site: Door, grace: dict[str, str], phone: Authenticator, mailbox: Mailbox
) -> None:
    mailbox.collect()
    body = {"password": PASSWORD}
    begun = site.post("/v1/passkey-options", json=body, headers=grace).json()["options"]
    assert site.post("/v1/password-reset", json={"email": EMAIL}).status_code == 202
    [message] = mailbox.collect()
    [secret] = set(re.findall(r"#token=([\w-]+)", message))
    new = {"token": secret, "password": "five other unusual words here"}
    assert site.put("/v1/password-reset", json=new).status_code == 204
    assert log_in(site, phone).status_code == 401
    session = site.post("/v1/login", json={"email": EMAIL, "password": new["password"]}).json()
    again = {"Authorization": f"Bearer {session['token']}"}
    assert site.get("/v1/passkeys", headers=again).json() == {"passkeys": []}
    made = {"name": "another", "credential": Authenticator(SITE, DOMAIN).make(begun)}
    assert site.post("/v1/passkeys", json=made, headers=again).status_code == 422, "begun before"
