"""A new password by a link in a mail: the same answer for every address, and one use of each link."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp import TOTP
from sqlalchemy import text

from shared.accounts import account_mails
from shared.accounts.tokens import token_hash
from shared.notify import mail
from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.mailbox import Mailbox
from tests.support.people import Person

PASSWORD = "seven green lanterns drift"
NEW = "eight blue kettles whistle"


@pytest.fixture
def mailbox(with_settings: Callable[..., Services], tmp_path: Path) -> Mailbox:
    """Deliver mail into a folder; the site's address is another one than that of the requests."""
    folder = tmp_path / "mail"
    return Mailbox(with_settings(mail_url=f"file://{folder}", public_url="https://easel.example.com"), folder)


@pytest.fixture
def posted(doors: Doors, mailbox: Mailbox) -> Door:
    return doors.open(mailbox.services)


@pytest.fixture
def grace(posted: Door) -> dict[str, Any]:
    """Sign up with a password; the answer has the session's token."""
    answer = posted.post("/v1/signup", json={"email": "grace@example.com", "password": PASSWORD})
    assert answer.status_code == 201
    session: dict[str, Any] = answer.json()
    return session


def ask(door: Door, email: str) -> Any:
    return door.post("/v1/password-reset", json={"email": email}, headers={"Host": "evil.example.com"})


def link_of(message: str, path: str = "/reset") -> dict[str, str]:
    [link] = re.findall(r"https://\S+#\S+", message)
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "easel.example.com", path)
    return {name: values[0] for name, values in parse_qs(parts.fragment).items()}


def bearer(session: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['token']}"}


def test_a_link_sets_a_password_once_and_ends_all_access(posted: Door, grace: dict[str, Any], mailbox: Mailbox) -> None:
    api_token = posted.post("/v1/tokens", json={"name": "x"}, headers=bearer(grace)).json()
    assert ask(posted, " Grace@Example.com").status_code == 202
    [message] = mailbox.collect()
    link = link_of(message)
    assert link["email"] == "grace@example.com"
    with mailbox.services.db.statement() as connection:
        [(stored,)] = connection.exec_driver_sql("SELECT hash FROM account_links").all()
    assert bytes(stored) == token_hash(link["token"])
    easy = posted.put("/v1/password-reset", json={"token": link["token"], "password": "grace@example.com"})
    assert easy.json()["errors"][0]["code"] == "well_known"
    assert posted.put("/v1/password-reset", json={"token": link["token"], "password": NEW}).status_code == 204
    for token in (grace, api_token):
        assert posted.get("/v1/me", headers=bearer(token)).status_code == 401
    again = posted.put("/v1/password-reset", json={"token": link["token"], "password": NEW})
    assert (again.status_code, again.json()["code"]) == (409, "already_used")
    old, new = (
        posted.post("/v1/login", json={"email": "grace@example.com", "password": word}) for word in (PASSWORD, NEW)
    )
    assert (old.status_code, new.status_code) == (401, 200)
    [notice] = mailbox.collect()
    assert "was changed" in notice
    assert link["token"] not in notice


def test_every_address_gets_the_same_answer(posted: Door, grace: dict[str, Any], mailbox: Mailbox) -> None:
    answers = [ask(posted, email) for email in ("grace@example.com", "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    assert len(mailbox.collect()) == 1
    with mailbox.services.db.statement() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM account_mails").scalar_one() == 0


def test_an_account_has_few_links_at_a_time(posted: Door, grace: dict[str, Any], mailbox: Mailbox) -> None:
    links = []
    for _ in range(account_mails.MOST_LINKS + 2):
        assert ask(posted, "grace@example.com").status_code == 202
        links += [link_of(message) for message in mailbox.collect()]
    assert len(links) == account_mails.MOST_LINKS
    assert posted.put("/v1/password-reset", json={"token": links[1]["token"], "password": NEW}).status_code == 204
    other = posted.put("/v1/password-reset", json={"token": links[2]["token"], "password": NEW})
    assert other.status_code == 409


def test_an_old_link_and_one_of_another_address_do_not_work(
    posted: Door, grace: dict[str, Any], mailbox: Mailbox
) -> None:
    for change in (
        "UPDATE account_links SET expires_at = clock_timestamp() - interval '1 second'",
        "UPDATE users SET email = 'other@example.com'",
    ):
        ask(posted, "grace@example.com")
        [message] = mailbox.collect()
        with mailbox.services.db.begin() as connection:
            connection.execute(text(change))
        answer = posted.put("/v1/password-reset", json={"token": link_of(message)["token"], "password": NEW})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_used")


def test_a_disabled_account_gets_no_link(posted: Door, grace: dict[str, Any], mailbox: Mailbox) -> None:
    with mailbox.services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET disabled_at = clock_timestamp()")
    assert ask(posted, "grace@example.com").status_code == 202
    assert mailbox.collect() == []


def test_a_mail_that_waits_has_another_link_later(
    posted: Door, grace: dict[str, Any], mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise mail.MailDelayed("later")

    ask(posted, "grace@example.com")
    with monkeypatch.context() as patched:
        patched.setattr(mail.FileMailer, "send", refuse)
        assert mailbox.collect() == []
    with mailbox.services.db.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM account_links").scalar_one() == 0
        connection.exec_driver_sql("UPDATE account_mails SET due_at = clock_timestamp()")
    assert len(mailbox.collect()) == 1


def test_the_mail_is_in_the_language_of_the_account(posted: Door, grace: dict[str, Any], mailbox: Mailbox) -> None:
    posted.patch("/v1/me", json={"language": "ru"}, headers=bearer(grace))
    ask(posted, "grace@example.com")
    [message] = mailbox.collect()
    assert "Новый пароль" in message
    link_of(message)


def test_a_site_without_mail_says_so(doors: Doors, ada: Person, with_settings: Callable[..., Services]) -> None:
    answer = ask(doors.open(with_settings(mail_url="")), ada.email)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("email", "not_offered")]


def test_a_log_in_that_began_before_the_change_gets_no_session(
    posted: Door, grace: dict[str, Any], mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.accounts import service as accounts

    verify = accounts._matching_spelling

    def change_meanwhile(password_hash: str, password: str) -> str | None:
        found = verify(password_hash, password)
        with mailbox.services.db.begin() as connection:
            connection.exec_driver_sql("UPDATE users SET password_hash = 'another'")
        return found

    monkeypatch.setattr(accounts, "_matching_spelling", change_meanwhile)
    late = posted.post("/v1/login", json={"email": "grace@example.com", "password": PASSWORD})
    assert (late.status_code, late.json()["code"]) == (401, "bad_credentials")


def test_an_address_counts_once_it_is_confirmed(
    posted: Door, grace: dict[str, Any], mailbox: Mailbox, ada: Person
) -> None:
    def change(email: str, password: str = PASSWORD) -> Any:
        return posted.post("/v1/me/email", json={"email": email, "password": password}, headers=bearer(grace))

    def current() -> str:
        return str(posted.get("/v1/me", headers=bearer(grace)).json()["user"]["email"])

    assert (change("new@example.com", "wrong").status_code, mailbox.collect()) == (401, [])
    assert change(" New@Example.com").status_code == 202
    [message] = mailbox.collect()
    token = link_of(message, "/verify")["token"]
    assert current() == "grace@example.com"
    assert posted.put("/v1/password-reset", json={"token": token, "password": NEW}).status_code == 409
    confirmed = posted.post("/v1/verify", json={"token": token})
    assert (confirmed.status_code, confirmed.json()) == (200, {"status": "confirmed"})
    assert current() == "new@example.com"
    assert posted.post("/v1/verify", json={"token": token}).json()["code"] == "already_used"
    [notice] = mailbox.collect()
    assert "grace@example.com" in notice
    assert "new@example.com" not in notice
    assert change(ada.email).status_code == 202
    [message] = mailbox.collect()
    taken = posted.post("/v1/verify", json={"token": link_of(message, "/verify")["token"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    assert current() == "new@example.com"


def test_a_new_password_ends_a_waiting_change_of_the_address(
    posted: Door, grace: dict[str, Any], mailbox: Mailbox
) -> None:
    body = {"email": "new@example.com", "password": PASSWORD}
    posted.post("/v1/me/email", json=body, headers=bearer(grace))
    [message] = mailbox.collect()
    posted.post("/v1/me/email", json=body, headers=bearer(grace))
    change = {"password": PASSWORD, "new_password": NEW}
    assert posted.post("/v1/me/password", json=change, headers=bearer(grace)).status_code == 204
    token = link_of(message, "/verify")["token"]
    assert posted.post("/v1/verify", json={"token": token}).json()["code"] == "already_used"
    [notice] = mailbox.collect()
    assert "was changed" in notice


def test_a_new_password_leaves_the_second_factor_on(posted: Door, grace: dict[str, Any], mailbox: Mailbox) -> None:
    secret = posted.post("/v1/totp", json={"password": PASSWORD}, headers=bearer(grace)).json()["secret"]
    answer = posted.put("/v1/totp", json={"code": TOTP(secret).now()}, headers=bearer(grace))
    [recovery_code, *_] = answer.json()["recovery_codes"]
    ask(posted, "grace@example.com")
    notice, message = sorted(mailbox.collect(), key=lambda mail: "#token" in mail)
    assert "Two-step log-in" in notice
    assert secret not in notice
    link = link_of(message)
    assert posted.put("/v1/password-reset", json={"token": link["token"], "password": NEW}).status_code == 204
    body = {"email": "grace@example.com", "password": NEW}
    assert posted.post("/v1/login", json=body).json()["code"] == "code_required"
    assert posted.post("/v1/login", json=body | {"code": recovery_code}).status_code == 200
