"""The second factor: switching it on and off, logging in with codes of an app, and recovery codes."""

import re
from base64 import b32decode
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp import TOTP
from sqlalchemy import text

from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person

PASSWORD = "four unusual words here"
EMAIL = "grace@example.com"


class App:
    """An authenticator app on the database's clock."""

    def __init__(self, services: Services, secret: str) -> None:
        self._services = services
        self._totp = TOTP(secret)

    def code(self, ahead: int = 0) -> str:
        """Return the code of so many periods after now."""
        with self._services.db.statement() as connection:
            now = connection.exec_driver_sql("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint").scalar_one()
        return str(self._totp.generate_otp(now // 30 + ahead))

    def next(self) -> str:
        """Return a code that works now and for a period more, also if an earlier one was used."""
        with self._services.db.begin() as connection:
            connection.exec_driver_sql("UPDATE second_factors SET last_step = 0")
        return self.code(1)

    def wrong(self) -> str:
        """Return six digits that are no code now or soon."""
        soon = {self.code(ahead) for ahead in range(-3, 8)}
        return next(digits for digits in map("{:06}".format, range(100)) if digits not in soon)


@pytest.fixture
def grace(door: Door) -> dict[str, str]:
    """Sign up; return the headers of the session."""
    answer = door.post("/v1/signup", json={"email": EMAIL, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def begun(door: Door, grace: dict[str, str], services: Services) -> App:
    answer = door.post("/v1/totp", json={"password": PASSWORD}, headers=grace)
    assert answer.status_code == 200, answer.text
    return App(services, answer.json()["secret"])


@pytest.fixture
def recovery_codes(door: Door, grace: dict[str, str], begun: App) -> list[str]:
    """Switch the factor on; return the recovery codes."""
    answer = door.put("/v1/totp", json={"code": begun.next()}, headers=grace)
    assert answer.status_code == 200, answer.text
    codes: list[str] = answer.json()["recovery_codes"]
    return codes


@pytest.fixture
def app(begun: App, recovery_codes: list[str]) -> App:
    assert recovery_codes
    return begun


def log_in(door: Door, code: str | None = None, password: str = PASSWORD) -> Any:
    body = {"email": EMAIL, "password": password} | ({} if code is None else {"code": code})
    return door.post("/v1/login", json=body)


def outcome(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else None


def is_on(door: Door, headers: dict[str, str]) -> bool:
    return bool(door.get("/v1/me", headers=headers).json()["second_factor"])


def test_the_secret_is_shown_as_text_as_an_address_and_as_a_picture(door: Door, grace: dict[str, str]) -> None:
    answer = door.post("/v1/totp", json={"password": PASSWORD}, headers=grace).json()
    assert len(b32decode(answer["secret"])) == 20
    address = urlsplit(answer["uri"])
    values = parse_qs(address.query)
    assert (address.scheme, address.netloc, values["secret"]) == ("otpauth", "totp", [answer["secret"]])
    assert values["issuer"][0].startswith("Easel (")
    assert re.fullmatch(r"<svg [^>]*>.*</svg>", answer["qr_svg"])
    assert not is_on(door, grace), "it does not count before it is confirmed"
    assert log_in(door).status_code == 200


def test_a_log_in_needs_the_code_once_the_factor_is_on(
    door: Door, grace: dict[str, str], begun: App, services: Services
) -> None:
    answer = door.put("/v1/totp", json={"code": begun.next()}, headers=grace)
    codes = answer.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)
    assert is_on(door, grace)
    assert outcome(log_in(door)) == (401, "code_required")
    assert outcome(log_in(door, password="another four unusual words")) == (401, "bad_credentials")
    for wrong in (begun.wrong(), "", "12345", "1234567", "x" * 40, "aaaa-aaaa-aaaa-aaaa", "１２３４５６"):
        assert outcome(log_in(door, wrong)) == (401, "bad_credentials")
    spaced = begun.next()
    assert outcome(log_in(door, f" {spaced[:3]} {spaced[3:]} ")) == (200, None)
    with services.db.statement() as connection:
        stored = connection.exec_driver_sql("SELECT string_agg(hash::text, ' ') FROM recovery_codes").scalar_one()
    assert not [code for code in codes if code.replace("-", "").encode().hex() in stored]


def test_a_wrong_password_is_answered_alike_with_and_without_a_factor(door: Door, app: App, ada: Person) -> None:
    for code in (None, app.next()):
        wrong = log_in(door, code, "another four unusual words")
        body = {"email": "nobody@example.com", "password": PASSWORD} | ({} if code is None else {"code": code})
        assert wrong.content == door.post("/v1/login", json=body).content


def test_a_code_works_once(door: Door, app: App) -> None:
    code = app.next()
    assert log_in(door, code).status_code == 200
    assert outcome(log_in(door, code)) == (401, "bad_credentials")
    assert outcome(log_in(door, app.code())) == (401, "bad_credentials"), "nor one from before it"


def test_a_code_is_not_used_twice_at_the_same_moment(door: Door, app: App) -> None:
    code = app.next()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: log_in(door, code).status_code, range(4)))
    assert sorted(answers) == [200, 401, 401, 401]


@pytest.mark.parametrize(("ahead", "works"), [(-4, False), (0, True), (1, True), (5, False)])
def test_clocks_may_differ_by_a_period(door: Door, app: App, ahead: int, works: bool) -> None:
    app.next()
    assert (log_in(door, app.code(ahead)).status_code == 200) is works


def test_recovery_codes_work_once_and_also_after_too_many_guesses(
    door: Door, app: App, recovery_codes: list[str], services: Services
) -> None:
    answers = [outcome(log_in(door, app.wrong())) for _ in range(11)]
    assert answers == [(401, "bad_credentials")] * 10 + [(429, "rate_limited")]
    assert outcome(log_in(door, app.next())) == (429, "rate_limited"), "also the right code of the app"
    assert log_in(door, recovery_codes[0]).status_code == 200
    assert outcome(log_in(door, recovery_codes[0])) == (401, "bad_credentials")
    assert log_in(door, recovery_codes[1].upper().replace("-", " ")).status_code == 200


def test_right_codes_are_not_counted(door: Door, app: App) -> None:
    assert [log_in(door, app.next()).status_code for _ in range(12)] == [200] * 12


def test_recovery_codes_are_renewed(door: Door, grace: dict[str, str], app: App, recovery_codes: list[str]) -> None:
    proof = {"password": PASSWORD, "code": recovery_codes[0]}
    renewed = door.post("/v1/totp/recovery-codes", json=proof, headers=grace)
    assert renewed.status_code == 200
    assert not set(renewed.json()["recovery_codes"]) & set(recovery_codes)
    assert outcome(log_in(door, recovery_codes[1])) == (401, "bad_credentials")
    assert log_in(door, renewed.json()["recovery_codes"][0]).status_code == 200


def test_it_is_switched_off_with_password_and_code(door: Door, grace: dict[str, str], app: App) -> None:
    wrong_ones = [
        {"password": "another four unusual words", "code": app.next()},
        {"password": PASSWORD, "code": app.wrong()},
    ]
    for path, method in (("/v1/totp", "DELETE"), ("/v1/totp/recovery-codes", "POST")):
        for wrong in wrong_ones:
            assert outcome(door.request(method, path, json=wrong, headers=grace)) == (401, "bad_credentials")
    proof = {"password": PASSWORD, "code": app.next()}
    assert door.request("DELETE", "/v1/totp", json=proof, headers=grace).status_code == 204
    assert not is_on(door, grace)
    assert log_in(door).status_code == 200
    assert outcome(door.request("DELETE", "/v1/totp", json=proof, headers=grace)) == (404, "not_found")
    assert outcome(door.post("/v1/totp/recovery-codes", json=proof, headers=grace)) == (404, "not_found")


def test_one_that_is_on_is_not_begun_again(door: Door, grace: dict[str, str], app: App) -> None:
    answer = door.post("/v1/totp", json={"password": PASSWORD}, headers=grace)
    assert outcome(answer) == (409, "second_factor_on")
    assert outcome(door.put("/v1/totp", json={"code": app.next()}, headers=grace)) == (409, "second_factor_on")
    assert log_in(door, app.next()).status_code == 200


def test_a_new_beginning_replaces_the_one_before(
    door: Door, grace: dict[str, str], begun: App, services: Services
) -> None:
    again = App(services, door.post("/v1/totp", json={"password": PASSWORD}, headers=grace).json()["secret"])
    assert outcome(door.put("/v1/totp", json={"code": begun.next()}, headers=grace)) == (401, "bad_credentials")
    assert door.put("/v1/totp", json={"code": again.next()}, headers=grace).status_code == 200


def test_beginning_needs_the_password_and_confirming_a_beginning(door: Door, grace: dict[str, str]) -> None:
    wrong = door.post("/v1/totp", json={"password": "another four unusual words"}, headers=grace)
    assert outcome(wrong) == (401, "bad_credentials")
    assert outcome(door.put("/v1/totp", json={"code": "000000"}, headers=grace)) == (404, "not_found")


def test_api_tokens_need_no_code(door: Door, grace: dict[str, str], app: App) -> None:
    token = door.post("/v1/tokens", json={"name": "a program"}, headers=grace).json()["token"]
    assert is_on(door, {"Authorization": f"Bearer {token}"})


def test_a_deleted_account_takes_its_factor_along(
    door: Door, grace: dict[str, str], app: App, services: Services
) -> None:
    assert door.request("DELETE", "/v1/me", json={"password": PASSWORD}, headers=grace).status_code == 202
    with services.db.statement() as connection:
        for table in ("second_factors", "recovery_codes"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_the_account_is_notified_of_both(door: Door, grace: dict[str, str], app: App, services: Services) -> None:
    proof = {"password": PASSWORD, "code": app.next()}
    assert door.request("DELETE", "/v1/totp", json=proof, headers=grace).status_code == 204
    with services.db.statement() as connection:
        waiting = connection.exec_driver_sql("SELECT kind, email FROM account_mails ORDER BY id").all()
    assert [tuple(row) for row in waiting] == [("second_factor_on", EMAIL), ("second_factor_off", EMAIL)]
