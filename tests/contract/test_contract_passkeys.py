"""Passkeys: adding and removing them, and logging in with one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from pyotp import TOTP
from sqlalchemy import text

from shared.admin import accounts
from shared.services import Services
from tests.support import shapes
from tests.support.authenticator import PRESENT, Authenticator, bytes_of, text_of
from tests.support.doors import Door, Doors
from tests.support.passkey_calls import (
    EMAIL,
    PASSWORD,
    add,
    answer_with,
    ask,
    begin,
    keep_challenge,
    log_in,
    names,
    outcome,
    send,
    sign_up,
)
from tests.support.people import Person

SITE = "https://easel.example.com"
WRONG = {"password": "another four unusual words"}
PASSKEY = {"id": shapes.uuid7, "name": str, "created_at": shapes.time, "last_used_at": shapes.maybe(shapes.time)}


@pytest.fixture
def grace(door: Door) -> dict[str, str]:
    """Sign up; return the headers of the session."""
    return sign_up(door)


@pytest.fixture
def phone(door: Door, grace: dict[str, str]) -> Authenticator:
    return add(door, grace)


def remove(door: Door, headers: dict[str, str], **proof: str) -> Any:
    [passkey] = door.get("/v1/passkeys", headers=headers).json()["passkeys"]
    body = {"password": PASSWORD, **proof}
    return door.request("DELETE", f"/v1/passkeys/{passkey['id']}", json=body, headers=headers)


def second_factor(door: Door, headers: dict[str, str]) -> list[str]:
    """Switch the second factor on; return the recovery codes."""
    secret = door.post("/v1/totp", json={"password": PASSWORD}, headers=headers).json()["secret"]
    codes: list[str] = door.put("/v1/totp", json={"code": TOTP(secret).now()}, headers=headers).json()["recovery_codes"]
    return codes


def test_it_works(door: Door, grace: dict[str, str], services: Services) -> None:
    options = begin(door, grace)
    assert options["rp"] == {"id": "localhost", "name": "Easel"}
    assert options["attestation"] == "none"
    assert options["excludeCredentials"] == []
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    phone = Authenticator()
    added = send(door, grace, phone.make(options))
    assert added.status_code == 201, added.text
    shapes.check(added.json(), PASSKEY)
    assert added.json()["last_used_at"] is None
    asked = ask(door)
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    assert not asked.get("allowCredentials"), "what is asked tells of no account"
    session = answer_with(door, phone.sign(asked))
    assert session.status_code == 200, session.text
    shapes.check(session.json(), shapes.SESSION)
    assert session.headers["set-cookie"].startswith("easel_session=")
    headers = {"Authorization": f"Bearer {session.json()['token']}"}
    assert door.get("/v1/me", headers=headers).json()["user"]["email"] == EMAIL
    [listed] = door.get("/v1/passkeys", headers=headers).json()["passkeys"]
    shapes.check(listed, PASSKEY)
    assert listed["last_used_at"] is not None
    assert begin(door, grace)["excludeCredentials"] == [{"id": text_of(phone.credential_id), "type": "public-key"}]


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://127.0.0.1:8080"])
def test_both_names_of_this_machine_are_its_origin(door: Door, grace: dict[str, str], origin: str) -> None:
    assert log_in(door, add(door, grace, origin=origin)).status_code == 200


def test_a_challenge_is_signed_once(door: Door, phone: Authenticator) -> None:
    signed = phone.sign(ask(door))
    assert answer_with(door, signed).status_code == 200
    assert outcome(answer_with(door, signed)) == (401, "bad_credentials")


def test_a_challenge_is_not_used_twice_at_the_same_moment(door: Door, phone: Authenticator) -> None:
    signed = phone.sign(ask(door))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: answer_with(door, signed).status_code, range(4)))
    assert sorted(answers) == [200, 401, 401, 401]


def test_a_wrong_answer_uses_the_challenge_up(door: Door, phone: Authenticator) -> None:
    options = ask(door)
    assert answer_with(door, Authenticator(user=phone.user).sign(options)).status_code == 401
    assert answer_with(door, phone.sign(options)).status_code == 401


def test_a_challenge_ages(door: Door, grace: dict[str, str], phone: Authenticator, services: Services) -> None:
    signed, made = phone.sign(ask(door)), Authenticator().make(begin(door, grace))
    with services.db.begin() as connection:
        lifetimes = connection.exec_driver_sql(
            "SELECT expires_at - clock_timestamp() FROM passkey_challenges"
        ).scalars()
        assert all(290 < lifetime.total_seconds() <= 300 for lifetime in lifetimes)
        connection.exec_driver_sql("UPDATE passkey_challenges SET expires_at = clock_timestamp()")
    assert outcome(answer_with(door, signed)) == (401, "bad_credentials")
    assert outcome(send(door, grace, made)) == (422, "invalid_request")
    ask(door)
    with services.db.statement() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM passkey_challenges").scalar_one() == 1, "old ones go"


def test_a_challenge_is_its_users(door: Door, grace: dict[str, str]) -> None:
    heidi = sign_up(door, "heidi@example.com")
    made = Authenticator().make(begin(door, grace))
    assert outcome(send(door, heidi, made)) == (422, "invalid_request")
    of_log_in = Authenticator().make({**begin(door, heidi), "challenge": ask(door)["challenge"]})
    assert outcome(send(door, heidi, of_log_in)) == (422, "invalid_request")
    assert names(door, heidi) == []
    assert send(door, grace, made).status_code == 201


def test_the_challenge_of_a_new_passkey_opens_no_session(
    door: Door, grace: dict[str, str], phone: Authenticator
) -> None:
    assert outcome(answer_with(door, phone.sign(begin(door, grace)))) == (401, "bad_credentials")


def test_only_the_last_challenge_of_a_user_counts(door: Door, grace: dict[str, str]) -> None:
    first, last = (Authenticator().make(begin(door, grace)) for _ in range(2))
    assert outcome(send(door, grace, first)) == (422, "invalid_request")
    assert send(door, grace, last).status_code == 201
    assert outcome(send(door, grace, last)) == (422, "invalid_request"), "it works once"


def test_a_passkey_is_one_accounts(door: Door, grace: dict[str, str], phone: Authenticator) -> None:
    heidi = sign_up(door, "heidi@example.com")
    again = Authenticator(credential_id=phone.credential_id)
    for headers in (grace, heidi):
        assert outcome(send(door, headers, again.make(begin(door, headers)))) == (422, "invalid_request")
    assert log_in(door, phone).json()["user"]["email"] == EMAIL


def test_a_count_that_goes_back_is_a_copy(door: Door, grace: dict[str, str]) -> None:
    key = add(door, grace, count=3)
    for count, status in ((3, 401), (4, 200), (4, 401), (2, 401), (0, 401), (9, 200)):
        key.count = count
        assert log_in(door, key).status_code == status, count


def test_a_passkey_that_does_not_count_works_often(door: Door, phone: Authenticator) -> None:
    assert [log_in(door, phone).status_code for _ in range(3)] == [200] * 3


def test_a_removed_passkey_opens_no_session(door: Door, grace: dict[str, str], phone: Authenticator) -> None:
    signed = phone.sign(ask(door))
    assert outcome(remove(door, grace, **WRONG)) == (401, "bad_credentials")
    assert remove(door, grace).status_code == 204
    assert names(door, grace) == []
    assert outcome(answer_with(door, signed)) == (401, "bad_credentials")
    assert door.get("/v1/me", headers=grace).status_code == 200, "sessions go on"


def test_an_account_has_ten_at_most(door: Door, grace: dict[str, str], services: Services) -> None:
    for number in range(9):
        add(door, grace, f"number {number}")
    tenth = begin(door, grace)
    assert send(door, grace, Authenticator().make(tenth), "the tenth").status_code == 201
    refused = door.post("/v1/passkey-options", json={"password": PASSWORD}, headers=grace)
    assert outcome(refused) == (422, "invalid_request")
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"], error["limit"]) == ("passkeys", "too_many", 10)
    # One that was begun before the tenth was added.
    keep_challenge(services, b"c" * 32, UUID(door.get("/v1/me", headers=grace).json()["user"]["id"]))
    refused = send(door, grace, Authenticator().make({**tenth, "challenge": text_of(b"c" * 32)}))
    assert [error["field"] for error in refused.json()["errors"]] == ["passkeys"]
    assert names(door, grace) == ["the tenth", *(f"number {number}" for number in reversed(range(9)))]


def test_adding_needs_the_password(door: Door, grace: dict[str, str]) -> None:
    refused = door.post("/v1/passkey-options", json=WRONG, headers=grace)
    assert outcome(refused) == (401, "bad_credentials")
    missing = door.post("/v1/passkey-options", json={}, headers=grace)
    assert [(error["field"], error["code"]) for error in missing.json()["errors"]] == [("password", "required")]


def test_with_a_second_factor_both_need_a_code_and_a_log_in_none(door: Door, grace: dict[str, str]) -> None:
    codes = second_factor(door, grace)
    refused = door.post("/v1/passkey-options", json={"password": PASSWORD}, headers=grace)
    assert outcome(refused) == (401, "code_required")
    phone = Authenticator()
    assert send(door, grace, phone.make(begin(door, grace, code=codes[0]))).status_code == 201
    assert log_in(door, phone).status_code == 200
    assert outcome(remove(door, grace)) == (401, "code_required")
    assert outcome(remove(door, grace, code=codes[0])) == (401, "bad_credentials"), "it was used"
    assert remove(door, grace, code=codes[1]).status_code == 204


def test_a_disabled_account_is_refused(door: Door, phone: Authenticator, services: Services) -> None:
    accounts.disable(services, EMAIL, "spam", hide=False)
    refused = log_in(door, phone)
    assert outcome(refused) == (403, "account_disabled")
    assert "spam" not in refused.text
    phone.flags = PRESENT
    assert outcome(log_in(door, phone)) == (401, "bad_credentials"), "only its owner learns that"


def test_a_deleted_account_takes_its_passkeys_along(
    door: Door, grace: dict[str, str], phone: Authenticator, services: Services
) -> None:
    begin(door, grace)
    assert door.request("DELETE", "/v1/me", json={"password": PASSWORD}, headers=grace).status_code == 202
    with services.db.statement() as connection:
        for table in ("passkeys", "passkey_challenges"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    assert outcome(log_in(door, phone)) == (401, "bad_credentials")


def test_attempts_are_counted_by_network(doors: Doors, with_settings: Callable[..., Services]) -> None:
    door = doors.open(with_settings(public_url=SITE, logins_per_address=3))
    answers = [door.post("/v1/login/passkey/options") for _ in range(4)]
    assert [outcome(answer) for answer in answers] == [(200, None)] * 3 + [(429, "rate_limited")]
    with_password = door.post("/v1/login", json={"email": EMAIL, "password": PASSWORD})
    assert outcome(with_password) == (429, "rate_limited"), "both are attempts to log in"


@pytest.mark.parametrize(
    ("public_url", "domain"),
    [
        ("https://easel.example.com", "easel.example.com"),
        ("https://Easel.Example.com:8443", "easel.example.com"),
        ("http://localhost:8080", "localhost"),
        ("http://127.0.0.1:8080", "localhost"),
        ("http://easel.example.com", None),
        ("https://203.0.113.7", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_a_site_has_passkeys_where_browsers_make_them(
    doors: Doors, with_settings: Callable[..., Services], ada: Person, public_url: str, domain: str | None
) -> None:
    door = doors.open(with_settings(public_url=public_url))
    assert door.get("/v1/presets").json()["sign_in"]["passkeys"] == domain
    hosts = {"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com", "Origin": "https://evil.example.com"}
    begun = door.post("/v1/login/passkey/options", headers=hosts)
    if domain is None:
        assert outcome(begun) == outcome(answer_with(door, {})) == (403, "not_offered")
        refused = door.post("/v1/passkey-options", json={"password": PASSWORD}, headers=ada.headers)
        assert outcome(refused) == outcome(send(door, ada.headers, {})) == (403, "not_offered")
    else:
        assert begun.json()["options"]["rpId"] == domain


def test_a_site_without_local_accounts_has_none(doors: Doors, provider_site: Services) -> None:
    settings = provider_site.settings.model_copy(update={"local_accounts": "off"})
    own = Services(settings)
    try:
        door = doors.open(own)
        assert door.get("/v1/presets").json()["sign_in"]["passkeys"] is None
        assert outcome(door.post("/v1/login/passkey/options")) == (403, "not_offered")
    finally:
        own.db.close()


def test_challenges_are_random(door: Door) -> None:
    challenges = [bytes_of(ask(door)["challenge"]) for _ in range(3)]
    assert len(set(challenges)) == 3
    assert {len(challenge) for challenge in challenges} == {32}
