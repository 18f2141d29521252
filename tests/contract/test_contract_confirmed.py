"""Confirmed addresses: a sign-up by mail, older accounts, and who gets mail; notices of new devices."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from shared.accounts import account_mails, confirmation
from shared.accounts.known_devices import MOST_DEVICES
from shared.accounts.tokens import token_hash
from shared.admin import accounts as admin_accounts
from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.mailbox import Mailbox
from tests.support.people import Person

PASSWORD = "seven green lanterns drift"
OTHER = "eight blue kettles whistle"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SITE = "https://easel.example.com"


@pytest.fixture
def mailbox(with_settings: Callable[..., Services], tmp_path: Path) -> Mailbox:
    """Deliver mail of a site that confirms addresses into a folder."""
    folder = tmp_path / "mail"
    return Mailbox(with_settings(mail_url=f"file://{folder}", public_url=SITE, verify_email="on"), folder)


@pytest.fixture
def site(doors: Doors, mailbox: Mailbox) -> Door:
    return doors.open(mailbox.services)


@pytest.fixture
def lenient(doors: Doors, mailbox: Mailbox, with_settings: Callable[..., Services]) -> Door:
    """Open the same site without confirmations, but with the same mail."""
    settings = mailbox.services.settings
    return doors.open(with_settings(mail_url=settings.mail_url, public_url=SITE, verify_email="off"))


def sign_up(door: Door, email: str = "grace@example.com", **fields: Any) -> httpx.Response:
    return door.post("/v1/signup", json={"email": email, **fields}, headers={"User-Agent": FIREFOX})


def log_in(door: Door, password: str = PASSWORD, agent: str = FIREFOX, email: str = "grace@example.com") -> Any:
    return door.post("/v1/login", json={"email": email, "password": password}, headers={"User-Agent": agent})


def bearer(session: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {session.json()['token']}"}


def link_of(message: str) -> dict[str, str]:
    [fragment] = [line.partition("/verify#")[2] for line in message.splitlines() if line.startswith(f"{SITE}/verify#")]
    return {name: values[0] for name, values in parse_qs(fragment).items()}


def verify(door: Door, link: dict[str, str], password: str | None = PASSWORD) -> httpx.Response:
    return door.post("/v1/verify", json={"token": link["token"], "password": password})


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def grace(site: Door, mailbox: Mailbox) -> dict[str, str]:
    """Sign up and confirm; return the headers of a session."""
    sign_up(site)
    [message] = mailbox.collect()
    assert verify(site, link_of(message)).status_code == 200
    return bearer(log_in(site))


def test_an_account_begins_with_its_link(site: Door, mailbox: Mailbox) -> None:
    asked = sign_up(site, " Grace@Example.com", password="not this one at all")
    assert (asked.status_code, asked.json()) == (202, {"status": "accepted"})
    assert "set-cookie" not in asked.headers
    [message] = mailbox.collect()
    link = link_of(message)
    assert (link["email"], link["password"]) == ("grace@example.com", "new")
    assert refused(log_in(site, "not this one at all")) == (401, "bad_credentials")
    with mailbox.services.db.statement() as connection:
        [(stored,)] = connection.exec_driver_sql("SELECT hash FROM account_links").all()
        assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 0
    assert bytes(stored) == token_hash(link["token"])
    assert verify(site, link, None).json()["errors"][0] | {"message": ""} == {
        "field": "password",
        "message": "",
        "code": "required",
        "limit": None,
    }
    assert verify(site, link, "grace@example.com").json()["errors"][0]["code"] == "well_known"
    assert verify(site, link, "short").json()["errors"][0]["code"] == "too_short"
    assert site.put("/v1/password-reset", json={"token": link["token"], "password": OTHER}).status_code == 409
    assert verify(site, link).json() == {"status": "confirmed"}
    assert refused(verify(site, link)) == (409, "already_used")
    session = log_in(site)
    assert session.status_code == 200
    assert site.get("/v1/me", headers=bearer(session)).json()["user"]["confirmed"] is True
    assert mailbox.collect() == [], "the first sign-in is from no new device"


def test_a_link_makes_no_account_once_the_site_has_no_passwords(
    site: Door, doors: Doors, mailbox: Mailbox, with_settings: Callable[..., Services]
) -> None:
    sign_up(site)
    [message] = mailbox.collect()
    settings = mailbox.services.settings
    closed = doors.open(
        with_settings(mail_url=settings.mail_url, public_url=SITE, verify_email="on", local_accounts="off")
    )
    assert refused(verify(closed, link_of(message))) == (403, "not_offered")
    assert verify(site, link_of(message)).status_code == 200, "the link was not used up"


def test_whether_there_is_an_account_does_not_show(site: Door, grace: dict[str, str], mailbox: Mailbox) -> None:
    known, unknown = (sign_up(site, email, password=OTHER) for email in ("grace@example.com", "new@example.com"))
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, unknown.content)
    assert known.headers.keys() == unknown.headers.keys()
    about = {("You have an account" in message, f"{SITE}/verify#" in message) for message in mailbox.collect()}
    assert about == {(True, False), (False, True)}
    admin_accounts.disable(mailbox.services, "grace@example.com", None, hide=False)
    assert sign_up(site).content == unknown.content
    assert mailbox.collect() == []
    assert log_in(site, OTHER).status_code == 401


def test_who_reads_the_mail_chooses_the_password(site: Door, mailbox: Mailbox) -> None:
    """However often others signed up with the address: each of its links takes the password of who opens it."""
    links = []
    for number in range(account_mails.MOST_LINKS + 2):
        assert sign_up(site, password=f"the password of a squatter {number}").status_code == 202
        links += [link_of(message) for message in mailbox.collect()]
    assert len(links) == account_mails.MOST_LINKS
    assert verify(site, links[2]).status_code == 200
    assert {refused(verify(site, link, OTHER)) for link in links} == {(409, "already_used")}
    assert [log_in(site, password).status_code for password in (PASSWORD, "the password of a squatter 2")] == [200, 401]


def test_two_links_at_once_make_one_account(asgi_doors: Doors, mailbox: Mailbox) -> None:
    door = asgi_doors.open(mailbox.services)
    links = []
    for _ in range(2):
        sign_up(door)
        links += [link_of(message) for message in mailbox.collect()]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: verify(door, links[number % 2]).status_code, range(4)))
    assert sorted(answers) == [200, 409, 409, 409]
    assert log_in(door).status_code == 200


def test_a_link_ends_after_a_day_and_is_not_kept(site: Door, mailbox: Mailbox) -> None:
    sign_up(site)
    [message] = mailbox.collect()
    with mailbox.services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE account_links SET expires_at = expires_at - interval '1 day'")
    assert refused(verify(site, link_of(message))) == (409, "already_used")
    sign_up(site, "another@example.com")
    mailbox.collect()
    with mailbox.services.db.statement() as connection:
        assert connection.exec_driver_sql("SELECT email FROM account_links").scalars().all() == ["another@example.com"]


def test_the_account_has_the_language_of_its_sign_up(site: Door, mailbox: Mailbox) -> None:
    sign_up(site, language="ru")
    [message] = mailbox.collect()
    assert "Ваша учётная запись" in message
    verify(site, link_of(message))
    assert log_in(site).json()["user"]["language"] == "ru"


def test_sign_ups_are_limited(doors: Doors, mailbox: Mailbox, with_settings: Callable[..., Services]) -> None:
    mail_url = mailbox.services.settings.mail_url
    door = doors.open(with_settings(mail_url=mail_url, verify_email="on", max_accounts_per_hour=2))
    assert [sign_up(door, f"user-{number}@example.com").status_code for number in range(3)] == [202, 202, 503]
    assert len(mailbox.collect()) == 2


def test_without_confirmations_a_password_is_required(lenient: Door) -> None:
    assert sign_up(lenient).json()["errors"][0]["code"] == "required"
    session = sign_up(lenient, password=PASSWORD)
    assert (session.status_code, session.json()["user"]["confirmed"]) == (201, False)
    assert lenient.get("/v1/presets").json()["confirms_addresses"] is False
    changed = lenient.patch("/v1/me", json={"notify": "email"}, headers=bearer(session))
    assert changed.status_code == 200
    assert lenient.post("/v1/jobs", json={"prompt": "x", "notify": "email"}, headers=bearer(session)).status_code == 202


@pytest.fixture
def unconfirmed(lenient: Door) -> dict[str, str]:
    """Sign up while the site does not confirm addresses."""
    return bearer(sign_up(lenient, password=PASSWORD))


MAILED: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", "/v1/me", {"notify": "email"}),
    ("POST", "/v1/jobs", {"prompt": "x", "notify": "email"}),
    ("POST", "/v1/batches", {"requests": [{"prompt": "x"}, {"prompt": "x", "notify": "email"}]}),
]


def test_an_older_account_gets_mail_once_it_is_confirmed(
    site: Door, unconfirmed: dict[str, str], mailbox: Mailbox
) -> None:
    assert site.get("/v1/presets").json()["confirms_addresses"] is True
    assert site.get("/v1/me", headers=unconfirmed).json()["user"]["confirmed"] is False
    for method, path, body in MAILED:
        assert refused(site.request(method, path, json=body, headers=unconfirmed)) == (403, "not_confirmed")
    assert site.post("/v1/jobs", json={"prompt": "x"}, headers=unconfirmed).status_code == 202
    assert site.post("/v1/me/confirmation", headers=unconfirmed).status_code == 202
    [message] = mailbox.collect()
    link = link_of(message)
    assert link["password"] == "current"
    assert verify(site, link, None).json()["errors"][0]["code"] == "required"
    assert refused(verify(site, link, OTHER)) == (401, "bad_credentials"), "who opens it must know the account"
    assert verify(site, link).status_code == 200
    assert refused(verify(site, link)) == (409, "already_used")
    for method, path, body in MAILED:
        assert site.request(method, path, json=body, headers=unconfirmed).status_code in (200, 202)
    assert site.post("/v1/me/confirmation", headers=unconfirmed).status_code == 202
    assert mailbox.collect() == []


def test_confirmation_mails_are_limited(site: Door, unconfirmed: dict[str, str], mailbox: Mailbox) -> None:
    most = confirmation.CONFIRMATIONS_PER_HOUR
    statuses = [site.post("/v1/me/confirmation", headers=unconfirmed).status_code for _ in range(most + 1)]
    assert statuses == [202] * most + [429]
    assert len(mailbox.collect()) == 1, "the same mail waits once"


def test_a_reset_gives_a_squatted_address_to_its_owner(
    site: Door, unconfirmed: dict[str, str], mailbox: Mailbox
) -> None:
    sign_up(site)
    [message] = mailbox.collect()
    assert f"{SITE}/reset" in message
    site.post("/v1/password-reset", json={"email": "grace@example.com"})
    [message] = mailbox.collect()
    token = parse_qs(message.partition("/reset#")[2].split()[0])["token"][0]
    assert site.put("/v1/password-reset", json={"token": token, "password": OTHER}).status_code == 204
    assert site.get("/v1/me", headers=unconfirmed).status_code == 401
    assert log_in(site).status_code == 401
    assert log_in(site, OTHER).json()["user"]["confirmed"] is True


def test_another_address_is_confirmed_by_its_link(site: Door, unconfirmed: dict[str, str], mailbox: Mailbox) -> None:
    site.post("/v1/me/confirmation", headers=unconfirmed)
    body = {"email": "new@example.com", "password": PASSWORD}
    assert site.post("/v1/me/email", json=body, headers=unconfirmed).status_code == 202
    links = {link["email"]: link for link in map(link_of, mailbox.collect())}
    assert verify(site, links["new@example.com"], None).status_code == 200
    user = site.get("/v1/me", headers=unconfirmed).json()["user"]
    assert (user["email"], user["confirmed"]) == ("new@example.com", True)
    assert refused(verify(site, links["grace@example.com"])) == (409, "already_used")
    assert mailbox.collect() == [], "the old address was never confirmed"


def test_notices_go_to_confirmed_addresses_only(
    site: Door, lenient: Door, unconfirmed: dict[str, str], mailbox: Mailbox
) -> None:
    change = {"password": PASSWORD, "new_password": OTHER}
    assert site.post("/v1/me/password", json=change, headers=unconfirmed).status_code == 204
    assert log_in(site, OTHER, "curl/8.5.0").status_code == 200
    assert mailbox.collect() == []
    change = {"password": OTHER, "new_password": PASSWORD}
    assert lenient.post("/v1/me/password", json=change, headers=unconfirmed).status_code == 204
    assert len(mailbox.collect()) == 1


def test_mail_that_was_asked_for_before_is_not_sent(
    site: Door,
    lenient: Door,
    unconfirmed: dict[str, str],
    mailbox: Mailbox,
    finish: Callable[[], None],
) -> None:
    body = {"prompt": "a lighthouse", "notify": "email"}
    assert lenient.post("/v1/jobs", json=body, headers=unconfirmed).status_code == 202
    finish()
    assert mailbox.collect() == []
    admin_accounts.confirm(mailbox.services, "grace@example.com")
    assert site.post("/v1/jobs", json=body, headers=unconfirmed).status_code == 202
    finish()
    assert len(mailbox.collect()) == 1


def test_a_new_device_is_reported(site: Door, grace: dict[str, str], mailbox: Mailbox) -> None:
    assert log_in(site).status_code == 200
    assert mailbox.collect() == []
    assert log_in(site, OTHER, "curl/8.5.0").status_code == 401
    assert mailbox.collect() == []
    assert log_in(site, agent=FIREFOX.replace("X11; Linux", "Windows")).status_code == 200
    [message] = mailbox.collect()
    assert "Firefox, Windows, 20" in message
    assert f"{SITE}/reset" in message
    log_in(site, agent="www.evil.example/1.0")
    [message] = mailbox.collect()
    assert "an unknown device" in message
    assert "evil" not in message
    for agent in (FIREFOX, "www.evil.example/2.0"):
        assert log_in(site, agent=agent).status_code == 200
    assert mailbox.collect() == []
    with mailbox.services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET mail_stopped = 'bounced'")
    assert log_in(site, agent="curl/8.5.0").status_code == 200
    assert mailbox.collect() == [], "its server refuses our mail"


def test_few_devices_of_an_account_are_known(site: Door, grace: dict[str, str], mailbox: Mailbox, ada: Person) -> None:
    for number in range(MOST_DEVICES):
        log_in(site, agent=f"program{number}")
    with mailbox.services.db.statement() as connection:
        known = connection.exec_driver_sql("SELECT device FROM known_devices").scalars().all()
    assert len(known) == MOST_DEVICES
    assert "Firefox, Linux" not in known


def test_a_site_without_mail_confirms_nothing(
    doors: Doors, with_settings: Callable[..., Services], ada: Person
) -> None:
    door = doors.open(with_settings(mail_url=""))
    answer = door.post("/v1/me/confirmation", headers=ada.headers)
    assert refused(answer) == (422, "invalid_request")
