"""Identities of an account: connecting and disconnecting, accounts without a password, and sites without passwords."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import text

from shared.services import Services
from tests.support.browser_session import PASSWORD, SITE, Browser, count, failed
from tests.support.doors import Door, Doors
from tests.support.identity_provider import CLIENT_SECRET, IdentityProvider
from tests.support.mailbox import Mailbox
from tests.support.people import Person

ADA = {"email": "ada@example.com", "password": PASSWORD}
NEW = "eight blue kettles whistle"


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_connecting_takes_the_password(browser: Browser, provider_site: Services, provider: IdentityProvider) -> None:
    browser.send("POST", "/v1/signup", json=ADA)
    wrong = browser.send("POST", "/v1/me/identities", json={"password": NEW})
    assert outcome(wrong) == (401, "bad_credentials")
    missing = browser.send("POST", "/v1/me/identities", json={})
    assert outcome(missing) == (422, "invalid_request")
    assert missing.json()["errors"][0]["code"] == "required"
    elsewhere = browser.send(
        "POST", "/v1/me/identities", json={"password": PASSWORD}, headers={"Origin": "https://evil.example.com"}
    )
    assert outcome(elsewhere) == (403, "cross_site")
    assert browser.connect() == "/account"
    assert browser.connect() == "/account", "again, which changes nothing"
    assert count(provider_site, "identities") == 1
    assert browser.ways_in()["has_password"] is True


def test_an_identity_belongs_to_one_account(browser: Browser, provider: IdentityProvider) -> None:
    browser.sign_in()
    bob = Browser(browser.door)
    bob.send("POST", "/v1/signup", json=ADA | {"email": "bob@example.com"})
    assert bob.connect() == "/account?error=oidc_taken"
    assert bob.ways_in()["identities"] == []
    assert len(browser.ways_in()["identities"]) == 1


@pytest.mark.parametrize("how", ["out", "another"])
def test_connecting_ends_with_the_session_that_began_it(browser: Browser, how: str) -> None:
    browser.send("POST", "/v1/signup", json=ADA)
    url = browser.send("POST", "/v1/me/identities", json={"password": PASSWORD}).json()["url"]
    browser.send("POST", "/v1/logout")
    if how == "another":
        browser.send("POST", "/v1/signup", json=ADA | {"email": "bob@example.com"})
    where = browser.come_back(browser.visit(url))
    assert where == "/account?error=" + {"out": "not_signed_in", "another": "oidc_state"}[how]
    if how == "another":
        assert browser.ways_in()["identities"] == []


def test_at_most_ten(browser: Browser, provider: IdentityProvider) -> None:
    browser.send("POST", "/v1/signup", json=ADA)
    for number in range(10):
        provider.person["sub"] = f"person-{number}"
        assert browser.connect() == "/account"
    full = browser.send("POST", "/v1/me/identities", json={"password": PASSWORD})
    assert outcome(full) == (422, "invalid_request")
    assert (full.json()["errors"][0]["code"], full.json()["errors"][0]["limit"]) == ("too_many", 10)


def test_disconnecting(browser: Browser, provider: IdentityProvider) -> None:
    provider.claims["auth_time"] = int(time.time())
    browser.sign_in()
    [first] = browser.ways_in()["identities"]
    path = f"/v1/me/identities/{first['id']}"
    assert outcome(browser.send("DELETE", path)) == (409, "last_identity")
    assert browser.ways_in()["identities"] == [first]
    provider.person["sub"] = "another"
    assert browser.connect(None) == "/account"
    assert browser.send("DELETE", path).status_code == 204
    assert browser.send("DELETE", path).status_code == 404
    [second] = browser.ways_in()["identities"]
    assert browser.send("POST", "/v1/me/password", json={"new_password": PASSWORD}).status_code == 204
    assert browser.send("DELETE", f"/v1/me/identities/{second['id']}").status_code == 204
    assert browser.send("POST", "/v1/login", json=ADA).status_code == 200


def test_the_last_two_are_not_disconnected_at_once(browser: Browser, provider: IdentityProvider) -> None:
    provider.claims["auth_time"] = int(time.time())
    browser.sign_in()
    provider.person["sub"] = "another"
    assert browser.connect(None) == "/account"
    paths = [f"/v1/me/identities/{one['id']}" for one in browser.ways_in()["identities"]]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda path: browser.send("DELETE", path), paths))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert len(browser.ways_in()["identities"]) == 1


# Without a password


CALLS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("DELETE", "/v1/me", {}),
    ("POST", "/v1/me/password", {"new_password": NEW}),
    ("POST", "/v1/me/email", {"email": "grace@example.com"}),
    ("POST", "/v1/me/identities", {}),
    ("POST", "/v1/passkey-options", {}),
)


@pytest.fixture
def mailbox(with_settings: Callable[..., Services], provider: IdentityProvider, tmp_path: Path) -> Mailbox:
    mail = f"file://{tmp_path / 'mail'}"
    return Mailbox(with_settings(mail_url=mail, public_url=SITE, **provider.settings), tmp_path / "mail")


@pytest.fixture
def posted(doors: Doors, mailbox: Mailbox) -> Browser:
    """Open a browser on a site that also sends mail."""
    return Browser(doors.open(mailbox.services))


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[path for _, path, _ in CALLS])
def test_a_fresh_sign_in_stands_for_the_password(
    posted: Browser, provider: IdentityProvider, method: str, path: str, body: dict[str, str]
) -> None:
    posted.sign_in()
    assert outcome(posted.send(method, path, json=body)) == (403, "sign_in_again"), "the provider did not say when"
    for password in ("", "x", "no account has this password", PASSWORD):
        refused = posted.send(method, path, json=body | {"password": password})
        assert refused.status_code in (401, 422)
    token = posted.send("POST", "/v1/tokens", json={"name": "x"}).json()["token"]
    provider.claims["auth_time"] = int(time.time())
    assert posted.sign_in("?fresh=true&next=/account") == "/account"
    by_program = posted.send(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
    assert outcome(by_program) == (403, "sign_in_again")
    assert posted.send(method, path, json=body).is_success


@pytest.mark.parametrize("auth_time", [None, 1_000_000_000, True, -1])
def test_a_sign_in_that_is_not_fresh(posted: Browser, provider: IdentityProvider, auth_time: Any) -> None:
    provider.claims["auth_time"] = auth_time
    assert posted.sign_in() == "/create"
    assert posted.sign_in("?fresh=true") == "/account?error=oidc_not_fresh"
    assert outcome(posted.send("DELETE", "/v1/me", json={})) == (403, "sign_in_again")


def test_a_fresh_sign_in_ages(posted: Browser, provider: IdentityProvider, mailbox: Mailbox) -> None:
    provider.claims["auth_time"] = int(time.time()) + 30  # the provider's clock is ahead
    posted.sign_in()
    with mailbox.services.db.begin() as connection:
        connection.execute(text("UPDATE tokens SET authenticated_at = authenticated_at - interval '5 minutes'"))
    assert outcome(posted.send("DELETE", "/v1/me", json={})) == (403, "sign_in_again")


def test_no_password_logs_in_to_an_account_without_one(posted: Browser) -> None:
    posted.sign_in()
    for password in ("no account has this password", "x", PASSWORD):
        answer = posted.send("POST", "/v1/login", json=ADA | {"password": password})
        assert outcome(answer) == (401, "bad_credentials")
    assert outcome(posted.send("POST", "/v1/signup", json=ADA)) == (409, "email_taken")


def test_a_deleted_account_leaves_its_identity_free(posted: Browser, provider: IdentityProvider) -> None:
    provider.claims["auth_time"] = int(time.time())
    posted.sign_in()
    first = posted.me()["user"]["id"]
    assert posted.send("DELETE", "/v1/me", json={}).status_code == 202
    assert posted.sign_in() == "/create"
    assert posted.me()["user"]["id"] != first


def test_a_reset_by_mail_disconnects_all(posted: Browser, mailbox: Mailbox) -> None:
    posted.sign_in()
    assert posted.send("POST", "/v1/password-reset", json={"email": "ada@example.com"}).status_code == 202
    [message] = mailbox.collect()
    [token] = re.findall(r"#\S*token=([^&\s]+)", message)
    answer = posted.send("PUT", "/v1/password-reset", json={"token": token, "password": PASSWORD})
    assert answer.status_code == 204
    guest = Browser(posted.door)
    assert failed(guest.sign_in()) == "oidc_email_taken"
    assert guest.send("POST", "/v1/login", json=ADA).status_code == 200
    assert guest.ways_in() == {"has_password": True, "identities": []}


# Without passwords, and without a provider


def test_a_site_without_passwords(
    doors: Doors, with_settings: Callable[..., Services], provider: IdentityProvider, provider_site: Services
) -> None:
    before = Browser(doors.open(provider_site))
    before.send("POST", "/v1/signup", json=ADA)
    before.connect()
    browser = Browser(doors.open(with_settings(public_url=SITE, local_accounts="off", **provider.settings)))
    for method, path, body in (
        ("POST", "/v1/signup", ADA),
        ("POST", "/v1/login", ADA),
        ("POST", "/v1/password-reset", {"email": ADA["email"]}),
        ("PUT", "/v1/password-reset", {"token": "x", "password": PASSWORD}),
    ):
        assert outcome(browser.send(method, path, json=body)) == (403, "not_offered")
    assert browser.send("GET", "/v1/presets").json()["sign_in"] == {
        "local": False,
        "provider": "Example ID",
        "passkeys": None,
    }
    provider.claims["auth_time"] = int(time.time())
    assert browser.sign_in() == "/create"
    set_one = browser.send("POST", "/v1/me/password", json={"new_password": NEW})
    assert outcome(set_one) == (403, "not_offered")
    [only] = browser.ways_in()["identities"]
    assert outcome(browser.send("DELETE", f"/v1/me/identities/{only['id']}")) == (409, "last_identity")
    assert browser.send("DELETE", "/v1/me", json={}).status_code == 202


def test_a_site_without_a_provider(door: Door, ada: Person) -> None:
    for path in ("/v1/oidc/login", "/v1/oidc/callback?state=x&code=x"):
        assert outcome(door.get(path)) == (403, "not_offered")
    assert outcome(door.post("/v1/me/identities", json={}, headers=ada.headers)) == (403, "not_offered")
    assert door.get("/v1/presets").json()["sign_in"] == {"local": True, "provider": None, "passkeys": "localhost"}


def test_no_secret_is_logged(browser: Browser, provider: IdentityProvider, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        callback = browser.visit(browser.leave())
        cookie = browser.cookies["__Host-easel_oidc"]
        provider.claims["nonce"] = "another"
        assert failed(browser.come_back(callback)) == "oidc_refused"
    code = dict(parse_qsl(urlsplit(callback).query))["code"]
    [form] = provider.forms
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    said = " ".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert "the ID token is refused" in said
    for secret in (code, cookie, form["code_verifier"], CLIENT_SECRET, "ada@example.com", provider.person["sub"]):
        assert secret not in said
